/* SPDX-License-Identifier: MIT */
/* cgroup_v2_tree.h — a spawner's own cgroup in version 2. For cgroup_v2.c, whose
 * groups go into it. */
#ifndef RUNNEL_SANDBOX_CGROUP_V2_TREE_H
#define RUNNEL_SANDBOX_CGROUP_V2_TREE_H

#include "sandbox/cgroup_driver.h"

struct v2_tree {
    struct cgroup_tree base;
    int parent_fd;
    int own_fd;
    bool moved_us;        /* into <ours>/self */
    bool enabled_parents; /* controllers that were off before */
    char own_name[128];
};

static inline struct v2_tree *v2_tree_of(struct cgroup_tree *base)
{
    return CONTAINER_OF(base, struct v2_tree, base);
}

/* The driver's open and close. */
int v2_tree_open(const struct cgroup_host *host, struct cgroup_tree **ret_tree, struct err *err);
void v2_tree_close(struct cgroup_tree *base);

#endif
