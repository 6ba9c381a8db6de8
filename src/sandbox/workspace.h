/* SPDX-License-Identifier: MIT */
/* workspace.h — a run's files: a tmpfs that never has a path on the host.
 *
 * It is made detached, filled through its own descriptor before any box exists,
 * and each stage gets a clone of the mount. Closing the last descriptor is the
 * whole clean-up; a crash cleans up by itself.
 */
#ifndef RUNNEL_SANDBOX_WORKSPACE_H
#define RUNNEL_SANDBOX_WORKSPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "sandbox/message.h"

/* until Linux 6.15: a detached mount cannot be cloned, so clones are made ahead. */
enum { WORKSPACE_CLONES = COMMANDS_MAX };

struct workspace_mount {
    int mount;                    /* -1: none */
    int clones[WORKSPACE_CLONES]; /* -1 but on kernels that need them */
};

/* Relative, not longer than SANDBOX_PATH_MAX, no empty, "." or ".." part. */
bool workspace_path_is_plain(const char *path);

/* Owner and group are those of the box, in this namespace. 0 or -errno;
 * -EINVAL when a path is not a plain relative one, or sizes and bytes disagree. */
int workspace_make(const struct workspace_open_message *message, int content_fd, uid_t uid,
                   gid_t gid, struct workspace_mount *ret_mount);
/* A detached mount for one box, to be closed by the caller; or -errno. */
int workspace_clone(struct workspace_mount *mount);
/* Is not one byte, or not one inode, left? */
bool workspace_is_full(const struct workspace_mount *mount);
void workspace_unmake(struct workspace_mount *mount);

#endif
