/* SPDX-License-Identifier: MIT */
/* box_mounts.c — what a box mounts over the tree that it inherits (rootfs.c). */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "base/util.h"
#include "os/sys.h"
#include "sandbox/box.h"
#include "sandbox/weakened.h"

/* Parts of /proc that tell about the host or act on it. The program is not root
 * and has no capability, so it could not write any of them; nor need it read
 * them. ENOENT is a kernel without that part. */
static const char *const masked_files[] = {
    "/proc/kcore",      "/proc/keys",        "/proc/key-users",     "/proc/kmsg",
    "/proc/timer_list", "/proc/sched_debug", "/proc/sysrq-trigger", "/proc/latency_stats",
    "/proc/interrupts", "/proc/kallsyms",    "/proc/modules",       "/proc/locks",
    "/proc/cmdline",    "/proc/bootconfig",  "/proc/config.gz",     "/proc/diskstats",
    "/proc/partitions",
};

static const char *const masked_folders[] = {
    "/proc/acpi", "/proc/asound", "/proc/bus",      "/proc/driver",
    "/proc/fs",   "/proc/irq",    "/proc/pressure", "/proc/scsi",
};

static int mask(const char *const *paths, size_t count, const char *with)
{
    for (size_t i = 0; i < count; i++) {
        if (mount(with, paths[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}

static int make_read_only(const char *path)
{
    int tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0)
        return tree;
    int rc = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, MOUNT_ATTR_RDONLY);
    return rc < 0 ? rc : sys_move_mount(tree, AT_FDCWD, path);
}

static int mount_proc(const struct box_plan *plan)
{
    const char *options = plan->whole_proc ? "hidepid=2" : "hidepid=2,subset=pid";
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
        return -errno;
    if (!plan->whole_proc)
        return 0;
    int rc = mask(masked_files, ARRAY_LEN(masked_files), "/dev/null");
    if (rc == 0)
        rc = mask(masked_folders, ARRAY_LEN(masked_folders), "/dev/empty");
    return rc < 0 ? rc : make_read_only("/proc/sys");
}

int box_step_workspace(const struct box_plan *plan)
{
    return sys_move_mount(plan->workspace_mount, AT_FDCWD, "/work");
}

int box_step_mounts(const struct box_plan *plan)
{
    if (!step_is_on("root"))
        return 0;
    static const char *const scratch[] = {"/tmp", "/dev/shm"};
    for (size_t i = 0; i < ARRAY_LEN(scratch); i++) {
        if (mount("tmpfs", scratch[i], "tmpfs", MS_NOSUID | MS_NODEV, plan->tmp_options) < 0)
            return -errno;
    }
    return mount_proc(plan);
}
