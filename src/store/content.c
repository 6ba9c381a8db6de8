/* SPDX-License-Identifier: MIT */
#include "store/content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.h"
#include "store/content_private.h"

bool content_id_is_plain(const char *id)
{
    size_t len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return len > 0 && len < CONTENT_ID_SIZE && id[len] == '\0';
}

int content_failed(struct err *err, int errnum, const char *what)
{
    if (errnum != ENOSPC && errnum != EDQUOT)
        return err_sys(err, errnum, "%s", what);
    (void)err_set(err, ERR_STORAGE_FULL, "there is no room left for files");
    if (err)
        err->sys = errnum;
    return -1;
}

int content_open(int folder, const char *id)
{
    if (!content_id_is_plain(id))
        return -EINVAL;
    auto_close int fd = openat(folder, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        return -errno;
    return S_ISREG(about.st_mode) ? take_fd(&fd) : -EINVAL;
}

int content_remove(int folder, const char *id)
{
    if (!content_id_is_plain(id))
        return -EINVAL;
    return unlinkat(folder, id, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static bool is_content(int folder, const char *name)
{
    struct stat about;
    return content_id_is_plain(name) && fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(about.st_mode);
}

int content_sweep(int folder, bool (*is_known)(void *context, const char *id), void *context)
{
    auto_close int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries)
        return -errno;
    (void)take_fd(&fd);
    int rc = 0;
    errno = 0;
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (is_content(folder, name) && is_known(context, name))
            continue;
        /* A folder is none of ours, and stays. */
        if (unlinkat(folder, name, 0) < 0 && errno != ENOENT && errno != EISDIR && rc == 0)
            rc = -errno;
        errno = 0;
    }
    if (errno != 0 && rc == 0)
        rc = -errno;
    (void)closedir(entries);
    return rc;
}
