/* SPDX-License-Identifier: MIT */
/* box_child.h — a child in a pid namespace of its own, for the live tests: what
 * it forks dies with it, whatever a test does wrong. */
#ifndef RUNNEL_TESTS_BOX_CHILD_H
#define RUNNEL_TESTS_BOX_CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/sys.h"
#include "sandbox/cgroup.h"

/* Runs `work` as pid 1 of a new namespace; its result is the exit status. With
 * a group it is attached first, as a box would be; 99: that failed. */
static inline pid_t start_child(const struct cgroup *cgroup, int (*work)(void))
{
    int attach[CGROUP_ATTACH_MAX];
    size_t attach_count = cgroup ? cgroup_attach_fds(cgroup, attach) : 0;
    struct clone_args args = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
    if (cgroup && cgroup_clone_fd(cgroup) >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (unsigned)cgroup_clone_fd(cgroup);
    }
    pid_t pid = sys_clone3(&args);
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < attach_count; i++)
        if (write(attach[i], "0", 1) != 1)
            _exit(99);
    _exit(work());
}

/* The exit status, or 128 + the signal. */
static inline int wait_child(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int run_child(const struct cgroup *cgroup, int (*work)(void))
{
    return wait_child(start_child(cgroup, work));
}

static inline void kill_child(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)wait_child(pid);
}

static inline uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

#endif
