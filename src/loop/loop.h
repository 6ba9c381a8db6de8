/* SPDX-License-Identifier: MIT */
/* loop.h — one thread, one event loop (libuv's), callbacks that never block.
 *
 *     struct loop_timer *timer = loop_timer_new(loop, on_late, run);
 *     loop_timer_start(timer, 2000);
 *     …
 *     loop_timer_free(timer);
 *
 * Lifetime rule: after loop_*_free() returned, the callback is never called
 * again, and the owner's memory may go at once. (libuv itself releases a handle
 * only in its close callback; these objects keep that to themselves.) A
 * callback may free its own object. Freeing NULL is allowed.
 *
 * Making one of these never fails: there is a reserve (base/reserve.h) for when
 * memory is short. Behind its end the process ends, too: they are made a few at a
 * time, and a service that cannot have a timer cannot keep its promises.
 */
#ifndef RUNNEL_LOOP_LOOP_H
#define RUNNEL_LOOP_LOOP_H

#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;
struct loop_signal;
struct loop_task;
struct loop_wake;

struct loop *loop_new(void);
void loop_free(struct loop *loop); /* every object made on it must be freed first */
void loop_run(struct loop *loop);  /* until loop_stop, or no object is active any more */
void loop_stop(struct loop *loop);
uint64_t loop_now_ns(void); /* CLOCK_MONOTONIC, never the wall clock */

/* The descriptor stays the caller's, becomes non-blocking, and has one watch at
 * most; free the watch before closing it. Level-triggered: fn is called as long
 * as there is something to read (or the end, or an error) or room to write. A
 * file or /dev/null is always ready. */
enum { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void loop_watch_fn(void *context, unsigned ready);
struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned events, loop_watch_fn *fn,
                                  void *context);
void loop_watch_set(struct loop_watch *watch, unsigned events); /* 0 pauses it */
void loop_watch_free(struct loop_watch *watch);

typedef void loop_fn(void *context);
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *context);
/* Once, `ms` from now or a little later, never earlier; starting again restarts. */
void loop_timer_start(struct loop_timer *timer, uint64_t ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

typedef void loop_signal_fn(void *context, int signal);
struct loop_signal *loop_signal_new(struct loop *loop, int signal, loop_signal_fn *fn,
                                    void *context);
void loop_signal_free(struct loop_signal *signal);

/* Calls fn once, soon, from the loop: for what must not happen inside the
 * caller's stack. Tasks run in the order of scheduling; descriptors and timers
 * have their turn before a task that schedules itself runs again. Scheduling a
 * task that is already scheduled does nothing. */
struct loop_task *loop_task_new(struct loop *loop, loop_fn *fn, void *context);
void loop_task_schedule(struct loop_task *task);
void loop_task_unschedule(struct loop_task *task);
void loop_task_free(struct loop_task *task);

/* Calls `work` on a thread of a small pool, where it may block, and `done` from the
 * loop afterwards. It cannot be taken back: `done` always comes (loop_free waits for
 * it), so `context` must live that long. */
void loop_work(struct loop *loop, loop_fn *work, loop_fn *done, void *context);
/* Starts the threads of that pool now. They come with the first work, and a process that gets
 * none then ends: a service begins with them. */
void loop_start_threads(struct loop *loop);

/* For a thread that has news for the loop: fn is called soon after loop_wake, once or
 * several times for several calls. loop_wake alone may be called from any thread, and
 * must not any more once loop_wake_free was. */
struct loop_wake *loop_wake_new(struct loop *loop, loop_fn *fn, void *context);
void loop_wake(struct loop_wake *wake);
void loop_wake_free(struct loop_wake *wake);

#endif
