/* SPDX-License-Identifier: MIT */
/* spawner_look.c — a look into a box is a process, for which nobody waits.
 *
 * What a program does can hold up whoever looks at it: the kernel tells of a task's
 * call and memory only when no execve of that task is at work, and that one may free
 * 200 MiB first, at whatever pace the program's other processes leave to it: minutes.
 * So the spawner does not look itself. It clones itself, the copy looks
 * (spawner_waiting.c), and its exit status is the answer.
 *
 *     asked ──► cloned ──┬──► ended: the answer
 *                        ├──► takes too long: killed; the answer is no
 *                        └──► its box has ended: killed; nobody is told
 *
 * A look that was killed is kept until it is dead, and its box gets no other one
 * meanwhile.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"

/* Its work is bounded in spawner_waiting.c, a hundred times lower: this is for one that
 * is held up. */
#define LOOK_WAITS_NS NS_PER_S

enum {
    REST_FACTOR = 20, /* looks at a box take at most a twentieth of a processor */
    FD_PROC = STDERR_FILENO + 1,
    DEATH_WAIT_MS = 5000,
};

/* What is the spawner's must end with it: the socket, its users' names. So the copy keeps
 * /proc alone, and does not outlive it. */
static bool shed(const struct spawner *spawner, pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent &&
           dup2(spawner->proc_fd, FD_PROC) == FD_PROC && sys_close_range(FD_PROC + 1, ~0U, 0) == 0;
}

static void answer(struct spawner_stage *stage, bool waiting)
{
    stage->waiting = waiting;
    stage->owed |= 1U << REPLY_PROBED;
}

static int begin(struct spawner *spawner, struct spawner_stage *stage)
{
    struct spawner_look *look = calloc(1, sizeof *look);
    if (!look)
        return -ENOMEM;
    pid_t parent = getpid();
    struct clone_args args = {
        .flags = CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&look->pidfd,
        .exit_signal = SIGCHLD,
    };
    look->pid = sys_clone3(&args);
    if (look->pid == 0)
        _exit(shed(spawner, parent) && spawner_sees_waiting(FD_PROC, stage));
    if (look->pid < 0) {
        int rc = look->pid;
        free(look);
        return rc;
    }
    look->stage = stage;
    look->since_ns = spawner_now_ns();
    stage->look = look;
    list_append(&spawner->looks, &look->link);
    spawner->look_count++;
    return 0;
}

/* No more looks than boxes, also when those of ended ones do not die. */
void spawner_probe_stage(struct spawner *spawner, struct spawner_stage *stage)
{
    if (stage->pidfd < 0)
        return;
    if (stage->look && !stage->look->killed)
        return; /* its answer is this one's, too */
    if (stage->look || spawner_now_ns() < stage->probe_after_ns ||
        spawner->look_count >= spawner->settings.max_boxes || begin(spawner, stage) < 0)
        answer(stage, false);
}

static void kill_look(struct spawner_look *look)
{
    look->killed = true;
    (void)sys_pidfd_send_signal(look->pidfd, SIGKILL);
}

static uint64_t cpu_ns(const struct rusage *usage)
{
    return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * NS_PER_S +
           (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

static void end(struct spawner *spawner, struct spawner_look *look, int status,
                const struct rusage *usage)
{
    struct spawner_stage *stage = look->stage;
    if (stage) {
        stage->look = NULL;
        stage->probe_after_ns = spawner_now_ns() + cpu_ns(usage) * REST_FACTOR;
    }
    if (stage && !look->killed)
        answer(stage, WIFEXITED(status) && WEXITSTATUS(status) == 1);
    list_remove(&look->link);
    spawner->look_count--;
    fd_close(&look->pidfd);
    free(look);
}

void spawner_reap_looks(struct spawner *spawner)
{
    list_for_each_safe (link, following, &spawner->looks) {
        struct spawner_look *look = CONTAINER_OF(link, struct spawner_look, link);
        int status = 0;
        struct rusage usage = {0};
        if (wait4(look->pid, &status, __WALL | WNOHANG, &usage) == look->pid)
            end(spawner, look, status, &usage);
    }
}

int spawner_hurry_looks(struct spawner *spawner)
{
    uint64_t now = spawner_now_ns();
    uint64_t next = UINT64_MAX;
    list_for_each (link, &spawner->looks) {
        struct spawner_look *look = CONTAINER_OF(link, struct spawner_look, link);
        uint64_t due = look->since_ns + LOOK_WAITS_NS;
        if (look->killed)
            continue;
        if (due > now) {
            next = MIN(next, due);
            continue;
        }
        kill_look(look);
        answer(look->stage, false);
    }
    return next == UINT64_MAX ? -1 : (int)((next - now) / NS_PER_MS) + 1;
}

void spawner_leave_look(struct spawner_stage *stage)
{
    if (!stage->look)
        return;
    kill_look(stage->look);
    stage->look->stage = NULL;
    stage->look = NULL;
}

/* One that the kernel does not let die is the machine's: no box hangs on it. */
void spawner_drop_looks(struct spawner *spawner)
{
    list_for_each (link, &spawner->looks) {
        struct spawner_look *look = CONTAINER_OF(link, struct spawner_look, link);
        struct pollfd dead = {.fd = look->pidfd, .events = POLLIN};
        kill_look(look);
        while (poll(&dead, 1, DEATH_WAIT_MS) < 0 && errno == EINTR)
            continue;
    }
    spawner_reap_looks(spawner);
}
