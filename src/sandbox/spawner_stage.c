/* SPDX-License-Identifier: MIT */
/* spawner_stage.c — the life of one box: what it needs is taken, it is cloned,
 * its end is read from the kernel, what it had is given back.
 *
 * The order at the end is the budget's: the reaping of pid 1 is the moment at
 * which the box is empty; the front is told; only then come the slow parts.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/reserve.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"
#include "sandbox/weakened.h"

enum { DEATH_WAIT_MS = 5000 };

struct spawner_stage *spawner_find_stage(struct spawner *spawner, uint32_t id)
{
    list_for_each (link, &spawner->stages) {
        struct spawner_stage *stage = CONTAINER_OF(link, struct spawner_stage, link);
        if (stage->id == id)
            return stage;
    }
    return NULL;
}

static void fail_stage(struct spawner_stage *stage, const char *step, int errnum)
{
    (void)snprintf(stage->end.failed_step, sizeof stage->end.failed_step, "%s", step);
    stage->end.failed_errno = errnum;
    stage->owed |= 1U << REPLY_ENDED;
}

/* The limits that this process or the kernel enforces; the front keeps the rest. */
static bool under_ceiling(const struct spawner *spawner, const struct limits *limits)
{
    static const enum limit enforced[] = {LIMIT_CPUS,      LIMIT_CPU_TIME,  LIMIT_MEMORY,
                                          LIMIT_PROCESSES, LIMIT_FILE_SIZE, LIMIT_OPEN_FILES,
                                          LIMIT_STACK};
    for (size_t i = 0; i < ARRAY_LEN(enforced); i++) {
        uint64_t ceiling = spawner->settings.ceiling.value[enforced[i]];
        uint64_t value = limits->value[enforced[i]];
        if (ceiling != 0 && (value == 0 || value > ceiling))
            return false;
    }
    return true;
}

static int take_group(struct spawner *spawner, struct spawner_stage *stage,
                      const struct limits *limits)
{
    struct err err = {0};
    uint64_t processes = limits->value[LIMIT_PROCESSES];
    struct cgroup_limits wanted = {
        .memory_bytes = limits->value[LIMIT_MEMORY],
        .processes = processes > 0 ? processes + 1 : 0, /* and the box's init */
        .cpu_milli = limits->value[LIMIT_CPUS],
    };
    if (!spawner->groups || !step_is_on("cgroup"))
        return 0;
    stage->group = cgroup_take(spawner->groups, &wanted, &err);
    if (!stage->group)
        spawner_log("error", "cgroup_unavailable", err.text);
    return stage->group ? 0 : -(err.sys ? err.sys : EIO);
}

static int take_network(struct spawner *spawner, struct spawner_stage *stage)
{
    struct err err = {0};
    if (!spawner->networks || !step_is_on("network"))
        return 0;
    stage->netns = netns_take(spawner->networks, &err);
    if (!stage->netns)
        spawner_log("error", "network_unavailable", err.text);
    return stage->netns ? 0 : -(err.sys ? err.sys : EIO);
}

/* So that the program may open /dev/stdout: the pipe is its own. */
static int give_streams(const struct spawner_stage *stage, const int stdio[3])
{
    uid_t uid = stage->workspace->uid;
    for (int i = 0; uid != 0 && i < 3; i++) {
        if (fchown(stdio[i], uid, uid) < 0)
            return -errno;
    }
    return 0;
}

static void fill_plan(const struct spawner *spawner, const struct spawner_stage *stage,
                      const struct stage_start_message *message, struct box_plan *plan)
{
    uint64_t memory = message->limits.value[LIMIT_MEMORY];
    uint64_t scratch = stage->workspace->bytes;
    if (memory > 0)
        scratch = MIN(scratch, memory / 2);
    *plan = (struct box_plan){
        .spawner = spawner->self,
        .netns = stage->netns ? netns_fd(stage->netns) : -1,
        .mntns = message->rootfs > 0 ? spawner->trees[message->rootfs - 1] : -1,
        .privileged = spawner->privileged,
        .skip = spawner->skip,
        .host_uid = stage->workspace->uid,
        .host_gid = stage->workspace->uid,
        .whole_proc = message->flags & STAGE_FLAG_WHOLE_PROC,
        .tty = message->flags & STAGE_FLAG_TTY,
        .landlock_abi = spawner->landlock_abi,
        .limits = message->limits,
        .filter = (const struct sock_filter *)(const void *)spawner->settings.seccomp_program.at,
        .filter_count = spawner->settings.seccomp_program.len / sizeof(struct sock_filter),
        .argv = (char *const *)message->argv,
        .env = (char *const *)message->env,
    };
    if (stage->group)
        plan->cgroup_attach_count = cgroup_attach_fds(stage->group, plan->cgroup_attach);
    (void)snprintf(plan->tmp_options, sizeof plan->tmp_options,
                   "mode=1777,size=%" PRIu64 ",nr_inodes=%" PRIu64, scratch,
                   stage->workspace->inodes);
    (void)snprintf(plan->uid_map, sizeof plan->uid_map, "%d %u 1", BOX_UID, plan->host_uid);
    (void)snprintf(plan->gid_map, sizeof plan->gid_map, "%d %u 1", BOX_GID, plan->host_gid);
}

static int clone_box(struct spawner_stage *stage, const struct box_plan *plan)
{
    struct clone_args args = {
        .flags = box_clone_flags(plan) | (uint64_t)CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&stage->pidfd,
        .exit_signal = SIGCHLD,
    };
    int group = stage->group ? cgroup_clone_fd(stage->group) : -1;
    if (group >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (unsigned)group;
    }
    stage->since_ns = spawner_now_ns();
    pid_t pid = sys_clone3(&args);
    if (pid == 0)
        box_init(plan);
    if (pid < 0) {
        stage->pidfd = -1;
        return pid;
    }
    stage->pid = pid;
    stage->owed |= 1U << REPLY_STARTED;
    return 0;
}

/* The parts of a start, in their order; the name is what a failure is told by. */
static int launch(struct spawner *spawner, struct spawner_stage *stage,
                  const struct stage_start_message *message, const int stdio[3],
                  int (*continue_with)(const struct box_plan *plan), const char **ret_step)
{
    struct box_plan plan;
    *ret_step = "workspace";
    if (stage->workspace->error < 0)
        return stage->workspace->error;
    *ret_step = "ceiling";
    if (!under_ceiling(spawner, &message->limits))
        return -EPERM;
    *ret_step = "boxes";
    if (spawner->stage_count > spawner->settings.max_boxes)
        return -EAGAIN;
    *ret_step = "cgroup of its own";
    int rc = take_group(spawner, stage, &message->limits);
    if (rc < 0)
        return rc;
    *ret_step = "network of its own";
    rc = take_network(spawner, stage);
    if (rc < 0)
        return rc;
    *ret_step = "streams";
    rc = give_streams(stage, stdio);
    if (rc < 0)
        return rc;
    spawner_note_input(stage, stdio[STDIN_FILENO]);
    *ret_step = "workspace's mount";
    auto_close int mount = workspace_clone(&stage->workspace->mount);
    if (mount < 0)
        return mount;
    *ret_step = "report pipe";
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    stage->report = pipe_fds[0];
    auto_close int report = pipe_fds[1];
    fill_plan(spawner, stage, message, &plan);
    plan.workspace_mount = mount;
    plan.report = report;
    plan.continue_with = continue_with;
    memcpy(plan.stdio, stdio, sizeof plan.stdio);
    *ret_step = "clone";
    return clone_box(stage, &plan);
}

struct spawner_stage *spawner_start_stage(struct spawner *spawner, uint32_t id,
                                          struct spawner_workspace *workspace,
                                          const struct stage_start_message *message, int stdio[3],
                                          int (*continue_with)(const struct box_plan *plan))
{
    struct spawner_stage *stage = reserve_take(sizeof *stage);
    if (!stage)
        return NULL;
    *stage = (struct spawner_stage){
        .id = id,
        .workspace = workspace,
        .pidfd = -1,
        .report = -1,
        .failed_layer = -1,
        .end = {.kind = REPLY_ENDED, .id = id},
    };
    list_append(&spawner->stages, &stage->link);
    spawner->stage_count++;
    workspace->stages++;
    const char *step = "";
    int rc = launch(spawner, stage, message, stdio, continue_with, &step);
    if (rc < 0)
        fail_stage(stage, step, -rc);
    return stage;
}

/* The others die by init's death, for which it must run: not in a queue behind all of
 * them, nor where they have put it. Without the right to it, it takes longer. */
static void put_first(pid_t init)
{
    static const struct sched_param none;
    (void)sched_setscheduler(init, SCHED_OTHER, &none);
    (void)setpriority(PRIO_PROCESS, (id_t)init, -20);
}

void spawner_kill_stage(struct spawner_stage *stage)
{
    if (stage->pidfd < 0)
        return;
    if (stage->group)
        cgroup_lift_cpu_limit(stage->group);
    put_first(stage->pid);
    (void)sys_pidfd_send_signal(stage->pidfd, SIGKILL);
}

/* Where a group above it ran out, each box below is told. One that has lost a process
 * ends as a whole, which is not its own doing; the others go on. */
void spawner_note_oom(struct spawner_stage *stage)
{
    struct cgroup_usage usage;
    cgroup_oom_clear(stage->group);
    stage->out_of_memory |= cgroup_ran_out(stage->group);
    if (stage->out_of_memory || (cgroup_usage(stage->group, &usage) == 0 && usage.oom_kills > 0))
        spawner_kill_stage(stage);
}

static int read_usage(const struct spawner_stage *stage, struct sandbox_usage *ret_usage,
                      struct cgroup_usage *ret_group)
{
    *ret_group = (struct cgroup_usage){0};
    int rc = stage->group ? cgroup_usage(stage->group, ret_group) : 0;
    if (rc < 0)
        return rc;
    *ret_usage = (struct sandbox_usage){
        .wall_ns = spawner_now_ns() - stage->since_ns,
        .cpu_ns = ret_group->cpu_ns,
        .memory_bytes = ret_group->memory_bytes,
        .memory_peak_bytes = ret_group->memory_peak_bytes,
    };
    return 0;
}

void spawner_sample_stage(struct spawner_stage *stage)
{
    struct cgroup_usage group;
    if (stage->pidfd < 0)
        return;
    (void)read_usage(stage, &stage->sample, &group); /* else the last one is told again */
    stage->owed |= 1U << REPLY_SAMPLED;
}

/* What init said about the program, or else how init itself ended: it is killed
 * by us, by the kernel when memory runs out, or by the host's owner. */
static void read_outcome(struct spawner_stage *stage, int init_status)
{
    struct box_report report;
    struct sandbox_reply *end = &stage->end;
    int status = init_status;
    ssize_t got = fd_read_full(stage->report, &report, sizeof report);
    if (got == (ssize_t)sizeof report) {
        memcpy(end->failed_step, report.failed_step, sizeof end->failed_step - 1);
        end->failed_errno = report.failed_errno;
        stage->failed_layer = report.layer;
        status = report.wait_status;
    } else if (!WIFSIGNALED(init_status)) {
        fail_stage(stage, "init", EPROTO);
    }
    end->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void spawner_end_stage(struct spawner *spawner, struct spawner_stage *stage)
{
    int status = 0;
    struct rusage rusage = {0};
    struct cgroup_usage group;
    (void)spawner;
    pid_t ended = 0;
    do
        ended = wait4(stage->pid, &status, __WALL, &rusage);
    while (ended < 0 && errno == EINTR);
    if (ended != stage->pid)
        return;
    fd_close(&stage->pidfd);
    spawner_leave_look(stage);
    read_outcome(stage, status);
    /* Without its figures nobody knows whether it was killed for its memory. */
    int rc = read_usage(stage, &stage->end.usage, &group);
    if (rc < 0 && stage->end.failed_step[0] == '\0')
        fail_stage(stage, "figures", -rc);
    if (!stage->group) {
        stage->end.usage.cpu_ns =
            (uint64_t)(rusage.ru_utime.tv_sec + rusage.ru_stime.tv_sec) * NS_PER_S +
            (uint64_t)(rusage.ru_utime.tv_usec + rusage.ru_stime.tv_usec) * 1000;
        stage->end.usage.memory_peak_bytes = (uint64_t)rusage.ru_maxrss * KIB;
    }
    if (group.oom_kills > 0 && !stage->out_of_memory)
        stage->out_of_memory = cgroup_ran_out(stage->group);
    stage->end.out_of_memory = stage->out_of_memory;
    stage->end.starved = group.oom_kills > 0 && !stage->out_of_memory;
    stage->end.process_limit_hits = group.process_limit_hits;
    stage->end.workspace_full = workspace_is_full(&stage->workspace->mount);
    stage->owed |= 1U << REPLY_ENDED;
}

void spawner_free_stage(struct spawner *spawner, struct spawner_stage *stage)
{
    list_remove(&stage->link);
    spawner->stage_count--;
    stage->workspace->stages--;
    fd_close(&stage->pidfd);
    fd_close(&stage->report);
    cgroup_release(stage->group);
    if (stage->netns)
        netns_give(spawner->networks, stage->netns);
    spawner_release_workspace(spawner, stage->workspace);
    reserve_give(stage);
}

/* What it has must not be given to another box: all of us ends, and whoever
 * restarts us finds what is left. */
static void give_up_on(const struct spawner_stage *stage)
{
    char detail[64];
    (void)snprintf(detail, sizeof detail, "process %d does not die", stage->pid);
    spawner_log("error", "box_undying", detail);
    _exit(EXIT_FAILURE);
}

static bool dies(const struct spawner_stage *stage)
{
    struct pollfd dead = {.fd = stage->pidfd, .events = POLLIN};
    int ready = 0;
    do
        ready = poll(&dead, 1, DEATH_WAIT_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

void spawner_drop_all(struct spawner *spawner)
{
    list_for_each (link, &spawner->stages)
        spawner_kill_stage(CONTAINER_OF(link, struct spawner_stage, link));
    list_for_each_safe (link, following, &spawner->stages) {
        struct spawner_stage *stage = CONTAINER_OF(link, struct spawner_stage, link);
        if (stage->pidfd >= 0 && !dies(stage))
            give_up_on(stage);
        if (stage->pidfd >= 0)
            spawner_end_stage(spawner, stage);
        spawner_free_stage(spawner, stage);
    }
    spawner_drop_looks(spawner);
    list_for_each_safe (link, following, &spawner->workspaces) {
        struct spawner_workspace *workspace = CONTAINER_OF(link, struct spawner_workspace, link);
        workspace->closed = true;
        spawner_release_workspace(spawner, workspace);
    }
}
