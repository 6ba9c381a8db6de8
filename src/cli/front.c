/* SPDX-License-Identifier: MIT */
#include "cli/front.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/util.h"
#include "sandbox/seccomp_policy.h"

struct front {
    uid_t uid;
    pid_t spawner;
    struct seccomp_program filter;
};

/* The bounding set needs CAP_SETPCAP; without it there is nothing to bound. */
static int step_bounding(const struct front *front)
{
    (void)front;
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability) < 0 && errno != EPERM)
            return -errno;
    }
    return 0;
}

static int step_user(const struct front *front)
{
    gid_t gid = (gid_t)front->uid;
    if (front->uid == 0) /* no user of its own: the spawner has no privilege either */
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
        setresuid(front->uid, front->uid, front->uid) < 0)
        return -errno;
    return 0;
}

static int step_capabilities(const struct front *front)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    (void)front;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int step_no_core(const struct front *front)
{
    struct rlimit none = {0, 0};
    (void)front;
    return setrlimit(RLIMIT_CORE, &none) < 0 ? -errno : 0;
}

static int step_parent(const struct front *front)
{
    if (front->spawner == 0)
        return 0;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    return getppid() == front->spawner ? 0 : -ESRCH; /* it died before we asked */
}

static int step_no_new_privileges(const struct front *front)
{
    (void)front;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int step_filter(const struct front *front)
{
    struct sock_fprog program = {
        .len = (unsigned short)front->filter.count,
        .filter = front->filter.instructions,
    };
    if (front->filter.count == 0)
        return 0;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

/* clang-format off */
static const struct {
    const char *name;
    int (*run)(const struct front *front);
    const char *why_here;
} steps[] = {
    {"bounding",          step_bounding,          "needs CAP_SETPCAP, which the user change takes"},
    {"user",              step_user,              "last use of CAP_SETUID"},
    {"capabilities",      step_capabilities,      "what the user change kept: all of them, for a user that had some"},
    {"core",              step_no_core,           "anywhere: memory with clients' data must not reach a disk"},
    {"parent",            step_parent,            "after the user change, which clears it"},
    {"no new privileges", step_no_new_privileges, "the filter needs it"},
    {"filter",            step_filter,            "last: it forbids most calls used above"},
};
/* clang-format on */

static int compile_filter(struct front *front, struct err *err)
{
#ifdef RUNNEL_SANITIZED
    /* A sanitizer's leak check at exit attaches to its own threads. */
    (void)front, (void)err;
    return 0;
#else
    const char *policy = seccomp_builtin_policy("front");
    if (!policy)
        return err_set(err, ERR_INTERNAL, "the policy 'front' is not built in");
    return seccomp_compile("front.policy", slice_of(policy), SECCOMP_REFUSE_ENOSYS, &front->filter,
                           err);
#endif
}

int front_drop_privilege(uid_t uid, pid_t spawner, struct err *err)
{
    struct front front = {.uid = uid, .spawner = spawner};
    int rc = compile_filter(&front, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(steps); i++) {
        rc = steps[i].run(&front);
        if (rc < 0)
            rc = err_sys(err, -rc, "privilege cannot be dropped: %s", steps[i].name);
    }
    seccomp_program_fini(&front.filter);
#ifdef RUNNEL_SANITIZED
    (void)prctl(PR_SET_DUMPABLE, 1); /* as above: the user change took it */
#endif
    return rc;
}
