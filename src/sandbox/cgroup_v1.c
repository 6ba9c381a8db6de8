/* SPDX-License-Identifier: MIT */
/* Version 1: a hierarchy of its own for each controller, or for several.
 *
 * A box attaches itself by writing "0" to `tasks` of each hierarchy, through
 * descriptors that were opened here: attaching a pid from outside can take a
 * grace period. Groups are used again, because a removed memory group lingers
 * in the kernel for as long as a page of it does. Two counters cannot be set
 * back, so their value at the start of a use is taken off.
 *
 * A group that runs out of memory loses one process only; the eventfd tells the
 * spawner, which then kills the whole box. The same is told to all groups below one
 * that runs out, so the spawner asks whose limit it was: the peak says so. (failcnt
 * would, too, but newer kernels leave it at zero.) */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"
#include "sandbox/cgroup_driver.h"

enum { SOCKETS_SHARE = 4 }; /* this part of the memory limit, beside it */

/* At most so far below its limit does a group run out: eight pages, the most that the
 * kernel asks for at once before it kills for them, and as much again. */
#define NEAR_THE_LIMIT (64 * KIB)

enum controller { MEMORY, PIDS, CPU, CPUACCT, CONTROLLERS };

static const char *const names[CONTROLLERS] = {
    [MEMORY] = "memory",
    [PIDS] = "pids",
    [CPU] = "cpu",
    [CPUACCT] = "cpuacct",
};

static_assert((int)CONTROLLERS <= (int)CGROUP_ATTACH_MAX,
              "a box could not attach itself to all of them");

enum figure {
    MEMORY_USAGE,
    MEMORY_PEAK,
    SWAP_PEAK,
    MEMORY_OOM,
    PIDS_NOW,
    PIDS_MAX,
    PIDS_HITS,
    CPU_QUOTA,
    CPU_USAGE,
    FIGURES
};

static const struct {
    const char *file;
    enum controller controller;
    int mode;
} figures[FIGURES] = {
    [MEMORY_USAGE] = {"memory.usage_in_bytes", MEMORY, O_RDONLY},
    [MEMORY_PEAK] = {"memory.max_usage_in_bytes", MEMORY, O_RDWR},
    [SWAP_PEAK] = {"memory.memsw.max_usage_in_bytes", MEMORY, O_RDWR}, /* memory and swap */
    [MEMORY_OOM] = {"memory.oom_control", MEMORY, O_RDONLY},
    [PIDS_NOW] = {"pids.current", PIDS, O_RDONLY},
    [PIDS_MAX] = {"pids.max", PIDS, O_WRONLY},
    [PIDS_HITS] = {"pids.events", PIDS, O_RDONLY},
    [CPU_QUOTA] = {"cpu.cfs_quota_us", CPU, O_WRONLY},
    [CPU_USAGE] = {"cpuacct.usage", CPUACCT, O_RDWR},
};

struct v1_tree {
    struct cgroup_tree base;
    /* Controllers mounted together share a hierarchy. */
    size_t hierarchy_of[CONTROLLERS];
    size_t hierarchies;
    int parent_fd[CONTROLLERS]; /* of each hierarchy */
    int own_fd[CONTROLLERS];    /* of each hierarchy */
    char own_name[128];
};

struct v1_group {
    struct cgroup base;
    int dir_fd[CONTROLLERS];
    int tasks_fd[CONTROLLERS];
    struct cgroup_file figure[FIGURES];
    int oom_fd;
    bool unlimited_memory; /* as it was born */
    uint64_t memory_limit;
    /* At the start of the present use. */
    uint64_t memory_before;
    uint64_t oom_kills_before;
    uint64_t process_limit_hits_before;
};

static struct v1_tree *tree_of(const struct cgroup *cgroup)
{
    return CONTAINER_OF(cgroup->tree, struct v1_tree, base);
}

static struct v1_group *group_of(const struct cgroup *cgroup)
{
    return CONTAINER_OF(cgroup, struct v1_group, base);
}

static int dir_of(const struct v1_group *group, enum controller controller)
{
    return group->dir_fd[tree_of(&group->base)->hierarchy_of[controller]];
}

/* ---- the tree ---- */

static int find_hierarchies(const struct cgroup_host *host, struct v1_tree *tree, struct err *err)
{
    struct cgroup_place places[CONTROLLERS];
    for (int i = 0; i < CONTROLLERS; i++) {
        struct cgroup_place *place = &places[tree->hierarchies];
        int rc = cgroup_find(host, names[i], place);
        if (rc < 0)
            return err_set(err, ERR_UNAVAILABLE, "the %s controller is not %s", names[i],
                           rc == -ENXIO ? "mounted where this process's cgroup shows" : "there");
        size_t same = 0;
        while (strcmp(places[same].path, place->path) != 0)
            same++;
        tree->hierarchy_of[i] = same;
        if (same < tree->hierarchies)
            continue;
        int fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return err_set(err, ERR_UNAVAILABLE, "open %s: %s", place->path, strerror(errno));
        tree->parent_fd[tree->hierarchies++] = fd;
    }
    return 0;
}

static int make_own_directories(struct v1_tree *tree, struct err *err)
{
    for (size_t i = 0; i < tree->hierarchies; i++) {
        int parent_fd = tree->parent_fd[i];
        cgroup_reap_leftovers(parent_fd);
        tree->own_fd[i] = cgroup_make_directory(parent_fd, tree->own_name);
        if (tree->own_fd[i] < 0)
            return err_set(err, ERR_UNAVAILABLE, "make a group of our own: %s",
                           strerror(-tree->own_fd[i]));
    }
    return 0;
}

static void v1_close(struct cgroup_tree *base)
{
    struct v1_tree *tree = CONTAINER_OF(base, struct v1_tree, base);
    for (size_t i = 0; i < tree->hierarchies; i++) {
        if (tree->own_fd[i] >= 0)
            (void)cgroup_remove_tree(tree->parent_fd[i], tree->own_name);
        fd_close(&tree->own_fd[i]);
        fd_close(&tree->parent_fd[i]);
    }
    free(tree);
}

static int v1_open(const struct cgroup_host *host, struct cgroup_tree **ret_tree, struct err *err)
{
    struct v1_tree *tree = calloc(1, sizeof *tree);
    if (!tree)
        return err_sys(err, ENOMEM, "open cgroups");
    for (int i = 0; i < CONTROLLERS; i++)
        tree->parent_fd[i] = tree->own_fd[i] = -1;
    tree->base.reuses = true;
    (void)snprintf(tree->base.about, sizeof tree->base.about, "v1: memory, pids, cpu, cpuacct");
    (void)snprintf(tree->own_name, sizeof tree->own_name, "%s", host->own_name);
    if (find_hierarchies(host, tree, err) < 0 || make_own_directories(tree, err) < 0) {
        v1_close(&tree->base);
        return -1;
    }
    *ret_tree = &tree->base;
    return 0;
}

/* ---- a group ---- */

static int v1_remove(struct cgroup *cgroup)
{
    const struct v1_tree *tree = tree_of(cgroup);
    int rc = 0;
    for (size_t i = 0; i < tree->hierarchies; i++)
        if (unlinkat(tree->own_fd[i], cgroup->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
            rc = -EBUSY;
    return rc;
}

static void v1_free(struct cgroup *cgroup)
{
    struct v1_group *group = group_of(cgroup);
    for (size_t i = 0; i < CONTROLLERS; i++) {
        fd_close(&group->dir_fd[i]);
        fd_close(&group->tasks_fd[i]);
    }
    for (size_t i = 0; i < FIGURES; i++)
        fd_close(&group->figure[i].fd);
    fd_close(&group->oom_fd);
    free(group);
}

static int watch_oom(struct v1_group *group)
{
    auto_close int control_fd =
        openat(dir_of(group, MEMORY), "memory.oom_control", O_RDONLY | O_CLOEXEC);
    if (control_fd < 0)
        return -errno;
    group->oom_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (group->oom_fd < 0)
        return -errno;
    char text[32];
    (void)snprintf(text, sizeof text, "%d %d", group->oom_fd, control_fd);
    return fd_write_text_at(dir_of(group, MEMORY), "cgroup.event_control", text);
}

static int open_group(struct v1_group *group)
{
    struct v1_tree *tree = tree_of(&group->base);
    for (size_t i = 0; i < tree->hierarchies; i++) {
        group->dir_fd[i] = cgroup_make_directory(tree->own_fd[i], group->base.name);
        if (group->dir_fd[i] < 0)
            return group->dir_fd[i];
        group->tasks_fd[i] = openat(group->dir_fd[i], "tasks", O_WRONLY | O_CLOEXEC);
        if (group->tasks_fd[i] < 0)
            return -errno;
    }
    for (size_t i = 0; i < FIGURES; i++)
        group->figure[i] = (struct cgroup_file){dir_of(group, figures[i].controller),
                                                figures[i].file, figures[i].mode, -1};
    return watch_oom(group);
}

static struct cgroup *v1_create(struct cgroup_tree *tree, const char *name, struct err *err)
{
    struct v1_group *group = calloc(1, sizeof *group);
    if (!group) {
        (void)err_sys(err, ENOMEM, "make group %s", name);
        return NULL;
    }
    group->base.tree = tree;
    group->unlimited_memory = true;
    group->oom_fd = -1;
    for (int i = 0; i < CONTROLLERS; i++)
        group->dir_fd[i] = group->tasks_fd[i] = -1;
    for (int i = 0; i < FIGURES; i++)
        group->figure[i].fd = -1;
    (void)snprintf(group->base.name, sizeof group->base.name, "%s", name);
    int rc = open_group(group);
    if (rc < 0) {
        (void)err_set(err, ERR_UNAVAILABLE, "make group %s: %s", name, strerror(-rc));
        (void)v1_remove(&group->base); /* else v1_close will */
        v1_free(&group->base);
        return NULL;
    }
    return &group->base;
}

/* ---- limits and figures ---- */

/* Not every kernel has every file. */
static int set_if_there(const struct v1_group *group, const char *file, const char *text)
{
    int rc = fd_write_text_at(dir_of(group, MEMORY), file, text);
    return rc == -ENOENT ? 0 : rc;
}

/* A kernel built without swap accounting has no memsw; then there is no swap
 * to speak of, or the operator gave it up. */
static int set_swap_limit(const struct v1_group *group, const char *text)
{
    return set_if_there(group, "memory.memsw.limit_in_bytes", text);
}

/* What sockets hold is counted beside the rest, and only where it has a limit of its
 * own: without, one box could hold all that a host's sockets may have together. */
static int set_socket_limit(const struct v1_group *group, uint64_t bytes)
{
    char text[24] = "-1";
    if (bytes != 0)
        (void)snprintf(text, sizeof text, "%" PRIu64, bytes / SOCKETS_SHARE);
    return set_if_there(group, "memory.kmem.tcp.limit_in_bytes", text);
}

static int set_memory_limit(const struct v1_group *group, const char *text)
{
    int dir_fd = dir_of(group, MEMORY);
    int rc = fd_write_text_at(dir_fd, "memory.limit_in_bytes", text);
    if (rc != -EBUSY)
        return rc;
    /* More than that is charged already. */
    (void)fd_write_text_at(dir_fd, "memory.force_empty", "0");
    return fd_write_text_at(dir_fd, "memory.limit_in_bytes", text);
}

/* The kernel holds memsw >= limit at every moment: the larger is raised first,
 * the smaller lowered first. */
static int v1_limit_memory(struct cgroup *cgroup, uint64_t bytes)
{
    struct v1_group *group = group_of(cgroup);
    bool unlimited = bytes == 0;
    if (group->unlimited_memory ? unlimited : bytes == group->memory_limit)
        return 0;
    char text[24] = "-1";
    if (!unlimited)
        (void)snprintf(text, sizeof text, "%" PRIu64, bytes);
    bool raise = unlimited || (!group->unlimited_memory && bytes > group->memory_limit);
    int rc = raise ? set_swap_limit(group, text) : set_memory_limit(group, text);
    if (rc == 0)
        rc = raise ? set_memory_limit(group, text) : set_swap_limit(group, text);
    if (rc == 0)
        rc = set_socket_limit(group, bytes);
    group->unlimited_memory = unlimited;
    group->memory_limit = bytes;
    return rc;
}

static int v1_limit_processes(struct cgroup *cgroup, uint64_t processes)
{
    struct cgroup_file *file = &group_of(cgroup)->figure[PIDS_MAX];
    return processes ? cgroup_file_write_u64(file, processes) : cgroup_file_write(file, "max");
}

static int v1_limit_cpu(struct cgroup *cgroup, uint64_t milli)
{
    struct cgroup_file *file = &group_of(cgroup)->figure[CPU_QUOTA];
    return milli ? cgroup_file_write_u64(file, milli * CPU_PERIOD_US / 1000)
                 : cgroup_file_write(file, "-1");
}

/* Asked of pids.current, because a box is in all groups or in none, and because
 * `tasks` read through a descriptor that stays open answers from a list that may
 * be a second old. */
static int check_empty(struct v1_group *group)
{
    uint64_t processes = 0;
    int rc = cgroup_file_read(&group->figure[PIDS_NOW], NULL, &processes);
    return rc == 0 && processes > 0 ? -ENOTEMPTY : rc;
}

static int reset_peaks(struct v1_group *group)
{
    int rc = cgroup_file_write(&group->figure[SWAP_PEAK], "0");
    if (rc < 0 && rc != -ENOENT) /* as in set_swap_limit */
        return rc;
    return cgroup_file_write(&group->figure[MEMORY_PEAK], "0");
}

static int v1_start_figures(struct cgroup *cgroup)
{
    struct v1_group *group = group_of(cgroup);
    struct cgroup_file *figure = group->figure;
    int rc = check_empty(group);
    if (rc == 0)
        rc = cgroup_file_read(&figure[MEMORY_USAGE], NULL, &group->memory_before);
    if (rc == 0 && group->memory_before > group->base.tree->residue_bytes)
        rc = -EBUSY;
    if (rc == 0)
        rc = reset_peaks(group);
    if (rc == 0)
        rc = cgroup_file_write(&figure[CPU_USAGE], "0");
    if (rc == 0)
        rc = cgroup_file_read(&figure[MEMORY_OOM], "oom_kill", &group->oom_kills_before);
    if (rc == 0)
        rc = cgroup_file_read(&figure[PIDS_HITS], "max", &group->process_limit_hits_before);
    return rc;
}

static int v1_usage(struct cgroup *cgroup, struct cgroup_usage *ret_usage)
{
    struct v1_group *group = group_of(cgroup);
    struct cgroup_file *figure = group->figure;
    struct cgroup_usage usage = {0};
    int rc = cgroup_file_read(&figure[CPU_USAGE], NULL, &usage.cpu_ns);
    if (rc == 0)
        rc = cgroup_file_read(&figure[MEMORY_USAGE], NULL, &usage.memory_bytes);
    if (rc == 0)
        rc = cgroup_file_read(&figure[MEMORY_PEAK], NULL, &usage.memory_peak_bytes);
    if (rc == 0)
        rc = cgroup_file_read(&figure[MEMORY_OOM], "oom_kill", &usage.oom_kills);
    if (rc == 0)
        rc = cgroup_file_read(&figure[PIDS_HITS], "max", &usage.process_limit_hits);
    if (rc < 0)
        return rc;
    usage.oom_kills -= group->oom_kills_before;
    usage.process_limit_hits -= group->process_limit_hits_before;
    cgroup_subtract_residue(&usage, group->memory_before);
    *ret_usage = usage;
    return 0;
}

static size_t v1_attach_fds(const struct cgroup *cgroup, int fds[CGROUP_ATTACH_MAX])
{
    size_t count = tree_of(cgroup)->hierarchies;
    memcpy(fds, group_of(cgroup)->tasks_fd, count * sizeof *fds);
    return count;
}

static int v1_clone_fd(const struct cgroup *cgroup)
{
    (void)cgroup;
    return -1;
}

static int v1_oom_fd(const struct cgroup *cgroup)
{
    return group_of(cgroup)->oom_fd;
}

/* Not of now: what was killed has given its memory back. */
static bool v1_ran_out(struct cgroup *cgroup)
{
    static const enum figure peaks[] = {MEMORY_PEAK, SWAP_PEAK};
    struct v1_group *group = group_of(cgroup);
    for (size_t i = 0; i < ARRAY_LEN(peaks) && !group->unlimited_memory; i++) {
        uint64_t peak = 0;
        if (cgroup_file_read(&group->figure[peaks[i]], NULL, &peak) == 0 &&
            peak + NEAR_THE_LIMIT >= group->memory_limit)
            return true;
    }
    return false;
}

static void v1_kill(struct cgroup *cgroup)
{
    /* Through the pids hierarchy, where no more can be forked meanwhile. */
    (void)cgroup_kill_members(dir_of(group_of(cgroup), PIDS));
}

const struct cgroup_driver cgroup_v1 = {
    .open = v1_open,
    .close = v1_close,
    .create = v1_create,
    .start_figures = v1_start_figures,
    .limit_memory = v1_limit_memory,
    .limit_processes = v1_limit_processes,
    .limit_cpu = v1_limit_cpu,
    .remove = v1_remove,
    .free = v1_free,
    .clone_fd = v1_clone_fd,
    .attach_fds = v1_attach_fds,
    .oom_fd = v1_oom_fd,
    .ran_out = v1_ran_out,
    .usage = v1_usage,
    .kill = v1_kill,
};
