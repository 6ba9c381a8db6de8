/* SPDX-License-Identifier: MIT */
/* probe_inside.c — a box looks at itself, with every layer on.
 *
 * Each check tries what its layer must refuse, or reads what the kernel says of
 * this process; it is written so that no other layer's refusal can pass for its
 * own. It runs in the place of a program, so it has a program's rights, and a
 * program's allowlist of system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/spawner.h"

#define SAW(seen, ...) ((void)snprintf((seen), FINDING_SIZE, __VA_ARGS__))
enum {
    FINDING_SIZE = sizeof((struct probe_findings *)0)->missing[0],
    PROC_TEXT = 8192,
    PAGE = 4096
};

static char proc_text[PROC_TEXT];

static const char *read_proc(const char *path)
{
    return fd_read_text_at(AT_FDCWD, path, proc_text, sizeof proc_text) < 0 ? "" : proc_text;
}

/* "Name:\tvalue" of /proc/self/status is in `value`'s text? */
static bool status_is(const char *status, const char *line)
{
    const char *at = strstr(status, line);
    return at && at[strlen(line)] == '\n';
}

/* One more process than the group's limit is refused by it: the outside looks at
 * the group's own counter (probe.c). Those made wait to be killed with the box. */
static void check_cgroup(const struct box_plan *plan, char *seen)
{
    uint64_t processes = plan->limits.value[LIMIT_PROCESSES];
    for (uint64_t i = 0; i <= processes; i++) {
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0) {
            (void)pause();
            _exit(0);
        }
        if (child < 0)
            return;
    }
    SAW(seen, "%llu processes could be made where %llu may", (unsigned long long)processes + 1,
        (unsigned long long)processes);
}

/* In a view of its own each path is "/". */
static bool shows_no_group(const char *groups)
{
    const char *at = strstr(groups, ":/");
    bool none = at != NULL;
    for (; at; at = strstr(at + 1, ":/"))
        none = none && at[2] == '\n';
    return none;
}

static void check_namespaces(const struct box_plan *plan, char *seen)
{
    struct utsname name;
    (void)plan;
    if (getpid() != 2)
        SAW(seen, "the program is process %d and not 2", getpid());
    else if (uname(&name) < 0 || strcmp(name.nodename, "runnel") != 0)
        SAW(seen, "the host's name shows");
    else if (!shows_no_group(read_proc("/proc/self/cgroup")))
        SAW(seen, "the host's cgroups show");
    else if (getuid() != BOX_UID)
        SAW(seen, "the user is %u and not %d", getuid(), BOX_UID);
}

static void check_network(const struct box_plan *plan, char *seen)
{
    (void)plan;
    const char *table = read_proc("/proc/self/net/dev");
    unsigned interfaces = 0;
    for (const char *at = strchr(table, ':'); at; at = strchr(at + 1, ':'))
        interfaces++;
    if (interfaces != 1 || !strstr(table, " lo:"))
        SAW(seen, "%u network interfaces, and not the loopback alone", interfaces);
}

static void check_root(const struct box_plan *plan, char *seen)
{
    static const char *const read_only[] = {"/", "/usr", "/etc", "/dev"};
    static const char *const absent[] = {"/home", "/root",       "/var",        "/sys",
                                         "/boot", "/etc/shadow", "/dev/mapper", "/run"};
    struct statvfs files;
    for (size_t i = 0; i < ARRAY_LEN(read_only); i++) {
        if (statvfs(read_only[i], &files) < 0 || !(files.f_flag & ST_RDONLY))
            SAW(seen, "%s is not read-only", read_only[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        if (faccessat(AT_FDCWD, absent[i], F_OK, 0) == 0 || errno != ENOENT)
            SAW(seen, "%s is there", absent[i]);
    }
    if (statvfs("/work", &files) < 0 || (files.f_flag & (ST_RDONLY | ST_NOSUID)) != ST_NOSUID)
        SAW(seen, "/work is not a writable mount without setuid");
    else if (files.f_blocks == 0 ||
             files.f_blocks * files.f_frsize > plan->limits.value[LIMIT_WORKSPACE] + PAGE)
        SAW(seen, "/work has no size, or is larger than it may be");
}

static void check_identity(const struct box_plan *plan, char *seen)
{
    static const char *const wanted[] = {
        "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
    };
    char host_user[16];
    const char *status = read_proc("/proc/self/status");
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        if (!status_is(status, wanted[i]))
            SAW(seen, "not so: %s", wanted[i]);
    }
    (void)snprintf(host_user, sizeof host_user, " %u ", plan->host_uid);
    bool mapped = strstr(read_proc("/proc/self/uid_map"), host_user) != NULL;
    if (plan->privileged && (plan->host_uid == 0 || (!mapped && getuid() != plan->host_uid)))
        SAW(seen, "the box is not a host user of its own");
    if (setuid(0) == 0)
        SAW(seen, "it could become root");
}

static void check_rlimits(const struct box_plan *plan, char *seen)
{
    const struct {
        __rlimit_resource_t resource;
        const char *name;
        uint64_t value;
    } wanted[] = {
        {RLIMIT_CORE, "core", 1},
        {RLIMIT_NOFILE, "open files", plan->limits.value[LIMIT_OPEN_FILES]},
        {RLIMIT_FSIZE, "file size", plan->limits.value[LIMIT_FILE_SIZE]},
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        struct rlimit limit;
        if (getrlimit(wanted[i].resource, &limit) < 0 || limit.rlim_max > wanted[i].value)
            SAW(seen, "the limit of %s is not set", wanted[i].name);
    }
}

static void check_descriptors(const struct box_plan *plan, char *seen)
{
    (void)plan;
    for (int fd = 3; fd < 1024; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            SAW(seen, "descriptor %d is open", fd);
    }
}

/* The tree's root may be read by everybody, but is not in Landlock's list. */
static void check_landlock(const struct box_plan *plan, char *seen)
{
    (void)plan;
    auto_close int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root >= 0 || errno != EACCES)
        SAW(seen, "a path that is not in its list could be opened");
}

/* Unprivileged users may do this everywhere else, and the box's user could. */
static void check_seccomp(const struct box_plan *plan, char *seen)
{
    (void)plan;
    if (!status_is(read_proc("/proc/self/status"), "Seccomp:\t2"))
        SAW(seen, "no filter is in force");
    else if (unshare(CLONE_NEWUSER) == 0 || errno != ENOSYS)
        SAW(seen, "unshare was not refused");
}

static void (*const checks[])(const struct box_plan *plan, char *seen) = {
    [LAYER_CGROUP] = check_cgroup,           [LAYER_NAMESPACES] = check_namespaces,
    [LAYER_NETWORK] = check_network,         [LAYER_ROOT] = check_root,
    [LAYER_IDENTITY] = check_identity,       [LAYER_RLIMITS] = check_rlimits,
    [LAYER_DESCRIPTORS] = check_descriptors, [LAYER_LANDLOCK] = check_landlock,
    [LAYER_SECCOMP] = check_seccomp,
};
_Static_assert(ARRAY_LEN(checks) == LAYER_COUNT, "a layer that nothing asserts");

int probe_inside(const struct box_plan *plan)
{
    static struct probe_findings findings;
    /* From the last to the first: the first fills the box with processes. */
    for (int layer = LAYER_COUNT - 1; layer >= 0; layer--) {
        if (!(plan->skip & 1U << layer))
            checks[layer](plan, findings.missing[layer]);
    }
    return fd_write_full(STDOUT_FILENO, &findings, sizeof findings) < 0;
}

/* More than its group may have. Not in /tmp, whose size is another limit. */
int probe_memory(const struct box_plan *plan)
{
    size_t size = 2 * plan->limits.value[LIMIT_MEMORY];
    char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return 0;
    for (size_t i = 0; i < size; i += 4096)
        bytes[i] = 1;
    return 0;
}
