/* SPDX-License-Identifier: MIT */
/* Version 2: one hierarchy, and a box is cloned straight into its group.
 *
 * A cgroup whose children are controlled may hold no process itself (the root
 * excepted), so before ours can be made the processes beside it must be gone:
 *
 *   the root, or one that the operator names    ours goes below it
 *   one that holds only us (systemd Delegate=)  we move into <ours>/self
 *   one that others share (a login shell)       ours goes beside it
 *   the same, and nothing above it (container)  all of them move into `init`
 *
 * The kernel ends a whole group that runs out of memory. A group is used again
 * only where the kernel can forget its memory peak (Linux 6.12). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"
#include "sandbox/cgroup_driver.h"

static const char *const controllers[] = {"memory", "pids", "cpu"};

/* As in version 1, and for the same reason (cgroup_v1.c). */
enum { CPU_PERIOD_US = 100000 };

enum figure {
    MEMORY_CURRENT,
    MEMORY_EVENTS,
    MEMORY_PEAK,
    PIDS_CURRENT,
    PIDS_MAX,
    PIDS_EVENTS,
    CPU_MAX,
    CPU_STAT,
    FIGURES
};

static const struct {
    const char *file;
    int mode;
} figures[FIGURES] = {
    [MEMORY_CURRENT] = {"memory.current", O_RDONLY},
    [MEMORY_EVENTS] = {"memory.events", O_RDONLY},
    /* For writing too where groups are used again: a reset counts for readers
     * of the very descriptor it was written to. */
    [MEMORY_PEAK] = {"memory.peak", O_RDONLY},
    [PIDS_CURRENT] = {"pids.current", O_RDONLY},
    [PIDS_MAX] = {"pids.max", O_WRONLY},
    [PIDS_EVENTS] = {"pids.events", O_RDONLY},
    [CPU_MAX] = {"cpu.max", O_WRONLY},
    [CPU_STAT] = {"cpu.stat", O_RDONLY},
};

struct v2_tree {
    struct cgroup_tree base;
    int parent_fd;
    int own_fd;
    bool moved_us;        /* into <ours>/self */
    bool enabled_parents; /* controllers that were off before */
    char own_name[128];
};

struct v2_group {
    struct cgroup base;
    int dir_fd;
    struct cgroup_file figure[FIGURES];
    uint64_t highest_seen;
    /* At the start of the present use. */
    uint64_t memory_before;
    uint64_t cpu_us_before;
    uint64_t oom_kills_before;
    uint64_t process_limit_hits_before;
};

static struct v2_tree *tree_of(struct cgroup_tree *base)
{
    return CONTAINER_OF(base, struct v2_tree, base);
}

static struct v2_group *group_of(const struct cgroup *cgroup)
{
    return CONTAINER_OF(cgroup, struct v2_group, base);
}

/* ---- where ours goes ---- */

static int open_dir(int dir_fd, const char *path)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool is_hierarchy_root(int dir_fd)
{
    return faccessat(dir_fd, "cgroup.type", F_OK, 0) < 0;
}

/* How many processes does it hold besides this one? */
static int count_others(int dir_fd)
{
    auto_free char *listed = cgroup_read_whole(dir_fd, "cgroup.procs");
    if (!listed)
        return -errno;
    int others = 0;
    for (char *line = listed; *line;) {
        char *end = NULL;
        others += strtol(line, &end, 10) != getpid();
        line = end + strcspn(end, "\n");
        line += *line == '\n';
    }
    return others;
}

static const char *missing_controller(int dir_fd, const char *file)
{
    char text[512];
    if (fd_read_text_at(dir_fd, file, text, sizeof text) < 0)
        return controllers[0];
    for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
        if (!cgroup_word_in(text, controllers[i]))
            return controllers[i];
    return NULL;
}

static int move_everyone(int from_fd, int to_fd)
{
    auto_free char *listed = cgroup_read_whole(from_fd, "cgroup.procs");
    if (!listed)
        return -errno;
    char *rest = listed;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (*line)
            (void)fd_write_text_at(to_fd, "cgroup.procs", line); /* it may be gone already */
    return 0;
}

static int make_leaf(int parent_fd, const char *name)
{
    if (mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST)
        return -errno;
    return open_dir(parent_fd, name);
}

/* Sets parent_fd. `*ret_move_into_self`: we have to leave it. */
static int choose_parent(struct v2_tree *tree, const struct cgroup_host *host,
                         struct cgroup_place *place, bool *ret_move_into_self)
{
    *ret_move_into_self = false;
    tree->parent_fd = open_dir(AT_FDCWD, place->path);
    if (tree->parent_fd < 0)
        return tree->parent_fd;
    if (host->root || is_hierarchy_root(tree->parent_fd))
        return 0;
    int others = count_others(tree->parent_fd);
    if (others < 0)
        return others;
    if (others == 0) {
        *ret_move_into_self = true;
        return 0;
    }
    char *slash = strrchr(place->path, '/');
    if (slash && (size_t)(slash - place->path) >= place->mount_len) {
        *slash = '\0';
        fd_close(&tree->parent_fd);
        tree->parent_fd = open_dir(AT_FDCWD, place->path);
        return MIN(tree->parent_fd, 0);
    }
    auto_close int leaf_fd = make_leaf(tree->parent_fd, "init");
    return leaf_fd < 0 ? leaf_fd : move_everyone(tree->parent_fd, leaf_fd);
}

static int move_into_self(struct v2_tree *tree)
{
    auto_close int leaf_fd = make_leaf(tree->own_fd, "self");
    if (leaf_fd < 0)
        return leaf_fd;
    int rc = fd_write_text_at(leaf_fd, "cgroup.procs", "0");
    tree->moved_us = rc == 0;
    return rc;
}

static int enable_controllers(int dir_fd)
{
    if (!missing_controller(dir_fd, "cgroup.subtree_control"))
        return 0;
    int rc = fd_write_text_at(dir_fd, "cgroup.subtree_control", "+memory +pids +cpu");
    return rc < 0 ? rc : 1;
}

static int make_own(struct v2_tree *tree, const struct cgroup_host *host,
                    struct cgroup_place *place, struct err *err)
{
    bool into_self = false;
    int rc = choose_parent(tree, host, place, &into_self);
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "use %s: %s", place->path, strerror(-rc));
    const char *missing = missing_controller(tree->parent_fd, "cgroup.controllers");
    if (missing)
        return err_set(err, ERR_UNAVAILABLE, "%s offers no %s controller", place->path, missing);
    cgroup_reap_leftovers(tree->parent_fd);
    tree->own_fd = make_leaf(tree->parent_fd, tree->own_name);
    if (tree->own_fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "make a group below %s: %s", place->path,
                       strerror(-tree->own_fd));
    rc = into_self ? move_into_self(tree) : 0;
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "leave %s: %s", place->path, strerror(-rc));
    rc = enable_controllers(tree->parent_fd);
    tree->enabled_parents = rc == 1;
    if (rc >= 0)
        rc = enable_controllers(tree->own_fd);
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "enable controllers below %s: %s", place->path,
                       strerror(-rc));
    return 0;
}

/* Back to where we came from, so that nothing of ours stays. Best effort: what
 * is left is the next spawner's to remove. */
static void move_back(struct v2_tree *tree)
{
    (void)fd_write_text_at(tree->own_fd, "cgroup.subtree_control", "-memory -pids -cpu");
    if (tree->enabled_parents)
        (void)fd_write_text_at(tree->parent_fd, "cgroup.subtree_control", "-memory -pids -cpu");
    auto_close int leaf_fd = open_dir(tree->own_fd, "self");
    if (leaf_fd >= 0)
        (void)move_everyone(leaf_fd, tree->parent_fd);
}

static void v2_close(struct cgroup_tree *base)
{
    struct v2_tree *tree = tree_of(base);
    if (tree->moved_us) {
        cgroup_remove_groups(tree->own_fd);
        move_back(tree);
        (void)unlinkat(tree->own_fd, "self", AT_REMOVEDIR);
        (void)unlinkat(tree->parent_fd, tree->own_name, AT_REMOVEDIR);
    } else if (tree->own_fd >= 0) {
        (void)cgroup_remove_tree(tree->parent_fd, tree->own_name);
    }
    fd_close(&tree->own_fd);
    fd_close(&tree->parent_fd);
    free(tree);
}

/* until Linux 6.12: memory.peak cannot be opened for writing */
static bool peak_can_be_reset(int dir_fd)
{
    auto_close int fd = openat(dir_fd, "memory.peak", O_RDWR | O_CLOEXEC);
    return fd >= 0 && write(fd, "0", 1) == 1;
}

static int v2_open(const struct cgroup_host *host, struct cgroup_tree **ret_tree, struct err *err)
{
    struct cgroup_place place;
    int rc = cgroup_find(host, NULL, &place);
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s",
                       rc == -ENXIO ? "its mount does not show this process's cgroup"
                                    : "not mounted");
    struct v2_tree *tree = calloc(1, sizeof *tree);
    if (!tree)
        return err_sys(err, ENOMEM, "open cgroups");
    tree->parent_fd = tree->own_fd = -1;
    (void)snprintf(tree->own_name, sizeof tree->own_name, "%s", host->own_name);
    if (make_own(tree, host, &place, err) < 0) {
        v2_close(&tree->base);
        return -1;
    }
    tree->base.reuses = peak_can_be_reset(tree->own_fd);
    (void)snprintf(tree->base.about, sizeof tree->base.about, "v2: memory, pids, cpu");
    *ret_tree = &tree->base;
    return 0;
}

/* ---- a group ---- */

static int v2_remove(struct cgroup *cgroup)
{
    int own_fd = tree_of(cgroup->tree)->own_fd;
    if (unlinkat(own_fd, cgroup->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return -EBUSY;
    return 0;
}

static void v2_free(struct cgroup *cgroup)
{
    struct v2_group *group = group_of(cgroup);
    fd_close(&group->dir_fd);
    for (size_t i = 0; i < FIGURES; i++)
        fd_close(&group->figure[i].fd);
    free(group);
}

static struct cgroup *v2_create(struct cgroup_tree *base, const char *name, struct err *err)
{
    struct v2_group *group = calloc(1, sizeof *group);
    if (!group) {
        (void)err_sys(err, ENOMEM, "make group %s", name);
        return NULL;
    }
    group->base.tree = base;
    (void)snprintf(group->base.name, sizeof group->base.name, "%s", name);
    group->dir_fd = make_leaf(tree_of(base)->own_fd, name);
    for (size_t i = 0; i < FIGURES; i++)
        group->figure[i] =
            (struct cgroup_file){group->dir_fd, figures[i].file, figures[i].mode, -1};
    if (base->reuses)
        group->figure[MEMORY_PEAK].mode = O_RDWR;
    if (group->dir_fd < 0) {
        (void)err_set(err, ERR_UNAVAILABLE, "make group %s: %s", name, strerror(-group->dir_fd));
        v2_free(&group->base);
        return NULL;
    }
    return &group->base;
}

static int limit_memory(const struct v2_group *group, uint64_t bytes)
{
    /* Without swap, the limit of memory is that of both together. */
    int rc = fd_write_text_at(group->dir_fd, "memory.swap.max", bytes ? "0" : "max");
    if (rc < 0 && rc != -ENOENT) /* a kernel without swap */
        return rc;
    rc = fd_write_text_at(group->dir_fd, "memory.oom.group", "1");
    if (rc < 0)
        return rc;
    char text[24] = "max";
    if (bytes)
        (void)snprintf(text, sizeof text, "%" PRIu64, bytes);
    return fd_write_text_at(group->dir_fd, "memory.max", text);
}

static int limit_processes(struct v2_group *group, uint64_t processes)
{
    struct cgroup_file *file = &group->figure[PIDS_MAX];
    return processes ? cgroup_file_write_u64(file, processes) : cgroup_file_write(file, "max");
}

/* Written at every use: see cgroup_v1.c. */
static int limit_cpu(struct v2_group *group, uint64_t milli)
{
    char text[48] = "max";
    if (milli)
        (void)snprintf(text, sizeof text, "%" PRIu64 " %d", milli * CPU_PERIOD_US / 1000,
                       CPU_PERIOD_US);
    return cgroup_file_write(&group->figure[CPU_MAX], text);
}

/* Raw: since the group was made, and cpu time in microseconds. */
static int read_figures(struct v2_group *group, struct cgroup_usage *usage)
{
    struct cgroup_file *figure = group->figure;
    int rc = cgroup_file_read(&figure[MEMORY_CURRENT], NULL, &usage->memory_bytes);
    if (rc == 0)
        rc = cgroup_file_read(&figure[CPU_STAT], "usage_usec", &usage->cpu_ns);
    if (rc == 0)
        rc = cgroup_file_read(&figure[MEMORY_EVENTS], "oom_kill", &usage->oom_kills);
    if (rc == 0)
        rc = cgroup_file_read(&figure[PIDS_EVENTS], "max", &usage->process_limit_hits);
    /* until Linux 5.19: there is no memory.peak */
    if (rc == 0 && cgroup_file_read(&figure[MEMORY_PEAK], NULL, &usage->memory_peak_bytes) < 0)
        usage->memory_peak_bytes = usage->memory_bytes;
    return rc;
}

static int start_figures(struct v2_group *group)
{
    uint64_t processes = 0;
    int rc = cgroup_file_read(&group->figure[PIDS_CURRENT], NULL, &processes);
    if (rc < 0 || processes > 0)
        return rc < 0 ? rc : -ENOTEMPTY;
    if (group->base.tree->reuses)
        rc = cgroup_file_write(&group->figure[MEMORY_PEAK], "0");
    struct cgroup_usage usage = {0};
    if (rc == 0)
        rc = read_figures(group, &usage);
    if (rc < 0)
        return rc;
    if (usage.memory_bytes > group->base.tree->residue_bytes)
        return -EBUSY;
    group->memory_before = usage.memory_bytes;
    group->highest_seen = 0;
    group->cpu_us_before = usage.cpu_ns;
    group->oom_kills_before = usage.oom_kills;
    group->process_limit_hits_before = usage.process_limit_hits;
    return 0;
}

static int v2_prepare(struct cgroup *cgroup, const struct cgroup_limits *limits, struct err *err)
{
    struct v2_group *group = group_of(cgroup);
    const char *what = "start the figures of";
    int rc = start_figures(group);
    if (rc == 0) {
        what = "limit the memory of";
        rc = limit_memory(group, limits->memory_bytes);
    }
    if (rc == 0) {
        what = "limit the processes of";
        rc = limit_processes(group, limits->processes);
    }
    if (rc == 0) {
        what = "limit the cpu share of";
        rc = limit_cpu(group, limits->cpu_milli);
    }
    if (rc < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot %s group %s: %s", what, cgroup->name,
                       strerror(-rc));
    return 0;
}

static int v2_usage(struct cgroup *cgroup, struct cgroup_usage *ret_usage)
{
    struct v2_group *group = group_of(cgroup);
    struct cgroup_usage usage = {0};
    int rc = read_figures(group, &usage);
    if (rc < 0)
        return rc;
    group->highest_seen = MAX(group->highest_seen, usage.memory_peak_bytes);
    usage.memory_peak_bytes = group->highest_seen;
    usage.cpu_ns = (usage.cpu_ns - group->cpu_us_before) * 1000;
    usage.oom_kills -= group->oom_kills_before;
    usage.process_limit_hits -= group->process_limit_hits_before;
    cgroup_subtract_residue(&usage, group->memory_before);
    *ret_usage = usage;
    return 0;
}

static int v2_clone_fd(const struct cgroup *cgroup)
{
    return group_of(cgroup)->dir_fd;
}

static size_t v2_attach_fds(const struct cgroup *cgroup, int fds[CGROUP_ATTACH_MAX])
{
    (void)cgroup;
    (void)fds;
    return 0;
}

static int v2_oom_fd(const struct cgroup *cgroup)
{
    (void)cgroup;
    return -1;
}

static void v2_lift_cpu_limit(struct cgroup *cgroup)
{
    (void)limit_cpu(group_of(cgroup), 0);
}

static void v2_kill(struct cgroup *cgroup)
{
    (void)cgroup_kill_members(group_of(cgroup)->dir_fd);
}

const struct cgroup_driver cgroup_v2 = {
    .open = v2_open,
    .close = v2_close,
    .create = v2_create,
    .prepare = v2_prepare,
    .remove = v2_remove,
    .free = v2_free,
    .clone_fd = v2_clone_fd,
    .attach_fds = v2_attach_fds,
    .oom_fd = v2_oom_fd,
    .usage = v2_usage,
    .lift_cpu_limit = v2_lift_cpu_limit,
    .kill = v2_kill,
};
