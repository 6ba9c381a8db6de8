/* SPDX-License-Identifier: MIT */
#include "sandbox/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/weakened.h"

static const char *const folders[] = {"usr",       "etc",  "dev",  "dev/shm",
                                      "dev/empty", "proc", "work", "tmp"};

/* Present at the top of a Debian tree; each is a link into usr, or (on systems
 * that have not merged them) a folder of its own. */
static const char *const top_level[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

static const struct device {
    const char *name;
    unsigned major;
    unsigned minor;
} devices[] = {
    {"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
    {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const struct {
    const char *name;
    const char *target;
} links[] = {
    {"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"}, {"dev/stderr", "/proc/self/fd/2"},
    {"etc/mtab", "/proc/self/mounts"},
};

/* A copy of a tree of the host at ./to, without set-uid bits and devices. */
static int bind_tree(const char *from, const char *to, uint64_t attributes, struct err *err)
{
    auto_close int tree = sys_open_tree(
        AT_FDCWD, from, (unsigned)(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (tree < 0)
        return err_sys(err, -tree, "open the tree %s", from);
    int rc = sys_mount_setattr(tree, "", (unsigned)(AT_EMPTY_PATH | AT_RECURSIVE),
                               attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (rc < 0)
        return err_sys(err, -rc, "restrict the tree %s", from);
    rc = sys_move_mount(tree, AT_FDCWD, to);
    return rc < 0 ? err_sys(err, -rc, "mount %s", from) : 0;
}

/* A link stays one, and a folder is mounted; a tree need not have each. */
static int add_top_level(const char *toolchains, const char *name, struct err *err)
{
    char path[PATH_MAX];
    char target[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", toolchains, name) >= (int)sizeof path)
        return err_set(err, ERR_CONFIG, "rootfs %s: the path is too long", toolchains);
    ssize_t len = readlink(path, target, sizeof target - 1);
    if (len >= 0) {
        target[len] = '\0';
        return symlink(target, name) < 0 ? err_sys(err, errno, "link /%s", name) : 0;
    }
    if (errno == ENOENT)
        return 0;
    struct stat status;
    if (errno != EINVAL || stat(path, &status) < 0) /* EINVAL: it is no link */
        return err_sys(err, errno, "look at %s", path);
    if (!S_ISDIR(status.st_mode))
        return 0;
    if (mkdir(name, 0755) < 0)
        return err_sys(err, errno, "make /%s", name);
    return bind_tree(path, name, MOUNT_ATTR_RDONLY, err);
}

static int add_toolchains(const char *toolchains, struct err *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/usr", toolchains) >= (int)sizeof path)
        return err_set(err, ERR_CONFIG, "rootfs %s: the path is too long", toolchains);
    if (bind_tree(path, "usr", MOUNT_ATTR_RDONLY, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(top_level); i++) {
        if (add_top_level(toolchains, top_level[i], err) < 0)
            return -1;
    }
    return 0;
}

static int bind_device(const char *name, struct err *err)
{
    char from[32];
    char to[32];
    (void)snprintf(from, sizeof from, "/dev/%s", name);
    (void)snprintf(to, sizeof to, "dev/%s", name);
    auto_close int placeholder = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (placeholder < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0)
        return err_sys(err, errno, "mount the device /dev/%s", name);
    return 0;
}

/* A node of its own, or, where making one is forbidden (to who is not root, and in a container),
 * the host's. */
static int add_device(const struct device *device, bool privileged, struct err *err)
{
    char path[32];
    (void)snprintf(path, sizeof path, "dev/%s", device->name);
    if (privileged && mknod(path, S_IFCHR | 0666, makedev(device->major, device->minor)) == 0) {
        if (chmod(path, 0666) < 0)
            return err_sys(err, errno, "set the mode of /%s", path);
        return 0;
    }
    if (privileged && errno != EPERM && errno != EACCES)
        return err_sys(err, errno, "make the device /%s", path);
    return bind_device(device->name, err);
}

static int add_devices(bool privileged, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
        if (add_device(&devices[i], privileged, err) < 0)
            return -1;
    }
    return 0;
}

/* Builds the tree in the working directory. */
static int build(const struct rootfs_plan *plan, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        if (mkdir(folders[i], 0755) < 0)
            return err_sys(err, errno, "make the folder /%s of boxes", folders[i]);
    }
    if (add_toolchains(plan->toolchains, err) < 0 || add_devices(plan->privileged, err) < 0)
        return -1;
    if (rootfs_write_etc(plan->etc, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        if (symlink(links[i].target, links[i].name) < 0)
            return err_sys(err, errno, "link /%s", links[i].name);
    }
    /* Without root, the kernel lets a new /proc be mounted only where one is
     * visible already; each box covers this one with its own. */
    return plan->privileged ? 0 : bind_tree("/proc", "proc", MOUNT_ATTR_NOEXEC, err);
}

/* Makes the working directory the root, and lets go of the old one. */
static int become_root(struct err *err)
{
    int rc = sys_mount_setattr(AT_FDCWD, ".", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
    if (rc < 0)
        return err_sys(err, -rc, "make the tree of boxes read-only");
    rc = sys_pivot_root(".", ".");
    if (rc < 0)
        return err_sys(err, -rc, "pivot into the tree of boxes");
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return err_sys(err, errno, "leave the host's tree");
    return 0;
}

/* Any folder will do to build in: the namespace is our own. */
static int mount_empty_tree(struct err *err)
{
    static const char *const places[] = {"/tmp", "/mnt", "/run", "/var"};
    static const char options[] = "size=8m,nr_inodes=4096,mode=755";
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (mount("tmpfs", places[i], "tmpfs", MS_NOSUID, options) == 0)
            return chdir(places[i]) < 0 ? err_sys(err, errno, "enter %s", places[i]) : 0;
    }
    return err_sys(err, errno, "mount a tmpfs for the tree of boxes");
}

int rootfs_enter(const struct rootfs_plan *plan, struct err *err)
{
    if (unshare(CLONE_NEWNS) < 0)
        return err_sys(err, errno, "make a mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_sys(err, errno, "make the mounts private");
    if (!step_is_on("root"))
        return chdir("/") < 0 ? err_sys(err, errno, "enter /") : 0;
    if (mount_empty_tree(err) < 0 || build(plan, err) < 0)
        return -1;
    return become_root(err);
}
