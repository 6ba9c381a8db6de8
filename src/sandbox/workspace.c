/* SPDX-License-Identifier: MIT */
#include "sandbox/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/client.h"
#include "sandbox/weakened.h"

static int configure(int fs, const char *key, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    return sys_fsconfig_text(fs, key, text);
}

/* The fsopen descriptor is closed on return: while open it keeps the memory
 * charged. */
static int make_tmpfs(uint64_t bytes, uint64_t inodes, uid_t uid, gid_t gid)
{
    auto_close int fs = sys_fsopen("tmpfs");
    if (fs < 0)
        return fs;
    int rc = configure(fs, "size", step_is_on("size") ? bytes : 0);
    if (rc == 0)
        rc = configure(fs, "nr_inodes", step_is_on("size") ? inodes : 0);
    if (rc == 0)
        rc = configure(fs, "uid", uid);
    if (rc == 0)
        rc = configure(fs, "gid", gid);
    if (rc == 0)
        rc = sys_fsconfig_text(fs, "mode", "0700");
    if (rc == 0)
        rc = sys_fsconfig_create(fs);
    return rc < 0 ? rc : sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* Relative, no empty, "." or ".." part, no part too long. openat2 would refuse
 * the rest; this gives one answer for all of them. */
bool workspace_path_is_plain(const char *path)
{
    if (strlen(path) > SANDBOX_PATH_MAX)
        return false;
    for (const char *part = path;; part++) {
        size_t len = strcspn(part, "/");
        if (len == 0 || len > 255 || (len == 1 && part[0] == '.') ||
            (len == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += len;
        if (*part == '\0')
            return true;
    }
}

static int make_folders(int root, char *path, uid_t uid, gid_t gid)
{
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdirat(root, path, 0755) < 0 ? -errno : 0;
        if (rc == 0 && fchownat(root, path, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
            rc = -errno;
        *slash = '/';
        if (rc < 0 && rc != -EEXIST)
            return rc;
    }
    return 0;
}

static int write_file(int root, const char *path, int content_fd, uint64_t size, uid_t uid,
                      gid_t gid)
{
    auto_close int fd = sys_open_beneath(root, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0)
        return fd;
    while (size > 0) {
        ssize_t sent = sendfile(fd, content_fd, NULL, (size_t)MIN(size, GIB));
        if (sent < 0)
            return -errno;
        if (sent == 0)
            return -EINVAL;
        size -= (uint64_t)sent;
    }
    return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

/* A path that ends in "/" is a folder. */
static int make(int root, char *path, int content_fd, uint64_t size, uid_t uid, gid_t gid)
{
    size_t len = strlen(path);
    bool is_folder = len > 0 && path[len - 1] == '/';
    if (is_folder)
        path[len - 1] = '\0';
    if (!workspace_path_is_plain(path) || (is_folder && size > 0))
        return -EINVAL;
    if (is_folder)
        path[len - 1] = '/';
    int rc = make_folders(root, path, uid, gid);
    if (rc < 0 || !is_folder)
        return rc < 0 ? rc : write_file(root, path, content_fd, size, uid, gid);
    auto_close int folder = sys_open_beneath(root, path, O_PATH | O_DIRECTORY, 0);
    return folder < 0 ? folder : 0; /* it may have been a file before */
}

static int fill(int root, const struct workspace_open_message *message, int content_fd, uid_t uid,
                gid_t gid)
{
    size_t count = message->sizes.len / sizeof(uint64_t);
    for (size_t i = 0; message->paths[i] || i < count; i++) {
        char path[SANDBOX_PATH_MAX + 2];
        uint64_t size = 0;
        if (!message->paths[i] || i >= count || strlen(message->paths[i]) >= sizeof path)
            return -EINVAL;
        memcpy(path, message->paths[i], strlen(message->paths[i]) + 1);
        memcpy(&size, message->sizes.at + i * sizeof size, sizeof size);
        int rc = make(root, path, content_fd, size, uid, gid);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Attached for a moment in the spawner's own namespace, where nothing runs. One that stayed would
 * lie below those of all boxes that come: it is of no use then, and goes before the next is made.
 */
static int clone_ahead(struct workspace_mount *mount)
{
    static bool is_attached;
    if (is_attached && umount2("/work", MNT_DETACH) < 0)
        return -errno;
    is_attached = false;
    int rc = sys_move_mount(mount->mount, AT_FDCWD, "/work");
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < WORKSPACE_CLONES && rc == 0; i++) {
        mount->clones[i] = sys_open_tree(AT_FDCWD, "/work", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        rc = mount->clones[i] < 0 ? mount->clones[i] : 0;
    }
    is_attached = umount2("/work", MNT_DETACH) < 0;
    return is_attached ? -errno : rc;
}

static int try_clone(int mount)
{
    return sys_open_tree(mount, "",
                         (unsigned)(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
}

/* Asked of the first workspace that answers: a kernel that cannot says EINVAL, and any
 * other error is one of the moment. */
static int prepare_clones(struct workspace_mount *mount)
{
    static enum { UNKNOWN, WHEN_WANTED, AHEAD } how;
    if (how == UNKNOWN) {
        mount->clones[0] = try_clone(mount->mount); /* of use to the first stage */
        if (mount->clones[0] < 0 && mount->clones[0] != -EINVAL)
            return mount->clones[0];
        how = mount->clones[0] < 0 ? AHEAD : WHEN_WANTED;
    }
    return how == AHEAD ? clone_ahead(mount) : 0;
}

int workspace_make(const struct workspace_open_message *message, int content_fd, uid_t uid,
                   gid_t gid, struct workspace_mount *ret_mount)
{
    struct workspace_mount made = {.mount = -1};
    for (size_t i = 0; i < WORKSPACE_CLONES; i++)
        made.clones[i] = -1;
    made.mount = make_tmpfs(message->bytes, message->inodes, uid, gid);
    int rc = made.mount < 0 ? made.mount : fill(made.mount, message, content_fd, uid, gid);
    if (rc == 0)
        rc = prepare_clones(&made);
    if (rc < 0) {
        workspace_unmake(&made);
        return rc;
    }
    *ret_mount = made;
    return 0;
}

int workspace_clone(struct workspace_mount *mount)
{
    for (size_t i = 0; i < WORKSPACE_CLONES; i++) {
        if (mount->clones[i] >= 0)
            return take_fd(&mount->clones[i]);
    }
    return try_clone(mount->mount);
}

bool workspace_is_full(const struct workspace_mount *mount)
{
    struct statfs figures;
    return fstatfs(mount->mount, &figures) == 0 && (figures.f_bfree == 0 || figures.f_ffree == 0);
}

void workspace_unmake(struct workspace_mount *mount)
{
    fd_close(&mount->mount);
    for (size_t i = 0; i < WORKSPACE_CLONES; i++)
        fd_close(&mount->clones[i]);
}
