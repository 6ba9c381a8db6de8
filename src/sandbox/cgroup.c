/* SPDX-License-Identifier: MIT */
/* Theory of operation. The host's version of cgroups is asked for once and
 * answered by a driver. A group lives through
 *
 *     created ─► prepared (cgroup_take) ─► in use ─► idle (cgroup_release) ─┐
 *        ▲            ▲                                                     │
 *        │            └──────────────── found as good as new ◄──────────────┤
 *        └─ none idle                                                       ▼
 *                                              doomed ─► removed, now or later
 *
 * The judgement stands at the next use, not at the end of the last: releasing
 * costs nothing while somebody waits for the answer, and by then the kernel has
 * let go of what the box held. First in, first out gives it the most time. */
#include "sandbox/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandbox/cgroup_driver.h"

static const struct cgroup_driver *const drivers[] = {&cgroup_v2, &cgroup_v1};

/* The charge that an empty group may be left with: pages that each CPU holds in
 * stock (64 of them), and some file cache. More than that is the file cache of
 * whoever touched a toolchain first. Emptying such a group would take 100 ms and
 * throw the cache away; so it is retired instead, and the cache stays. */
#define RESIDUE_BYTES (4 * MIB)
#define RESIDUE_BYTES_A_CPU (256 * KIB)

enum { DOOMED_TRIES = 4 }; /* at one take: a start must not wait for many */

static void doom(struct cgroup *cgroup)
{
    const struct cgroup_driver *driver = cgroup->tree->driver;
    if (driver->remove(cgroup) == 0) {
        driver->free(cgroup);
        return;
    }
    cgroup_kill(cgroup);
    list_append(&cgroup->tree->doomed, &cgroup->link);
}

static void remove_doomed(struct cgroup_tree *tree)
{
    for (int tries = 0; tries < DOOMED_TRIES && !list_empty(&tree->doomed); tries++) {
        struct cgroup *cgroup = CONTAINER_OF(tree->doomed.next, struct cgroup, link);
        list_remove(&cgroup->link);
        doom(cgroup);
    }
}

void cgroup_subtract_residue(struct cgroup_usage *usage, uint64_t memory_before)
{
    /* The kernel takes it back when it likes, also while the box runs: what is not there any more
     * may have been gone at the peak. */
    uint64_t residue = MIN(usage->memory_bytes, memory_before);
    usage->memory_bytes -= residue;
    /* At the limit the kernel has taken all of it back: the peak is the box's. */
    if (usage->oom_kills == 0)
        usage->memory_peak_bytes -= MIN(usage->memory_peak_bytes, residue);
}

static struct cgroup *create(struct cgroup_tree *tree, struct err *err)
{
    char name[CGROUP_NAME_SIZE];
    (void)snprintf(name, sizeof name, "b%u", ++tree->last_number);
    struct cgroup *cgroup = tree->driver->create(tree, name, err);
    if (cgroup)
        list_init(&cgroup->link);
    return cgroup;
}

static int prepare(struct cgroup *cgroup, const struct cgroup_limits *limits, struct err *err)
{
    const struct cgroup_driver *driver = cgroup->tree->driver;
    const char *what = "start the figures of";
    int rc = driver->start_figures(cgroup);
    if (rc == 0) {
        what = "limit the memory of";
        rc = driver->limit_memory(cgroup, limits->memory_bytes);
    }
    if (rc == 0) {
        what = "limit the processes of";
        rc = driver->limit_processes(cgroup, limits->processes);
    }
    if (rc == 0) {
        what = "limit the cpu share of";
        rc = driver->limit_cpu(cgroup, limits->cpu_milli);
    }
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot %s group %s: %s", what, cgroup->name,
                       strerror(-rc));
    cgroup_oom_clear(cgroup);
    return 0;
}

static struct cgroup *take_idle(struct cgroup_tree *tree, const struct cgroup_limits *limits)
{
    while (!list_empty(&tree->idle)) {
        struct cgroup *cgroup = CONTAINER_OF(tree->idle.next, struct cgroup, link);
        list_remove(&cgroup->link);
        if (prepare(cgroup, limits, NULL) == 0)
            return cgroup;
        doom(cgroup);
    }
    return NULL;
}

struct cgroup *cgroup_take(struct cgroup_tree *tree, const struct cgroup_limits *limits,
                           struct err *err)
{
    remove_doomed(tree);
    struct cgroup *cgroup = take_idle(tree, limits);
    if (cgroup)
        return cgroup;
    cgroup = create(tree, err);
    if (cgroup && prepare(cgroup, limits, err) < 0) {
        doom(cgroup);
        return NULL;
    }
    return cgroup;
}

void cgroup_release(struct cgroup *cgroup)
{
    if (!cgroup)
        return;
    if (cgroup->tree->reuses)
        list_append(&cgroup->tree->idle, &cgroup->link);
    else
        doom(cgroup);
}

/* A host may show controllers and still refuse to limit anything by them. */
static int try_once(struct cgroup_tree *tree, struct err *err)
{
    static const struct cgroup_limits limits = {
        .memory_bytes = 64 * MIB, .processes = 64, .cpu_milli = 500};
    struct cgroup *cgroup = cgroup_take(tree, &limits, err);
    if (!cgroup)
        return -1;
    struct cgroup_usage usage;
    int rc = cgroup_usage(cgroup, &usage);
    cgroup_release(cgroup);
    return rc < 0 ? err_sys(err, -rc, "read the figures of a group") : 0;
}

static int open_with(const struct cgroup_driver *driver, const struct cgroup_host *host,
                     struct cgroup_tree **ret_tree, struct err *err)
{
    struct cgroup_tree *tree = NULL;
    if (driver->open(host, &tree, err) < 0)
        return -1;
    tree->driver = driver;
    tree->residue_bytes =
        RESIDUE_BYTES + (uint64_t)sysconf(_SC_NPROCESSORS_CONF) * RESIDUE_BYTES_A_CPU;
    list_init(&tree->idle);
    list_init(&tree->doomed);
    if (try_once(tree, err) < 0) {
        cgroup_tree_close(tree);
        return -1;
    }
    *ret_tree = tree;
    return 0;
}

int cgroup_tree_open(const char *root, struct cgroup_tree **ret_tree, struct err *err)
{
    char own_name[128];
    int rc = cgroup_own_name(own_name, sizeof own_name);
    if (rc < 0)
        return err_sys(err, -rc, "read our own start time from /proc");
    auto_free char *self = cgroup_read_whole(AT_FDCWD, "/proc/self/cgroup");
    auto_free char *mounts = self ? cgroup_read_whole(AT_FDCWD, "/proc/self/mountinfo") : NULL;
    if (!mounts)
        return err_sys(err, errno, "read /proc/self/cgroup and mountinfo");
    struct cgroup_host host = {
        .self = self,
        .mounts = mounts,
        .root = root && *root ? root : NULL,
        .own_name = own_name,
    };
    struct err reasons[ARRAY_LEN(drivers)] = {0};
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (open_with(drivers[i], &host, ret_tree, &reasons[i]) == 0)
            return 0;
    return err_set(err, ERR_UNAVAILABLE, "no usable cgroups: v2: %.200s; v1: %.200s",
                   reasons[0].text, reasons[1].text);
}

static void free_all(struct cgroup_tree *tree, struct list *groups)
{
    list_for_each_safe (link, following, groups)
        tree->driver->free(CONTAINER_OF(link, struct cgroup, link));
}

void cgroup_tree_close(struct cgroup_tree *tree)
{
    if (!tree)
        return;
    free_all(tree, &tree->idle);
    free_all(tree, &tree->doomed);
    tree->driver->close(tree);
}

const char *cgroup_tree_describe(const struct cgroup_tree *tree)
{
    return tree->about;
}

int cgroup_clone_fd(const struct cgroup *cgroup)
{
    return cgroup->tree->driver->clone_fd(cgroup);
}

size_t cgroup_attach_fds(const struct cgroup *cgroup, int fds[CGROUP_ATTACH_MAX])
{
    return cgroup->tree->driver->attach_fds(cgroup, fds);
}

int cgroup_oom_fd(const struct cgroup *cgroup)
{
    return cgroup->tree->driver->oom_fd(cgroup);
}

void cgroup_oom_clear(struct cgroup *cgroup)
{
    uint64_t events = 0;
    int fd = cgroup_oom_fd(cgroup);
    if (fd >= 0)
        (void)!read(fd, &events, sizeof events);
}

bool cgroup_ran_out(struct cgroup *cgroup)
{
    return cgroup->tree->driver->ran_out(cgroup);
}

int cgroup_usage(struct cgroup *cgroup, struct cgroup_usage *ret_usage)
{
    return cgroup->tree->driver->usage(cgroup, ret_usage);
}

void cgroup_lift_cpu_limit(struct cgroup *cgroup)
{
    (void)cgroup->tree->driver->limit_cpu(cgroup, 0);
}

void cgroup_kill(struct cgroup *cgroup)
{
    cgroup_lift_cpu_limit(cgroup);
    cgroup->tree->driver->kill(cgroup);
}
