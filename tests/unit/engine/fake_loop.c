/* SPDX-License-Identifier: MIT */
#include "fake_loop.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/list.h"

struct loop {
    struct list timers; /* the running ones, soonest first */
    struct list tasks;  /* the scheduled ones */
    struct list works;
    size_t objects;
};

struct loop_timer {
    struct list link;
    struct loop *loop;
    loop_fn *fn;
    void *context;
    uint64_t at_ns;
};

struct loop_task {
    struct list link;
    struct loop *loop;
    loop_fn *fn;
    void *context;
};

struct loop_wake {
    struct loop_task *task;
};

struct work {
    struct list link;
    loop_fn *work;
    loop_fn *done;
    void *context;
};

static uint64_t now_ns = 1000 * NS_PER_S;

uint64_t loop_now_ns(void)
{
    return now_ns;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    assert(loop);
    list_init(&loop->timers);
    list_init(&loop->tasks);
    list_init(&loop->works);
    return loop;
}

static void do_work(struct loop *loop)
{
    struct work *work = CONTAINER_OF(loop->works.next, struct work, link);
    list_remove(&work->link);
    work->work(work->context);
    work->done(work->context);
    free(work);
}

void loop_free(struct loop *loop)
{
    assert(loop->objects == 0);
    while (!list_empty(&loop->works))
        do_work(loop);
    free(loop);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *context)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    assert(timer);
    *timer = (struct loop_timer){.loop = loop, .fn = fn, .context = context};
    list_init(&timer->link);
    loop->objects++;
    return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
    list_remove(&timer->link);
    timer->at_ns = now_ns + ms * NS_PER_MS;
    struct list *later = timer->loop->timers.next;
    while (later != &timer->loop->timers &&
           CONTAINER_OF(later, struct loop_timer, link)->at_ns <= timer->at_ns)
        later = later->next;
    list_append(later, &timer->link);
}

void loop_timer_stop(struct loop_timer *timer)
{
    list_remove(&timer->link);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    list_remove(&timer->link);
    timer->loop->objects--;
    free(timer);
}

struct loop_task *loop_task_new(struct loop *loop, loop_fn *fn, void *context)
{
    struct loop_task *task = calloc(1, sizeof *task);
    assert(task);
    *task = (struct loop_task){.loop = loop, .fn = fn, .context = context};
    list_init(&task->link);
    loop->objects++;
    return task;
}

void loop_task_schedule(struct loop_task *task)
{
    if (list_empty(&task->link))
        list_append(&task->loop->tasks, &task->link);
}

void loop_task_unschedule(struct loop_task *task)
{
    list_remove(&task->link);
}

void loop_task_free(struct loop_task *task)
{
    if (!task)
        return;
    list_remove(&task->link);
    task->loop->objects--;
    free(task);
}

struct loop_wake *loop_wake_new(struct loop *loop, loop_fn *fn, void *context)
{
    struct loop_wake *wake = calloc(1, sizeof *wake);
    assert(wake);
    wake->task = loop_task_new(loop, fn, context);
    return wake;
}

void loop_wake(struct loop_wake *wake)
{
    loop_task_schedule(wake->task);
}

void loop_wake_free(struct loop_wake *wake)
{
    if (wake)
        loop_task_free(wake->task);
    free(wake);
}

void loop_work(struct loop *loop, loop_fn *fn, loop_fn *done, void *context)
{
    struct work *work = calloc(1, sizeof *work);
    assert(work);
    *work = (struct work){.work = fn, .done = done, .context = context};
    list_append(&loop->works, &work->link);
}

void fake_loop_settle(struct loop *loop)
{
    while (!list_empty(&loop->tasks) || !list_empty(&loop->works)) {
        if (list_empty(&loop->tasks)) {
            do_work(loop);
            continue;
        }
        struct loop_task *task = CONTAINER_OF(loop->tasks.next, struct loop_task, link);
        list_remove(&task->link);
        task->fn(task->context);
    }
}

static bool is_due(const struct loop *loop)
{
    return !list_empty(&loop->timers) &&
           CONTAINER_OF(loop->timers.next, struct loop_timer, link)->at_ns <= now_ns;
}

void fake_loop_advance(struct loop *loop, uint64_t ms)
{
    uint64_t until_ns = now_ns + ms * NS_PER_MS;
    fake_loop_settle(loop);
    while (!list_empty(&loop->timers)) {
        struct loop_timer *timer = CONTAINER_OF(loop->timers.next, struct loop_timer, link);
        if (timer->at_ns > until_ns)
            break;
        now_ns = timer->at_ns > now_ns ? timer->at_ns : now_ns;
        list_remove(&timer->link);
        timer->fn(timer->context);
        if (!is_due(loop)) /* all timers of a moment come before a task, as they do in libuv */
            fake_loop_settle(loop);
    }
    now_ns = until_ns;
}

size_t fake_loop_objects(const struct loop *loop)
{
    return loop->objects;
}
