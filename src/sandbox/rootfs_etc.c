/* SPDX-License-Identifier: MIT */
/* rootfs_etc.c — the /etc of boxes: a few files of our own, and copies of what
 * the toolchains read. Copies, not mounts: each mount would cost every clone.
 * Runs once at start, on the operator's own files, before any program exists.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "sandbox/rootfs.h"

enum { DEPTH_MAX = 8, COPY_MAX = 4 * 1024 * 1024, FOR_ALL = S_IROTH | S_IXOTH /* a folder */ };

static const struct {
    const char *path;
    const char *text;
} files[] = {
    {"etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\n"
                   "runner:x:1000:1000:runner:/work:/bin/sh\n"
                   "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"},
    {"etc/group", "root:x:0:\nrunner:x:1000:\nnogroup:x:65534:\n"},
    {"etc/hosts", "127.0.0.1 localhost runnel\n::1 localhost\n"},
    {"etc/hostname", "runnel\n"},
    {"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"},
    {"etc/resolv.conf", ""},
};

/* Copied when the host has them: the loader's index, the time zone, versions. */
static const char *const always_copied[] = {"/etc/ld.so.cache", "/etc/localtime",
                                            "/etc/timezone",    "/etc/debian_version",
                                            "/etc/os-release",  "/etc/alternatives"};

static int write_file(const char *path, const char *text, struct err *err)
{
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int rc = fd < 0 ? -errno : fd_write_full(fd, text, strlen(text));
    return rc < 0 ? err_sys(err, -rc, "write /%s of boxes", path) : 0;
}

static int copy_bytes(int from, int to, off_t size)
{
    if (size > COPY_MAX)
        return -EFBIG;
    while (size > 0) {
        ssize_t sent = sendfile(to, from, NULL, (size_t)size);
        if (sent < 0)
            return -errno;
        if (sent == 0)
            break;
        size -= sent;
    }
    return 0;
}

static int copy_path(const char *from, const char *to, int depth);

static int copy_folder(const char *from, const char *to, int depth)
{
    if (mkdir(to, 0755) < 0 && errno != EEXIST)
        return -errno;
    auto_close_dir DIR *folder = opendir(from);
    if (!folder)
        return -errno;
    int rc = 0;
    for (struct dirent *entry = readdir(folder); entry && rc == 0; entry = readdir(folder)) {
        char inner_from[PATH_MAX];
        char inner_to[PATH_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(inner_from, PATH_MAX, "%s/%s", from, entry->d_name) >= PATH_MAX ||
            snprintf(inner_to, PATH_MAX, "%s/%s", to, entry->d_name) >= PATH_MAX)
            rc = -ENAMETOOLONG;
        else
            rc = copy_path(inner_from, inner_to, depth + 1);
    }
    return rc;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t end_len = strlen(end);
    return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

/* Links that stay inside what boxes have are kept; the others' targets copied.
 * Most of /etc/alternatives are manual pages, which no program opens. */
static int copy_link(const char *from, const char *to, int depth)
{
    char target[PATH_MAX];
    ssize_t len = readlink(from, target, sizeof target - 1);
    if (len < 0)
        return -errno;
    target[len] = '\0';
    if (ends_with(target, (size_t)len, ".gz"))
        return 0;
    if (depth > 0 || strncmp(target, "/usr/", 5) == 0 || strncmp(target, "../usr/", 7) == 0)
        return symlink(target, to) < 0 && errno != EEXIST ? -errno : 0;
    char resolved[PATH_MAX];
    return realpath(from, resolved) ? copy_path(resolved, to, depth + 1) : 0;
}

/* What not everybody can read (a key, a folder of keys, a socket) is not for boxes:
 * left out. */
static int copy_path(const char *from, const char *to, int depth)
{
    struct stat status;
    if (depth > DEPTH_MAX)
        return -ELOOP;
    if (lstat(from, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(status.st_mode))
        return (status.st_mode & FOR_ALL) == FOR_ALL ? copy_folder(from, to, depth) : 0;
    if (S_ISLNK(status.st_mode))
        return copy_link(from, to, depth);
    if (!S_ISREG(status.st_mode) || !(status.st_mode & S_IROTH))
        return 0;
    auto_close int source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (source < 0)
        return errno == EACCES ? 0 : -errno;
    auto_close int copy =
        open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, status.st_mode & 0755);
    return copy < 0 ? -errno : copy_bytes(source, copy, status.st_size);
}

/* "/etc/a/b" → "etc/a/b" in the working directory, with the folders above it. */
static int copy_into_etc(const char *path, struct err *err)
{
    if (strncmp(path, "/etc/", 5) != 0 || strstr(path, ".."))
        return err_set(err, ERR_CONFIG, "'%s' is not a path below /etc", path);
    char to[PATH_MAX];
    if (snprintf(to, sizeof to, "%s", path + 1) >= (int)sizeof to)
        return err_set(err, ERR_CONFIG, "'%.60s…' is too long", path);
    for (char *slash = strchr(to + 4, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(to, 0755) < 0 && errno != EEXIST)
            return err_sys(err, errno, "make /%s of boxes", to);
        *slash = '/';
    }
    int rc = copy_path(path, to, 0);
    return rc < 0 ? err_sys(err, -rc, "copy %s for boxes", path) : 0;
}

int rootfs_write_etc(const char *const *copied, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (write_file(files[i].path, files[i].text, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(always_copied); i++) {
        if (copy_into_etc(always_copied[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; copied[i]; i++) {
        if (copy_into_etc(copied[i], err) < 0)
            return -1;
    }
    return 0;
}
