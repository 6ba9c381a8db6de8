/* SPDX-License-Identifier: MIT
 * row: 39 prio
 * expect: succeeded
 * stdout: ^nice -20: (EPERM|EACCES)$
 * stdout: ^fifo: EPERM$
 * stdout: ^round robin: EPERM$
 * stdout: ^deadline: (EPERM|ENOSYS)$
 * stdout: ^real-time disk: (EPERM|ENOSYS)$
 * stdout: ^oom_score_adj: (EACCES|EPERM|ENOENT)$
 * layer: identity, seccomp, users
 */
#include "saw.h"
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>

struct deadline {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static long write_text(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    return file < 0 ? file : write(file, text, strlen(text));
}

int main(void)
{
    struct sched_param highest = {.sched_priority = 99};
    struct deadline deadline = {sizeof deadline, 6, 0, 0, 0, 1000000, 2000000, 2000000};
    saw_refused("nice -20", setpriority(PRIO_PROCESS, 0, -20));
    saw_refused("fifo", sched_setscheduler(0, SCHED_FIFO, &highest));
    saw_refused("round robin", sched_setscheduler(0, SCHED_RR, &highest));
    saw_refused("deadline", syscall(SYS_sched_setattr, 0, &deadline, 0));
    saw_refused("real-time disk", syscall(SYS_ioprio_set, 1, 0, 1 << 13));
    /* Harder to kill than its neighbours. */
    saw_refused("oom_score_adj", write_text("/proc/self/oom_score_adj", "-1000"));
    return 0;
}
