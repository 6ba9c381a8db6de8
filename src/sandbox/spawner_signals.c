/* SPDX-License-Identifier: MIT */
/* spawner_signals.c — signals for the program of a box.
 *
 * A front hears that a box has started before its init has forked the program. What is
 * sent in between is owed, and tried again from the loop until the program is there.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"

/* How long a box may take to its program; one that has ended has none either. */
#define OWED_FOR_NS NS_PER_S

/* The program is init's first child: it lives as long as it has not been
 * reaped, and init does nothing after that but end. 0 when there is none. */
static pid_t find_program(const struct spawner *spawner, const struct spawner_stage *stage)
{
    char path[64];
    char text[24] = ""; /* the first of them: orphans that init has taken over come behind it */
    (void)snprintf(path, sizeof path, "%d/task/%d/children", stage->pid, stage->pid);
    auto_close int children = openat(spawner->proc_fd, path, O_RDONLY | O_CLOEXEC);
    if (children < 0 || read(children, text, sizeof text - 1) <= 0)
        return 0;
    return (pid_t)strtol(text, NULL, 10);
}

static uint64_t bit_of(int signal)
{
    return UINT64_C(1) << (signal - 1);
}

/* False when there is no program yet, or none any more. */
static bool send_owed(const struct spawner *spawner, struct spawner_stage *stage)
{
    pid_t program = find_program(spawner, stage);
    if (program <= 0)
        return false;
    auto_close int pidfd = (int)syscall(SYS_pidfd_open, program, 0);
    /* Asked again: the number may have passed to another process in between. */
    if (pidfd < 0 || find_program(spawner, stage) != program)
        return false;
    for (int signal = 1; signal <= SIGNALS_MAX; signal++) {
        if (stage->signals_owed & bit_of(signal))
            (void)sys_pidfd_send_signal(pidfd, signal);
    }
    stage->signals_owed = 0;
    return true;
}

void spawner_signal_stage(struct spawner *spawner, struct spawner_stage *stage, int signal)
{
    if (stage->pidfd < 0)
        return;
    if (stage->signals_owed == 0)
        stage->signals_until_ns = spawner_now_ns() + OWED_FOR_NS;
    stage->signals_owed |= bit_of(signal);
    (void)send_owed(spawner, stage);
}

bool spawner_send_signals(struct spawner *spawner)
{
    bool some_are_owed = false;
    list_for_each (link, &spawner->stages) {
        struct spawner_stage *stage = CONTAINER_OF(link, struct spawner_stage, link);
        if (stage->signals_owed == 0 || send_owed(spawner, stage))
            continue;
        if (stage->pidfd < 0 || spawner_now_ns() >= stage->signals_until_ns)
            stage->signals_owed = 0;
        else
            some_are_owed = true;
    }
    return some_are_owed;
}
