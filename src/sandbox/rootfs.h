/* SPDX-License-Identifier: MIT */
/* rootfs.h — the tree that boxes see, made once, inherited by every clone.
 *
 * The toolchains' /usr read-only, a synthetic /etc, a minimal /dev, and empty
 * places for what each box mounts itself. It lives in a mount namespace without
 * any path of the host: five or six mounts, because each costs every clone.
 */
#ifndef RUNNEL_SANDBOX_ROOTFS_H
#define RUNNEL_SANDBOX_ROOTFS_H

#include <stdbool.h>

#include "base/err.h"

struct rootfs_plan {
    const char *toolchains; /* whose /usr, /bin, /lib…: "/" or a language's own tree */
    const char *const *etc; /* paths under /etc to copy into it, NULL-ended */
    bool privileged;        /* device nodes can be made; else the host's are bound */
};

/* Leaves this process's mount namespace for a new one that holds this tree and
 * nothing else; / and the working directory are its root. */
int rootfs_enter(const struct rootfs_plan *plan, struct err *err);

/* rootfs_etc.c: writes the synthetic /etc into ./etc of the working directory. */
int rootfs_write_etc(const char *const *copied, struct err *err);

#endif
