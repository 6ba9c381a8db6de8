/* SPDX-License-Identifier: MIT */
/* The folder: made, judged, locked, and given to the user that serves.
 *
 *     runnel.db, -wal, -shm      SQLite's
 *     lock                       held by the service
 *     files/                     contents (content.h)
 *
 * It is opened and given away with privilege, and belongs to a user without: a front that was taken
 * over may have left links in it that lead elsewhere. So nothing is opened, or given away, that is
 * not a plain file under one name; and what is in the files is looked at by that user alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "os/fd.h"
#include "store/store_private.h"

static const char remedy[] = "name another folder with --storage-dir";
static const char *const databases[] = {"runnel.db", "runnel.db-wal", "runnel.db-shm"};

static int fail(struct err *err, int errnum, const char *what, const char *path)
{
    return err_set(err, ERR_CONFIG, "%s %s: %s; %s", what, path, strerror(errnum), remedy);
}

/* Those above it may be looked into by everybody, it may not. */
static int make_folders(const char *dir, struct err *err)
{
    char path[4096];
    size_t len = strlen(dir);
    if (len == 0 || len >= sizeof path)
        return err_set(err, ERR_CONFIG, "the storage folder's name is empty or too long; %s",
                       remedy);
    memcpy(path, dir, len + 1);
    while (len > 1 && path[len - 1] == '/') /* or it would be one of those above itself */
        path[--len] = '\0';
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return fail(err, errno, "cannot make the folder", path);
        *slash = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fail(err, errno, "cannot make the folder", path);
    return 0;
}

static int open_folders(const char *dir, struct store_folder *folder, struct err *err)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    folder->dir = open(dir, flags);
    if (folder->dir < 0)
        return fail(err, errno, "cannot open the folder", dir);
    if (mkdirat(folder->dir, "files", 0700) < 0 && errno != EEXIST)
        return fail(err, errno, "cannot make files/ in", dir);
    folder->files = openat(folder->dir, "files", flags | O_NOFOLLOW);
    return folder->files < 0 ? fail(err, errno, "cannot open files/ in", dir) : 0;
}

static bool is_plain(const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_nlink == 1;
}

/* Made by us, since SQLite would let others read it; -wal and -shm follow its mode. Not opened
 * when it is there: closing a file drops all locks that this process has on it. */
int store_folder_make_database(const struct store_folder *folder, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(databases); i++) {
        struct stat status;
        if (fstatat(folder->dir, databases[i], &status, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT)
                return fail(err, errno, "cannot look at the files beside", folder->path);
        } else if (!is_plain(&status))
            return err_set(err, ERR_CONFIG, "%s is not a plain file, of those of %s; %s",
                           databases[i], folder->path, remedy);
    }
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    auto_close int fd = openat(folder->dir, databases[0], flags, 0600);
    if (fd < 0 && errno != EEXIST)
        return fail(err, errno, "cannot make", folder->path);
    return 0;
}

static int name_database(struct store_folder *folder, const char *dir, struct err *err)
{
    int len = snprintf(folder->path, sizeof folder->path, "%s/%s", dir, databases[0]);
    if (len < 0 || (size_t)len >= sizeof folder->path)
        return fail(err, ENAMETOOLONG, "cannot open the folder", dir);
    (void)snprintf(folder->name, sizeof folder->name, "/proc/self/fd/%d/%s", folder->dir,
                   databases[0]);
    return 0;
}

int store_folder_lock(struct store_folder *folder, unsigned tries, struct err *err)
{
    const struct timespec nap = {.tv_nsec = 50 * (long)NS_PER_MS};
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    folder->lock = openat(folder->dir, "lock", flags, 0600);
    if (folder->lock < 0)
        return fail(err, errno, "cannot open the lock in the folder of", folder->path);
    for (; flock(folder->lock, LOCK_EX | LOCK_NB) < 0; tries--) {
        if (errno == EWOULDBLOCK && tries > 1) {
            (void)nanosleep(&nap, NULL);
            continue;
        }
        int sys = errno;
        fd_close(&folder->lock);
        if (sys != EWOULDBLOCK)
            return fail(err, sys, "cannot lock the folder of", folder->path);
        return err_set(err, ERR_CONFIG, "another runnel uses the folder of %s; stop it, or %s",
                       folder->path, remedy);
    }
    return 0;
}

void store_folder_unlock(struct store_folder *folder)
{
    fd_close(&folder->lock);
}

int store_folder_open(const struct store_config *config, bool locked, struct store_folder *folder,
                      struct err *err)
{
    enum { TRIES = 60 }; /* 3 s: a predecessor that was killed may still be ending */
    *folder = (struct store_folder){.dir = -1, .lock = -1, .files = -1};
    if (make_folders(config->dir, err) < 0 || open_folders(config->dir, folder, err) < 0 ||
        name_database(folder, config->dir, err) < 0)
        return -1;
    return locked ? store_folder_lock(folder, TRIES, err) : 0;
}

/* An entry of `dir`; one that is not ours to give is left alone. */
static int give(int dir, const char *name, uid_t owner)
{
    struct stat status;
    if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (status.st_uid == owner || !is_plain(&status))
        return 0;
    if (fchownat(dir, name, owner, (gid_t)owner, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return errno == ENOENT ? 0 : -errno; /* who looked for a key beside us has tidied up */
}

static int give_contents(const struct store_folder *folder, uid_t owner)
{
    auto_close int fd = openat(folder->files, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries)
        return -errno;
    (void)take_fd(&fd);
    int rc = 0;
    const struct dirent *entry;
    while (rc == 0 && (entry = readdir(entries)))
        rc = give(folder->files, entry->d_name, owner);
    (void)closedir(entries);
    return rc;
}

/* Another user than last time is rare: then every content changes hands. The folders come
 * last, so that a start that is killed meanwhile is finished by the next. */
static int give_folders(const struct store_folder *folder, uid_t owner)
{
    struct stat status;
    gid_t group = (gid_t)owner;
    if (fstat(folder->files, &status) < 0)
        return -errno;
    int rc = status.st_uid == owner ? 0 : give_contents(folder, owner);
    if (rc < 0)
        return rc;
    if (status.st_uid != owner && fchown(folder->files, owner, group) < 0)
        return -errno;
    if (fstat(folder->dir, &status) < 0)
        return -errno;
    return status.st_uid != owner && fchown(folder->dir, owner, group) < 0 ? -errno : 0;
}

int store_folder_give(const struct store_folder *folder, uid_t owner, struct err *err)
{
    if (owner == (uid_t)-1)
        return 0;
    int rc = give(folder->dir, "lock", owner);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(databases); i++)
        rc = give(folder->dir, databases[i], owner);
    if (rc == 0)
        rc = give_folders(folder, owner);
    return rc < 0 ? fail(err, -rc, "cannot give away the folder of", folder->path) : 0;
}

void store_folder_close(struct store_folder *folder)
{
    fd_close(&folder->files);
    fd_close(&folder->lock);
    fd_close(&folder->dir);
}
