/* SPDX-License-Identifier: MIT */
/* cgroup.h — a group of limits and figures around one box.
 *
 *     cgroup_tree_open(&settings, &tree, err);      picks v2 or v1, once
 *     cgroup = cgroup_take(tree, &limits, err);     empty, reset, limits set
 *     …the box attaches itself: cgroup_clone_fd for clone3 on v2, else it
 *      writes "0" into each of cgroup_attach_fds…
 *     cgroup_usage(cgroup, &usage);
 *     cgroup_release(cgroup);                       when the box is dead
 *
 * Only the spawner calls this (single-threaded, may allocate). Which version
 * the host has is known to the driver alone. Groups live below one directory a
 * controller, whose name tells whose it is (cgroup_reap_leftovers).
 */
#ifndef RUNNEL_SANDBOX_CGROUP_H
#define RUNNEL_SANDBOX_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cgroup_tree;
struct cgroup;

enum { CGROUP_ATTACH_MAX = 4 };

struct cgroup_limits {
    uint64_t memory_bytes; /* swap included; 0: none */
    uint64_t processes;    /* 0: none */
    uint64_t cpu_milli;    /* thousandths of a CPU; 0: none */
};

struct cgroup_usage {
    uint64_t cpu_ns;
    uint64_t memory_bytes;
    uint64_t memory_peak_bytes;
    uint64_t oom_kills;          /* since cgroup_take */
    uint64_t process_limit_hits; /* since cgroup_take */
};

/* Opens the tree below `root` (a path as in /proc/self/cgroup, "/runs"; NULL: this
 * process's own cgroup, or on v2, where that may not be, beside it), makes this spawner's directory
 * there and removes those of dead spawners, processes in them first. Fails with ERR_UNAVAILABLE and
 * a sentence when the host offers no usable controllers. */
int cgroup_tree_open(const char *root, struct cgroup_tree **ret_tree, struct err *err);
/* Removes everything it made; every box must be dead. NULL is allowed. */
void cgroup_tree_close(struct cgroup_tree *tree);
/* "v1: memory, pids, cpu, cpuacct" */
const char *cgroup_tree_describe(const struct cgroup_tree *tree);

struct cgroup *cgroup_take(struct cgroup_tree *tree, const struct cgroup_limits *limits,
                           struct err *err);
/* v2: directory descriptor for CLONE_INTO_CGROUP; -1 where boxes attach themselves. */
int cgroup_clone_fd(const struct cgroup *cgroup);
/* v1: descriptors open for writing; returns how many. They stay the group's. */
size_t cgroup_attach_fds(const struct cgroup *cgroup, int fds[CGROUP_ATTACH_MAX]);
/* Becomes readable when the group or one above it runs out of memory; in the first case
 * the box must be killed whole (v1). -1 where the kernel does that by itself
 * (memory.oom.group). */
int cgroup_oom_fd(const struct cgroup *cgroup);
void cgroup_oom_clear(struct cgroup *cgroup); /* drains it */
/* After that, or an oom_kill: was it this group's own limit that was met? If not, a group
 * above it or the whole machine has run out. */
bool cgroup_ran_out(struct cgroup *cgroup);
int cgroup_usage(struct cgroup *cgroup, struct cgroup_usage *ret_usage);
/* Before a box is killed: processes whose group has used up its cpu quota run no
 * step before the next period, not even towards their death (up to 100 ms). */
void cgroup_lift_cpu_limit(struct cgroup *cgroup);
/* Kills whatever is left in it (cgroup.kill where there is one). */
void cgroup_kill(struct cgroup *cgroup);
/* Back to the pool when it is empty and could be reset, else removed (now, or
 * by a later call when the kernel still holds it). */
void cgroup_release(struct cgroup *cgroup);

#endif
