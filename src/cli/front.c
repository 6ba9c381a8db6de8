/* SPDX-License-Identifier: MIT */
#include "cli/front.h"

#include <errno.h>
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
#include "os/user.h"
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
    if (front->uid == 0) /* no user of its own: the spawner has no privilege either */
        return 0;
    if (prctl(PR_SET_KEEPCAPS, 1) < 0)
        return -errno;
    int rc = user_become(front->uid);
    return rc < 0 || prctl(PR_SET_KEEPCAPS, 0) == 0 ? rc : -errno;
}

/* `kept`: bits of what it has already. */
static int keep_capabilities(uint32_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    kept &= data[0].permitted;
    data[0] = (struct __user_cap_data_struct){.permitted = kept, .effective = kept};
    data[1] = (struct __user_cap_data_struct){0};
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int step_only_bind(const struct front *front)
{
    (void)front;
    return keep_capabilities(1U << CAP_NET_BIND_SERVICE);
}

static int step_no_capability(const struct front *front)
{
    (void)front;
    return keep_capabilities(0);
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

struct step {
    const char *name;
    int (*run)(const struct front *front);
    const char *why_here;
};

/* clang-format off */
static const struct step first[] = {
    {"bounding",          step_bounding,          "needs CAP_SETPCAP, which the user change takes"},
    {"user",              step_user,              "last use of CAP_SETUID"},
    {"capabilities",      step_only_bind,         "what the user change kept: all of them"},
    {"parent",            step_parent,            "after the user change, which clears it"},
};
static const struct step last[] = {
    {"no capability",     step_no_capability,     "what is served is bound"},
    {"core",              step_no_core,           "anywhere: memory with clients' data must not reach a disk"},
    {"no new privileges", step_no_new_privileges, "the filter needs it"},
    {"filter",            step_filter,            "last: it forbids most calls used above"},
};
/* clang-format on */

static int take(const struct front *front, const struct step *steps, size_t count, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = steps[i].run(front);
        if (rc < 0)
            rc = err_sys(err, -rc, "privilege cannot be dropped: %s", steps[i].name);
    }
#ifdef RUNNEL_SANITIZED
    (void)prctl(PR_SET_DUMPABLE, 1); /* for the leak check, see below: the user change took it */
#endif
    return rc;
}

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

int front_become_user(uid_t uid, pid_t spawner, struct err *err)
{
    const struct front front = {.uid = uid, .spawner = spawner};
    return take(&front, first, ARRAY_LEN(first), err);
}

int front_drop_privilege(struct err *err)
{
    struct front front = {0};
    int rc = compile_filter(&front, err);
    if (rc == 0)
        rc = take(&front, last, ARRAY_LEN(last), err);
    seccomp_program_fini(&front.filter);
    return rc;
}
