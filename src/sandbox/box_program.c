/* SPDX-License-Identifier: MIT */
/* box_program.c — the child of init, up to the program's first instruction. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/box.h"
#include "sandbox/weakened.h"

enum {
    REPORT_FD = 3, /* the only one behind 0, 1 and 2; exec closes it */
    NPROC_SLACK = 8,
    CPU_SLACK_S = 2,
    LOCKED_MEMORY_BYTES = 64 * 1024,
};

/* dup2 onto the same number would keep close-on-exec: sources are all above 3. */
static int step_stdio(const struct box_plan *plan)
{
    for (int i = 0; i < 3; i++) {
        if (dup2(plan->stdio[i], i) < 0)
            return -errno;
    }
    return 0;
}

/* Exec resets handlers, not what is ignored or blocked. SIGXFSZ is ignored so
 * that a file over the limit is an EFBIG for the program to see, not its end. */
static int step_signals(const struct box_plan *plan)
{
    (void)plan;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGXFSZ, &ignore, NULL) < 0)
        return -errno;
    sigset_t none;
    sigemptyset(&none);
    return box_checked(sigprocmask(SIG_SETMASK, &none, NULL));
}

static int step_session(const struct box_plan *plan)
{
    if (setsid() < 0)
        return -errno;
    return plan->tty ? box_checked(ioctl(0, TIOCSCTTY, 0)) : 0;
}

/* A hard limit of the host's cannot be raised from here; where it is lower, it holds. */
static int set_limit(__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0)
        return -errno;
    limit.rlim_max = MIN(value, limit.rlim_max);
    limit.rlim_cur = limit.rlim_max;
    return box_checked(setrlimit(resource, &limit));
}

static int set_limit_if(__rlimit_resource_t resource, uint64_t value, uint64_t slack)
{
    return value == 0 ? 0 : set_limit(resource, value + slack);
}

/* Core is 1 and not 0, nor less because the host has less: with 0 the kernel still
 * starts a host's core handler that is a pipe; one that is a socket no limit keeps away, and
 * probe.c refuses. Processes and cpu have slack: the cgroup is the
 * limit, whose counters are the facts; these are behind it. */
static int step_rlimits(const struct box_plan *plan)
{
    const uint64_t *limit = plan->limits.value;
    bool counted = !(plan->skip & 1U << LAYER_CGROUP);
    const struct rlimit core = {1, 1};
    int rc = box_checked(setrlimit(RLIMIT_CORE, &core));
    if (rc == 0)
        rc = set_limit(RLIMIT_MEMLOCK, LOCKED_MEMORY_BYTES);
    if (rc == 0)
        rc = set_limit_if(RLIMIT_FSIZE, limit[LIMIT_FILE_SIZE], 0);
    if (rc == 0)
        rc = set_limit_if(RLIMIT_NOFILE, limit[LIMIT_OPEN_FILES], 0);
    if (rc == 0)
        rc = set_limit_if(RLIMIT_STACK, limit[LIMIT_STACK], 0);
    if (rc == 0)
        rc = set_limit_if(RLIMIT_NPROC, limit[LIMIT_PROCESSES], counted ? NPROC_SLACK : 1);
    if (rc == 0 && limit[LIMIT_CPU_TIME] > 0)
        rc = set_limit(RLIMIT_CPU, limit[LIMIT_CPU_TIME] / 1000 + CPU_SLACK_S);
    return rc;
}

static int step_capabilities(const struct box_plan *plan)
{
    (void)plan;
    const unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_SET_SECUREBITS, locked, 0, 0, 0) < 0)
        return -errno;
    /* EINVAL is the first number that this kernel does not have. */
    for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
        ;
    if (errno != EINVAL)
        return -errno;
    return sys_capabilities_drop();
}

static int step_folder(const struct box_plan *plan)
{
    (void)plan;
    return box_checked(chdir("/work"));
}

static int step_no_new_privileges(const struct box_plan *plan)
{
    (void)plan;
    return box_checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static int step_descriptors(const struct box_plan *plan)
{
    if (plan->report != REPORT_FD && dup3(plan->report, REPORT_FD, O_CLOEXEC) < 0)
        return -errno;
    return sys_close_range(REPORT_FD + 1, ~0U, 0);
}

static int step_seccomp(const struct box_plan *plan)
{
    return sys_seccomp_filter(plan->filter, plan->filter_count);
}

static int step_exec(const struct box_plan *plan)
{
    if (plan->continue_with) {
        (void)close(plan->report);
        _exit(plan->continue_with(plan));
    }
    return box_checked(execve(plan->argv[0], plan->argv, plan->env));
}

/* clang-format off */
static const struct box_step descriptor_steps[] = {
    {"stdio",             -1,                false, step_stdio,             "while the plan's descriptors are still open"},
    {"descriptors",       LAYER_DESCRIPTORS, false, step_descriptors,       "before the limits: the spawner's numbers are higher than a program's may be"},
};

static const struct box_step program_steps[] = {
    {"session",           -1,                false, step_session,           "after stdio: the terminal is descriptor 0"},
    {"signals",           -1,                false, step_signals,           "before the limits: it decides how one of them shows"},
    {"limits",            LAYER_RLIMITS,     false, step_rlimits,           "a hard limit may not be raised once the capabilities are gone"},
    {"capabilities",      -1,                false, step_capabilities,      "last use of any; nothing below needs one"},
    {"folder",            -1,                false, step_folder,            "with the program's own rights, so that it can be there"},
    {"no new privileges", -1,                false, step_no_new_privileges, "Landlock and seccomp ask for it"},
    {"landlock",          LAYER_LANDLOCK,    false, box_step_landlock,      "opens paths, by calls that seccomp refuses"},
    {"seccomp",           LAYER_SECCOMP,     false, step_seccomp,           "last: it refuses the calls used above"},
    {"exec",              -1,                false, step_exec,              "the program, or what continues in its place"},
};
/* clang-format on */

void box_program(const struct box_plan *plan)
{
    box_run_steps(descriptor_steps, ARRAY_LEN(descriptor_steps), plan);
    struct box_plan moved = *plan;
    if (!(plan->skip & 1U << LAYER_DESCRIPTORS) && step_is_on("descriptors"))
        moved.report = REPORT_FD;
    box_run_steps(program_steps, ARRAY_LEN(program_steps), &moved);
    _exit(127);
}
