/* SPDX-License-Identifier: MIT */
/* box_landlock.c — a second barrier around paths, which does not know the first.
 *
 * It names what may be used, so it would hold even if the tree of the box were
 * the host's. Rights are those of the ABI that the kernel offers.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "os/kernel_abi.h"
#include "os/sys.h"
#include "sandbox/box.h"

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RUN (READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define DEVICE (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_IOCTL_DEV)
#define PROC (READ | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define OWN                                                                                     \
    (RUN | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |                        \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                           \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
#define ALL (OWN | DEVICE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

static const struct {
    const char *path;
    uint64_t access;
} allowed[] = {
    {"/usr", RUN},   {"/bin", RUN},    {"/sbin", RUN}, {"/lib", RUN},     {"/lib32", RUN},
    {"/lib64", RUN}, {"/libx32", RUN}, {"/etc", READ}, {"/opt", RUN},     {"/dev", DEVICE},
    {"/proc", PROC}, {"/work", OWN},   {"/tmp", OWN},  {"/dev/shm", OWN},
};

/* Rights and scopes that came with later versions, by the first that has them. */
static uint64_t known_access(int abi)
{
    uint64_t access = ALL;
    if (abi < 2)
        access &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
    if (abi < 3)
        access &= ~(uint64_t)LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi < 5)
        access &= ~(uint64_t)LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return access;
}

int box_step_landlock(const struct box_plan *plan)
{
    if (plan->landlock_abi <= 0)
        return -EOPNOTSUPP;
    uint64_t known = known_access(plan->landlock_abi);
    uint64_t scoped =
        plan->landlock_abi < 6 ? 0 : LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
    auto_close int ruleset = sys_landlock_create_ruleset(known, scoped);
    if (ruleset < 0)
        return ruleset;
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        int path = open(allowed[i].path, O_PATH | O_CLOEXEC);
        if (path < 0 && errno == ENOENT)
            continue;
        if (path < 0)
            return -errno;
        int rc = sys_landlock_allow_path(ruleset, path, allowed[i].access & known);
        fd_close(&path);
        if (rc < 0)
            return rc;
    }
    return sys_landlock_restrict_self(ruleset);
}
