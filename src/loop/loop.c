/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/reserve.h"
#include "loop/loop_private.h"

/* Theory: the owner frees an object at once, libuv releases a handle only in a
 * later turn. So each object that holds a handle lives on, closing, until
 * loop_on_closed; uv_close promises that no other callback comes in between. Tasks
 * need no handle of their own: they stand in one list, and a single idle handle
 * keeps the loop turning, without waiting, while the list has members. */

struct loop_task {
    struct list link;
    struct loop *loop;
    loop_fn *fn;
    void *context;
};

struct loop_watch {
    uv_poll_t poll;
    struct loop *loop;
    struct loop_task *always; /* instead of poll: epoll refuses files and /dev/null */
    unsigned events;
    loop_watch_fn *fn;
    void *context;
};

struct loop_timer {
    uv_timer_t timer;
    struct loop *loop;
    uint64_t due_ns;
    loop_fn *fn;
    void *context;
};

struct loop_signal {
    uv_signal_t signal;
    struct loop *loop;
    loop_signal_fn *fn;
    void *context;
};

void loop_check_or_die(int rc, const char *what)
{
    if (rc >= 0)
        return;
    (void)fprintf(stderr, "runnel: event loop: %s: %s\n", what, uv_strerror(rc));
    if (rc == UV_EMFILE || rc == UV_ENFILE || rc == UV_ENOMEM)
        _exit(EX_OSERR); /* the host's want, and no fault of ours that a core would show */
    abort();
}

void *loop_alloc_or_die(size_t size)
{
    void *object = reserve_take(size);
    loop_check_or_die(object ? 0 : UV_ENOMEM, "allocation");
    return object;
}

void *loop_new_object(struct loop *loop, size_t size)
{
    void *object = loop_alloc_or_die(size);
    loop->objects++;
    return object;
}

void loop_on_closed(uv_handle_t *handle)
{
    reserve_give(handle);
}

static_assert(offsetof(struct loop_watch, poll) == 0, "loop_on_closed frees the handle's object");
static_assert(offsetof(struct loop_timer, timer) == 0, "loop_on_closed frees the handle's object");
static_assert(offsetof(struct loop_signal, signal) == 0,
              "loop_on_closed frees the handle's object");

static void on_idle(uv_idle_t *idle)
{
    struct loop *loop = CONTAINER_OF(idle, struct loop, idle);
    /* Only what is scheduled by now: a task that schedules itself again has to
     * wait for the next turn, or descriptors and timers would starve. The mark
     * is a member itself, since a task may free any other. */
    list_append(&loop->tasks, &loop->mark);
    while (loop->tasks.next != &loop->mark) {
        struct loop_task *task = CONTAINER_OF(loop->tasks.next, struct loop_task, link);
        list_remove(&task->link);
        task->fn(task->context);
    }
    list_remove(&loop->mark);
    if (list_empty(&loop->tasks))
        (void)uv_idle_stop(idle);
}

struct loop *loop_new(void)
{
    struct loop *loop = loop_alloc_or_die(sizeof *loop);
    loop_check_or_die(uv_os_setenv("UV_THREADPOOL_SIZE", LOOP_POOL_THREADS), "start");
    list_init(&loop->tasks);
    list_init(&loop->mark);
    loop_check_or_die(uv_loop_init(&loop->uv), "start");
    loop_check_or_die(uv_idle_init(&loop->uv, &loop->idle), "start");
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    assert(loop->objects == 0);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    /* Nothing but closing handles and the pool's work is left, so this ends; a
     * signal still in libuv's pipe takes it more than one turn. */
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        ;
    loop_check_or_die(uv_loop_close(&loop->uv), "end");
    reserve_give(loop);
}

void loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t loop_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int poll_events(unsigned events)
{
    return (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *watch = CONTAINER_OF(poll, struct loop_watch, poll);
    unsigned ready = watch->events;
    if (status < 0) {
        /* An error of the descriptor, which the owner learns by reading or
         * writing. libuv has stopped the watch; level-triggered means that the
         * owner is told again, as long as there is anything to be told. */
        loop_check_or_die(uv_poll_start(poll, poll_events(watch->events), on_poll), "watch");
    } else {
        ready = (events & UV_READABLE ? LOOP_READ : 0U) | (events & UV_WRITABLE ? LOOP_WRITE : 0U);
    }
    watch->fn(watch->context, ready);
}

static void on_always_ready(void *context)
{
    struct loop_watch *watch = context;
    loop_task_schedule(watch->always); /* first: fn may free the watch, or pause it */
    watch->fn(watch->context, watch->events);
}

struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned events, loop_watch_fn *fn,
                                  void *context)
{
    struct loop_watch *watch = loop_new_object(loop, sizeof *watch);
    watch->loop = loop;
    watch->fn = fn;
    watch->context = context;
    int rc = uv_poll_init(&loop->uv, &watch->poll, fd);
    if (rc == UV_EPERM)
        watch->always = loop_task_new(loop, on_always_ready, watch);
    else
        loop_check_or_die(rc, "watch");
    loop_watch_set(watch, events);
    return watch;
}

void loop_watch_set(struct loop_watch *watch, unsigned events)
{
    if (events == watch->events)
        return;
    watch->events = events;
    if (!watch->always)
        loop_check_or_die(uv_poll_start(&watch->poll, poll_events(events), on_poll), "watch");
    else if (events)
        loop_task_schedule(watch->always);
    else
        loop_task_unschedule(watch->always);
}

void loop_watch_free(struct loop_watch *watch)
{
    if (!watch)
        return;
    watch->loop->objects--;
    if (watch->always) {
        loop_task_free(watch->always);
        reserve_give(watch);
        return;
    }
    uv_close((uv_handle_t *)&watch->poll, loop_on_closed);
}

static void on_timer(uv_timer_t *handle);

/* One more than asked: libuv counts from a clock cut to whole ms, and a timer
 * that it finds due in the turn it was started in would starve descriptors. */
static void start_timer(struct loop_timer *timer, uint64_t ms)
{
    uv_update_time(&timer->loop->uv); /* else "now" is when this turn began */
    loop_check_or_die(uv_timer_start(&timer->timer, on_timer, ms < UINT64_MAX ? ms + 1 : ms, 0),
                      "timer");
}

static void on_timer(uv_timer_t *handle)
{
    struct loop_timer *timer = CONTAINER_OF(handle, struct loop_timer, timer);
    uint64_t now = loop_now_ns();
    /* libuv may read a coarse clock, some ms behind: a limit is never early. */
    if (now < timer->due_ns)
        start_timer(timer, (timer->due_ns - now) / NS_PER_MS);
    else
        timer->fn(timer->context);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *context)
{
    struct loop_timer *timer = loop_new_object(loop, sizeof *timer);
    timer->loop = loop;
    timer->fn = fn;
    timer->context = context;
    loop_check_or_die(uv_timer_init(&loop->uv, &timer->timer), "timer");
    return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
    if (__builtin_mul_overflow(ms, NS_PER_MS, &timer->due_ns) ||
        __builtin_add_overflow(timer->due_ns, loop_now_ns(), &timer->due_ns))
        timer->due_ns = UINT64_MAX;
    start_timer(timer, ms);
}

void loop_timer_stop(struct loop_timer *timer)
{
    (void)uv_timer_stop(&timer->timer);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    timer->loop->objects--;
    uv_close((uv_handle_t *)&timer->timer, loop_on_closed);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct loop_signal *signal = CONTAINER_OF(handle, struct loop_signal, signal);
    signal->fn(signal->context, number);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, loop_signal_fn *fn,
                                    void *context)
{
    struct loop_signal *signal = loop_new_object(loop, sizeof *signal);
    signal->loop = loop;
    signal->fn = fn;
    signal->context = context;
    loop_check_or_die(uv_signal_init(&loop->uv, &signal->signal), "signal");
    loop_check_or_die(uv_signal_start(&signal->signal, on_signal, number), "signal");
    return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
    if (!signal)
        return;
    signal->loop->objects--;
    uv_close((uv_handle_t *)&signal->signal, loop_on_closed);
}

struct loop_task *loop_task_new(struct loop *loop, loop_fn *fn, void *context)
{
    struct loop_task *task = loop_new_object(loop, sizeof *task);
    list_init(&task->link);
    task->loop = loop;
    task->fn = fn;
    task->context = context;
    return task;
}

void loop_task_schedule(struct loop_task *task)
{
    if (!list_empty(&task->link))
        return;
    list_append(&task->loop->tasks, &task->link);
    (void)uv_idle_start(&task->loop->idle, on_idle);
}

void loop_task_unschedule(struct loop_task *task)
{
    list_remove(&task->link);
    if (list_empty(&task->loop->tasks))
        (void)uv_idle_stop(&task->loop->idle);
}

void loop_task_free(struct loop_task *task)
{
    if (!task)
        return;
    loop_task_unschedule(task);
    task->loop->objects--;
    reserve_give(task);
}
