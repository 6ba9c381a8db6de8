/* SPDX-License-Identifier: MIT
 * row: 21 epollbomb
 * expect: succeeded
 * stdout: ^epoll: EMFILE$
 * stdout: ^timerfd: EMFILE$
 * stdout: ^eventfd: EMFILE$
 * limits: timeout=10s
 * layer: rlimits
 */
#include "saw.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static int new_epoll(void)
{
    return epoll_create1(0);
}

static int new_timerfd(void)
{
    return timerfd_create(CLOCK_MONOTONIC, 0);
}

static int new_eventfd(void)
{
    return eventfd(0, 0);
}

static void until_refused(const char *what, int (*make)(void))
{
    int last = 0;
    for (int i = 0; i < 100000 && last >= 0; i++)
        last = make();
    saw_refused(what, last);
    for (int i = 3; i < 70000; i++)
        close(i);
}

int main(void)
{
    until_refused("epoll", new_epoll);
    until_refused("timerfd", new_timerfd);
    until_refused("eventfd", new_eventfd);
    return 0;
}
