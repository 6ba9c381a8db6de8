/* SPDX-License-Identifier: MIT */
#include "cli/shared_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "os/fd.h"

struct shared_watch {
    int epoll_fd;             /* -1: always ready */
    struct loop_watch *watch; /* on epoll_fd */
    struct loop_task *task;   /* when always ready */
    bool enabled;
    loop_fn *fn;
    void *context;
};

static void on_ready(void *context, unsigned ready)
{
    struct shared_watch *watch = context;
    (void)ready;
    watch->fn(watch->context);
}

static void on_turn(void *context)
{
    struct shared_watch *watch = context;
    if (!watch->enabled)
        return;
    loop_task_schedule(watch->task); /* before the call, which may free the watch */
    watch->fn(watch->context);
}

static int open_epoll(int fd, unsigned events)
{
    struct epoll_event event = {.events = events == LOOP_READ ? EPOLLIN : EPOLLOUT};
    auto_close int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    return take_fd(&epoll_fd);
}

struct shared_watch *shared_watch_new(struct loop *loop, int fd, unsigned events, loop_fn *fn,
                                      void *context)
{
    struct shared_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    *watch = (struct shared_watch){.fn = fn, .context = context};
    watch->epoll_fd = open_epoll(fd, events);
    if (watch->epoll_fd >= 0) {
        watch->watch = loop_watch_new(loop, watch->epoll_fd, 0, on_ready, watch);
    } else if (watch->epoll_fd == -EPERM) {
        watch->task = loop_task_new(loop, on_turn, watch);
    } else {
        errno = -watch->epoll_fd;
        cleanup_free(&watch);
        return NULL;
    }
    return watch;
}

void shared_watch_enable(struct shared_watch *watch, bool enabled)
{
    watch->enabled = enabled;
    if (watch->watch)
        loop_watch_set(watch->watch, enabled ? LOOP_READ : 0);
    else if (enabled)
        loop_task_schedule(watch->task);
}

bool shared_watch_always_ready(const struct shared_watch *watch)
{
    return watch->task != NULL;
}

void shared_watch_free(struct shared_watch *watch)
{
    if (!watch)
        return;
    loop_watch_free(watch->watch);
    loop_task_free(watch->task);
    fd_close(&watch->epoll_fd);
    free(watch);
}
