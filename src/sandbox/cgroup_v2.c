/* SPDX-License-Identifier: MIT */
/* Version 2: one hierarchy, and a box is cloned straight into its group
 * (cgroup_v2_tree.c says where in the hierarchy that is).
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
#include "sandbox/cgroup_v2_tree.h"

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

struct v2_group {
    struct cgroup base;
    int dir_fd;
    struct cgroup_file figure[FIGURES];
    bool unlimited_memory; /* as it was born */
    uint64_t memory_limit;
    uint64_t highest_seen;
    /* At the start of the present use. */
    uint64_t memory_before;
    uint64_t cpu_us_before;
    uint64_t ran_out_before;
    uint64_t oom_kills_before;
    uint64_t process_limit_hits_before;
};

static struct v2_group *group_of(const struct cgroup *cgroup)
{
    return CONTAINER_OF(cgroup, struct v2_group, base);
}

static int v2_remove(struct cgroup *cgroup)
{
    int own_fd = v2_tree_of(cgroup->tree)->own_fd;
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
    group->dir_fd = cgroup_make_directory(v2_tree_of(base)->own_fd, name);
    for (size_t i = 0; i < FIGURES; i++)
        group->figure[i] =
            (struct cgroup_file){group->dir_fd, figures[i].file, figures[i].mode, -1};
    if (base->reuses)
        group->figure[MEMORY_PEAK].mode = O_RDWR;
    group->unlimited_memory = true;
    int rc = MIN(group->dir_fd, 0);
    if (rc == 0)
        rc = fd_write_text_at(group->dir_fd, "memory.oom.group", "1");
    if (rc < 0) {
        (void)err_set(err, ERR_UNAVAILABLE, "make group %s: %s", name, strerror(-rc));
        (void)v2_remove(&group->base); /* else v2_tree_close will */
        v2_free(&group->base);
        return NULL;
    }
    return &group->base;
}

static int v2_limit_memory(struct cgroup *cgroup, uint64_t bytes)
{
    struct v2_group *group = group_of(cgroup);
    bool unlimited = bytes == 0;
    if (group->unlimited_memory ? unlimited : bytes == group->memory_limit)
        return 0;
    /* Without swap, the limit of memory is that of both together. */
    int rc = fd_write_text_at(group->dir_fd, "memory.swap.max", unlimited ? "max" : "0");
    if (rc < 0 && rc != -ENOENT) /* a kernel without swap */
        return rc;
    char text[24] = "max";
    if (!unlimited)
        (void)snprintf(text, sizeof text, "%" PRIu64, bytes);
    rc = fd_write_text_at(group->dir_fd, "memory.max", text);
    group->unlimited_memory = unlimited;
    group->memory_limit = bytes;
    return rc;
}

static int v2_limit_processes(struct cgroup *cgroup, uint64_t processes)
{
    struct cgroup_file *file = &group_of(cgroup)->figure[PIDS_MAX];
    return processes ? cgroup_file_write_u64(file, processes) : cgroup_file_write(file, "max");
}

static int v2_limit_cpu(struct cgroup *cgroup, uint64_t milli)
{
    char text[48] = "max";
    if (milli)
        (void)snprintf(text, sizeof text, "%" PRIu64 " %d", milli * CPU_PERIOD_US / 1000,
                       CPU_PERIOD_US);
    return cgroup_file_write(&group_of(cgroup)->figure[CPU_MAX], text);
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

static int v2_start_figures(struct cgroup *cgroup)
{
    struct v2_group *group = group_of(cgroup);
    uint64_t processes = 0;
    int rc = cgroup_file_read(&group->figure[PIDS_CURRENT], NULL, &processes);
    if (rc < 0 || processes > 0)
        return rc < 0 ? rc : -ENOTEMPTY;
    if (group->base.tree->reuses)
        rc = cgroup_file_write(&group->figure[MEMORY_PEAK], "0");
    struct cgroup_usage usage = {0};
    if (rc == 0)
        rc = read_figures(group, &usage);
    if (rc == 0)
        rc = cgroup_file_read(&group->figure[MEMORY_EVENTS], "oom", &group->ran_out_before);
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

/* Counted for the group whose limit was met and for those above it; oom_kill is for
 * whoever the kernel chose. */
static bool v2_ran_out(struct cgroup *cgroup)
{
    struct v2_group *group = group_of(cgroup);
    uint64_t ran_out = 0;
    return cgroup_file_read(&group->figure[MEMORY_EVENTS], "oom", &ran_out) == 0 &&
           ran_out > group->ran_out_before;
}

static void v2_kill(struct cgroup *cgroup)
{
    (void)cgroup_kill_members(group_of(cgroup)->dir_fd);
}

const struct cgroup_driver cgroup_v2 = {
    .open = v2_tree_open,
    .close = v2_tree_close,
    .create = v2_create,
    .start_figures = v2_start_figures,
    .limit_memory = v2_limit_memory,
    .limit_processes = v2_limit_processes,
    .limit_cpu = v2_limit_cpu,
    .remove = v2_remove,
    .free = v2_free,
    .clone_fd = v2_clone_fd,
    .attach_fds = v2_attach_fds,
    .oom_fd = v2_oom_fd,
    .ran_out = v2_ran_out,
    .usage = v2_usage,
    .kill = v2_kill,
};
