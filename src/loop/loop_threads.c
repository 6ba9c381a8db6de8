/* SPDX-License-Identifier: MIT */
/* loop_threads.c — what other threads do for the loop, and how they wake it.
 *
 * Work runs on libuv's pool, whose threads are made with the first of it: by
 * then the process may live under a filter, which has to allow a thread. */
#include <assert.h>
#include <stddef.h>

#include "base/reserve.h"
#include "loop/loop_private.h"

struct loop_wake {
    uv_async_t async;
    loop_fn *fn;
    void *context;
    struct loop *loop;
};

struct work {
    uv_work_t uv;
    loop_fn *work;
    loop_fn *done;
    void *context;
};

static_assert(offsetof(struct loop_wake, async) == 0, "loop_on_closed frees the handle's object");

static void on_work(uv_work_t *uv)
{
    const struct work *work = CONTAINER_OF(uv, struct work, uv);
    work->work(work->context);
}

static void on_worked(uv_work_t *uv, int status)
{
    struct work *work = CONTAINER_OF(uv, struct work, uv);
    loop_fn *done = work->done;
    void *context = work->context;
    loop_check_or_die(status, "work");
    reserve_give(work);
    done(context);
}

void loop_work(struct loop *loop, loop_fn *fn, loop_fn *done, void *context)
{
    struct work *work = loop_alloc_or_die(sizeof *work);
    work->work = fn;
    work->done = done;
    work->context = context;
    loop_check_or_die(uv_queue_work(&loop->uv, &work->uv, on_work, on_worked), "work");
}

static void do_nothing(void *context)
{
    (void)context;
}

void loop_start_threads(struct loop *loop)
{
    loop_work(loop, do_nothing, do_nothing, NULL);
}

static void on_wake(uv_async_t *async)
{
    struct loop_wake *wake = CONTAINER_OF(async, struct loop_wake, async);
    wake->fn(wake->context);
}

struct loop_wake *loop_wake_new(struct loop *loop, loop_fn *fn, void *context)
{
    struct loop_wake *wake = loop_new_object(loop, sizeof *wake);
    wake->loop = loop;
    wake->fn = fn;
    wake->context = context;
    loop_check_or_die(uv_async_init(&loop->uv, &wake->async, on_wake), "wake");
    return wake;
}

void loop_wake(struct loop_wake *wake)
{
    loop_check_or_die(uv_async_send(&wake->async), "wake");
}

void loop_wake_free(struct loop_wake *wake)
{
    if (!wake)
        return;
    wake->loop->objects--;
    uv_close((uv_handle_t *)&wake->async, loop_on_closed);
}
