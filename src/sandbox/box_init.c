/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/box.h"
#include "sandbox/weakened.h"

/* A spawner that died between clone and prctl cannot signal us any more. Its number says nothing:
 * who has a namespace of processes for itself sees 0 for every parent. */
static int step_leash(const struct box_plan *plan)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return -errno;
    struct pollfd spawner = {.fd = plan->spawner, .events = POLLIN};
    while (poll(&spawner, 1, 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return spawner.revents & POLLIN ? -ESRCH : 0;
}

static int step_tree(const struct box_plan *plan)
{
    if (plan->mntns < 0)
        return 0;
    int rc = box_checked(setns(plan->mntns, CLONE_NEWNS));
    return rc < 0 ? rc : box_checked(unshare(CLONE_NEWNS));
}

static int step_cgroup(const struct box_plan *plan)
{
    for (size_t i = 0; i < plan->cgroup_attach_count; i++) {
        int rc = fd_write_full(plan->cgroup_attach[i], "0", 1);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int step_cgroup_view(const struct box_plan *plan)
{
    (void)plan;
    return box_checked(unshare(CLONE_NEWCGROUP));
}

static int step_network(const struct box_plan *plan)
{
    if (plan->netns >= 0)
        return box_checked(setns(plan->netns, CLONE_NEWNET));
    int rc = box_checked(unshare(CLONE_NEWNET));
    return rc < 0 ? rc : sys_loopback_up();
}

static int step_host_name(const struct box_plan *plan)
{
    static const char name[] = "runnel";
    (void)plan;
    if (sethostname(name, sizeof name - 1) < 0 || setdomainname("", 0) < 0)
        return -errno;
    return 0;
}

/* When the host is out of memory, boxes go first. What a process without the right to less was
 * given by one that had it, it cannot take back. */
static int step_oom_score(const struct box_plan *plan)
{
    (void)plan;
    int rc = box_checked(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); /* else /proc/self is root's */
    if (rc == 0)
        rc = fd_write_text_at(AT_FDCWD, "/proc/self/oom_score_adj", "1000");
    return rc < 0 ? rc : box_checked(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

/* Raw calls: libc's would signal threads that are not there. Permitted
 * capabilities go too; the user namespace below gives a full set back, which
 * means nothing outside of it. Where there is none they are kept until the
 * program's own steps have used them for the last time. */
static int step_host_ids(const struct box_plan *plan)
{
    bool keep = plan->skip & 1U << LAYER_NAMESPACES || !step_is_on("user namespace");
    if (keep && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -errno;
    if (syscall(SYS_setgroups, 0, NULL) < 0 ||
        syscall(SYS_setresgid, plan->host_gid, plan->host_gid, plan->host_gid) < 0 ||
        syscall(SYS_setresuid, plan->host_uid, plan->host_uid, plan->host_uid) < 0)
        return -errno;
    return keep ? sys_capabilities_raise() : 0;
}

static int step_user_namespace(const struct box_plan *plan)
{
    int rc = box_checked(unshare(CLONE_NEWUSER));
    /* A change of ids makes a process non-dumpable, and /proc/self root's. */
    if (rc == 0)
        rc = box_checked(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    if (rc == 0)
        rc = fd_write_text_at(AT_FDCWD, "/proc/self/setgroups", "deny");
    if (rc == 0)
        rc = fd_write_text_at(AT_FDCWD, "/proc/self/uid_map", plan->uid_map);
    if (rc == 0)
        rc = fd_write_text_at(AT_FDCWD, "/proc/self/gid_map", plan->gid_map);
    if (rc == 0)
        rc = box_checked(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    return rc;
}

/* clang-format off */
static const struct box_step init_steps[] = {
    {"leash",          -1,               false, step_leash,          "first: from here on the box cannot outlive its spawner"},
    {"cgroup",         LAYER_CGROUP,     false, step_cgroup,         "before anything that costs: all of it is charged to the box"},
    {"tree",           -1,               false, step_tree,           "before the mounts, which go into it"},
    {"cgroup view",    LAYER_NAMESPACES, false, step_cgroup_view,    "after attaching: its root is the group we are in, else host paths show"},
    {"network",        LAYER_NETWORK,    false, step_network,        "entered with the spawner's rights, which end below"},
    {"workspace",      -1,               false, box_step_workspace,  "while still in the spawner's user namespace, which its mount belongs to"},
    {"mounts",         LAYER_ROOT,       false, box_step_mounts,     "while still in the spawner's user namespace: /proc may be mounted without an inherited one"},
    {"oom score",      -1,               false, step_oom_score,      "behind the mounts, for its /proc; with the rights that end below, so that it stays"},
    {"host name",      LAYER_NAMESPACES, false, step_host_name,      "needs rights over the UTS namespace, which end below"},
    {"host ids",       -1,               true,  step_host_ids,       "before the user namespace, which then maps this one id and no other"},
    {"user namespace", LAYER_NAMESPACES, false, step_user_namespace, "late: the namespaces above stay owned outside, beyond the reach of its capabilities"},
    {"leash again",    -1,               false, step_leash,          "a change of ids clears the parent-death signal"},
};
/* clang-format on */

/* From here init is only a reaper: it keeps the report pipe and nothing else,
 * so that the program, which has the same user, finds nothing to take. */
static int lock_down(const struct box_plan *plan)
{
    if (dup2(plan->report, 0) < 0)
        return -errno;
    int rc = sys_close_range(1, ~0U, 0);
    if (rc == 0)
        rc = box_checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (rc == 0)
        rc = sys_capabilities_drop();
    return rc;
}

static void reap_until(pid_t program)
{
    struct box_report report = {.layer = -1};
    for (;;) {
        int status = 0;
        pid_t ended = waitpid(-1, &status, __WALL);
        if (ended == program) {
            report.wait_status = status;
            (void)fd_write_full(0, &report, sizeof report);
            _exit(0);
        }
        if (ended < 0 && errno != EINTR)
            _exit(126);
    }
}

uint64_t box_clone_flags(const struct box_plan *plan)
{
    uint64_t flags = 0;
    if (step_is_on("process ids"))
        flags |= CLONE_NEWPID;
    if (step_is_on("ipc"))
        flags |= CLONE_NEWIPC;
    if (step_is_on("host name"))
        flags |= CLONE_NEWUTS;
    if (plan->mntns < 0)
        flags |= CLONE_NEWNS;
    return flags;
}

void box_init(const struct box_plan *plan)
{
    box_run_steps(init_steps, ARRAY_LEN(init_steps), plan);
    /* A box that will exec shares init's memory until it does: no page table is
     * copied for it. One that continues needs memory of its own. */
    pid_t program = plan->continue_with ? fork() : vfork(); /* NOLINT(clang-analyzer-*) */
    if (program == 0)
        box_program(plan);
    if (program < 0)
        box_report_failure(plan, &(struct box_step){.name = "fork", .layer = -1}, errno);
    if (program < 0 || lock_down(plan) < 0)
        _exit(127);
    reap_until(program);
    _exit(126);
}
