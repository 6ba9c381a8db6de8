/* SPDX-License-Identifier: MIT */
/* spawner_collect.c — what a run's programs left below one folder of its workspace.
 *
 * Every name here was chosen by a program that nobody trusts, but by one that is
 * dead: no stage of the workspace lives or can be started, so nothing moves any
 * more. Each path is opened by openat2, from the workspace's own descriptor, which
 * follows no link and leaves no mount; what is no regular file is never opened. So
 * the front gets files of its own run and no other, and of them descriptors that it
 * can only read.
 *
 *     folder opened ──► listed, folder by folder ──► sorted ──► each found thing told ──► end
 *
 * All in small pieces between other requests, and one collection after the other,
 * so neither many files nor a front that does not read holds anybody up or takes
 * more memory than one collection does. The largest piece is the sorting, of 4096
 * paths at most: two milliseconds. A file is opened when its descriptor is sent.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/reserve.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/spawner.h"

enum {
    FOUND_MAX = 4096,   /* things that are looked at */
    NAMES_MAX = 16384,  /* that are read at all, to say how many are not told */
    DEPTH_MAX = 8,      /* folders in folders */
    REFUSALS_MAX = 64,  /* that are told */
    PIECES_A_TURN = 64, /* a message, or some names of one folder */
    NAMES_A_PIECE = 32,
};

struct found {
    enum sandbox_refusal refusal; /* as far as its kind and its name say */
    bool walked;                  /* a folder: nothing to tell of it */
    char path[];                  /* relative to the folder */
};

struct spawner_collection {
    struct list link;
    struct spawner_workspace *workspace;
    uint64_t files_left;
    uint64_t bytes_left;
    unsigned refusals_left;
    uint64_t unlisted;
    int error;  /* -errno: it could not even be begun */
    int folder; /* -1: not begun, or nothing there */
    bool begun;
    size_t names;         /* read so far */
    struct found **found; /* FOUND_MAX; a folder's content comes behind all that was found before */
    size_t count;
    size_t listed;  /* of them looked into */
    DIR *directory; /* the next of them, as far as it was read; NULL: not yet open */
    size_t told;
    char path[SANDBOX_PATH_MAX + 1]; /* of the folder */
};

static enum sandbox_refusal refusal_of_kind(unsigned kind)
{
    switch (kind) {
    case DT_REG:
    case DT_DIR:
        return REFUSED_NOT;
    case DT_LNK:
        return REFUSED_SYMLINK;
    case DT_FIFO:
        return REFUSED_FIFO;
    case DT_SOCK:
        return REFUSED_SOCKET;
    case DT_CHR:
    case DT_BLK:
        return REFUSED_DEVICE;
    default:
        return REFUSED_UNOPENED;
    }
}

static enum sandbox_refusal refusal_of_error(int rc)
{
    switch (-rc) {
    case ELOOP:
        return REFUSED_SYMLINK;
    case ENOTDIR:
        return REFUSED_NO_FOLDER;
    case EXDEV:
        return REFUSED_MOUNT;
    default:
        return REFUSED_UNOPENED;
    }
}

/* --- what is there --- */

/* Without memory it goes untold, as everything over the bounds. */
static void add(struct spawner_collection *collection, const char *path, unsigned kind,
                enum sandbox_refusal refusal)
{
    size_t len = strnlen(path, SANDBOX_PATH_MAX);
    struct found *found = collection->count < FOUND_MAX ? malloc(sizeof *found + len + 1) : NULL;
    if (!found) {
        collection->unlisted++;
        return;
    }
    *found = (struct found){.refusal = refusal, .walked = kind == DT_DIR && refusal == REFUSED_NOT};
    memcpy(found->path, path, len);
    found->path[len] = '\0';
    collection->found[collection->count++] = found;
}

static void add_member(struct spawner_collection *collection, const char *folder,
                       const struct dirent *entry)
{
    char path[SANDBOX_PATH_MAX + sizeof entry->d_name + 2];
    unsigned depth = 0;
    int len = snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", entry->d_name);
    for (const char *at = path; *at; at++)
        depth += *at == '/';
    enum sandbox_refusal refusal = refusal_of_kind(entry->d_type);
    if (len < 0 || len > SANDBOX_PATH_MAX)
        refusal = REFUSED_PATH;
    else if (entry->d_type == DT_DIR && depth >= DEPTH_MAX)
        refusal = REFUSED_DEPTH;
    add(collection, path, entry->d_type, refusal);
}

static void open_folder(struct spawner_collection *collection, struct found *found)
{
    const char *path = *found->path ? found->path : ".";
    auto_close int fd = sys_open_beneath(collection->folder, path, O_RDONLY | O_DIRECTORY, 0);
    collection->directory = fd < 0 ? NULL : fdopendir(fd);
    if (!collection->directory) {
        found->walked = false;
        found->refusal = fd < 0 ? refusal_of_error(fd) : REFUSED_UNOPENED;
        return;
    }
    (void)take_fd(&fd);
}

/* False when there is more. */
static bool read_names(struct spawner_collection *collection, const struct found *found)
{
    for (int i = 0; i < NAMES_A_PIECE; i++) {
        if (collection->names == NAMES_MAX) {
            collection->unlisted++; /* whatever else is in it */
            return true;
        }
        const struct dirent *entry = readdir(collection->directory);
        if (!entry)
            return true;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        collection->names++;
        add_member(collection, found->path, entry);
    }
    return false;
}

static int by_path(const void *left, const void *right)
{
    const struct found *const *a = left;
    const struct found *const *b = right;
    return strcmp((*a)->path, (*b)->path);
}

/* By its own kind: a link that is asked to be a folder is only told to be none. */
static enum sandbox_refusal refusal_of_folder(int fd)
{
    struct stat status;
    if (fd < 0)
        return refusal_of_error(fd);
    if (fstat(fd, &status) < 0)
        return REFUSED_UNOPENED;
    return S_ISREG(status.st_mode) ? REFUSED_NO_FOLDER : refusal_of_kind(IFTODT(status.st_mode));
}

static void begin(struct spawner_collection *collection)
{
    const struct spawner_workspace *workspace = collection->workspace;
    collection->begun = true;
    collection->error = workspace->error;
    if (collection->error < 0)
        return;
    collection->found = calloc(FOUND_MAX, sizeof(struct found *));
    if (!collection->found) {
        collection->error = -ENOMEM;
        return;
    }
    int fd = sys_open_beneath(workspace->mount.mount, collection->path, O_PATH, 0);
    collection->folder = fd;
    if (fd != -ENOENT)
        add(collection, "", DT_DIR, refusal_of_folder(fd));
}

static void look(struct spawner_collection *collection)
{
    struct found *found = collection->found[collection->listed];
    if (found->walked && !collection->directory)
        open_folder(collection, found);
    if (found->walked && !read_names(collection, found))
        return;
    dir_close(&collection->directory);
    collection->listed++;
    if (collection->listed == collection->count)
        qsort(collection->found, collection->count, sizeof(struct found *), by_path);
}

/* --- telling it --- */

static enum sandbox_refusal judge(const struct spawner_collection *collection,
                                  const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return REFUSED_UNOPENED;
    if (status->st_nlink != 1)
        return REFUSED_HARD_LINK;
    if (collection->files_left == 0)
        return REFUSED_COUNT;
    return (uint64_t)status->st_size > collection->bytes_left ? REFUSED_BYTES : REFUSED_NOT;
}

/* -1 when it is refused. */
static int open_found(const struct spawner_collection *collection, const struct found *found,
                      struct sandbox_reply *reply)
{
    struct stat status;
    auto_close int fd =
        sys_open_beneath(collection->folder, found->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) {
        reply->refusal = refusal_of_error(fd);
        return -1;
    }
    if (fstat(fd, &status) < 0) {
        reply->refusal = REFUSED_UNOPENED;
        return -1;
    }
    reply->size = (uint64_t)status.st_size;
    reply->refusal = judge(collection, &status);
    return reply->refusal == REFUSED_NOT ? take_fd(&fd) : -1;
}

/* 1, or -EAGAIN. A descriptor that cannot be passed on (this user has too many on
 * their way already) makes a refusal, which is told next. */
static int tell(const struct spawner *spawner, struct spawner_collection *collection)
{
    struct found *found = collection->found[collection->told];
    struct sandbox_reply reply = {
        .kind = REPLY_FOUND, .id = collection->workspace->id, .refusal = found->refusal};
    size_t len = strlen(found->path);
    bool full = collection->files_left == 0 && collection->refusals_left == 0;
    auto_close int fd = -1;
    if (!found->walked && !full && reply.refusal == REFUSED_NOT)
        fd = open_found(collection, found, &reply);
    if (found->walked || (fd < 0 && collection->refusals_left == 0)) {
        collection->unlisted += !found->walked;
        collection->told++;
        return 1;
    }
    memcpy(reply.path, found->path, len);
    int rc = fd_send(spawner->socket, &reply, offsetof(struct sandbox_reply, path) + len + 1, &fd,
                     fd >= 0);
    if (spawner_must_wait(rc))
        return -EAGAIN;
    if (rc < 0 && fd >= 0) {
        found->refusal = REFUSED_UNOPENED;
        return 1;
    }
    if (fd >= 0) {
        collection->files_left--;
        collection->bytes_left -= reply.size;
    } else {
        collection->refusals_left--;
    }
    collection->told++;
    return 1;
}

/* 0 when that was the last of it, or -EAGAIN. */
static int tell_end(const struct spawner *spawner, struct spawner_collection *collection)
{
    struct sandbox_reply reply = {.kind = REPLY_COLLECTED,
                                  .id = collection->workspace->id,
                                  .failed_errno = -collection->error,
                                  .unlisted = collection->unlisted};
    int rc = fd_send(spawner->socket, &reply, offsetof(struct sandbox_reply, path), NULL, 0);
    return spawner_must_wait(rc) ? -EAGAIN : 0;
}

static int do_piece(const struct spawner *spawner, struct spawner_collection *collection)
{
    if (!collection->begun)
        begin(collection);
    else if (collection->listed < collection->count)
        look(collection);
    else if (collection->told < collection->count)
        return tell(spawner, collection);
    else
        return tell_end(spawner, collection);
    return 1;
}

bool spawner_collect_some(struct spawner *spawner)
{
    for (int i = 0; i < PIECES_A_TURN && !list_empty(&spawner->collections); i++) {
        struct spawner_collection *collection =
            CONTAINER_OF(spawner->collections.next, struct spawner_collection, link);
        int rc = do_piece(spawner, collection);
        if (rc == -EAGAIN)
            return false;
        if (rc == 0)
            spawner_forget_collection(collection->workspace);
    }
    return true;
}

int spawner_collect(struct spawner *spawner, struct spawner_workspace *workspace,
                    const struct workspace_collect_message *message)
{
    struct spawner_collection *collection = reserve_take(sizeof *collection);
    if (!collection)
        return -ENOMEM;
    collection->workspace = workspace;
    collection->files_left = message->max_files;
    collection->bytes_left = message->max_bytes;
    collection->refusals_left = REFUSALS_MAX;
    collection->folder = -1;
    memcpy(collection->path, message->folder, strlen(message->folder) + 1);
    list_append(&spawner->collections, &collection->link);
    workspace->collection = collection;
    workspace->collected = true;
    return 0;
}

void spawner_forget_collection(struct spawner_workspace *workspace)
{
    struct spawner_collection *collection = workspace->collection;
    workspace->collection = NULL;
    if (!collection)
        return;
    list_remove(&collection->link);
    for (size_t i = 0; i < collection->count; i++)
        free(collection->found[i]);
    free(collection->found);
    dir_close(&collection->directory);
    fd_close(&collection->folder);
    reserve_give(collection);
}
