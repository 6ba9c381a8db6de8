/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/fd.h"
#include "store/content_private.h"

static void write_name(const struct content_part *part, char name[static CONTENT_PART_NAME_SIZE])
{
    (void)snprintf(name, CONTENT_PART_NAME_SIZE, "%s.part", part->id);
}

int content_part_open(struct content_part *part, int folder, const char *id, struct err *err)
{
    *part = (struct content_part){.folder = -1, .fd = -1};
    if (!content_id_is_plain(id))
        return err_set(err, ERR_INTERNAL, "'%.60s' is no name for a content", id);
    memcpy(part->id, id, strlen(id) + 1);
    sha256_init(&part->hash);
    part->folder = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    if (part->folder < 0)
        return content_failed(err, errno, "cannot use the folder for files");
    char name[CONTENT_PART_NAME_SIZE];
    write_name(part, name);
    part->fd =
        openat(part->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (part->fd >= 0)
        return 0;
    (void)content_failed(err, errno, "cannot make a file");
    content_part_end(part);
    return -1;
}

int content_part_write(struct content_part *part, struct slice bytes, struct err *err)
{
    int rc = fd_write_full(part->fd, bytes.at, bytes.len);
    if (rc < 0)
        return content_failed(err, -rc, "cannot write a file");
    sha256_update(&part->hash, bytes.len, (const uint8_t *)bytes.at);
    part->size += bytes.len;
    return 0;
}

int content_part_keep(struct content_part *part, struct content *ret_content, struct err *err)
{
    char name[CONTENT_PART_NAME_SIZE];
    write_name(part, name);
    /* A full disk may show only now. */
    if (fdatasync(part->fd) < 0)
        return content_failed(err, errno, "cannot write a file");
    if (renameat(part->folder, name, part->folder, part->id) < 0)
        return content_failed(err, errno, "cannot name a file");
    part->is_kept = true;
    fd_close(&part->fd);
    ret_content->size = part->size;
    sha256_digest(&part->hash, sizeof ret_content->sha256, ret_content->sha256);
    return 0;
}

/* Unlinked first: the space is given back with the descriptor. */
void content_part_drop(struct content_part *part)
{
    if (part->folder < 0)
        return;
    char name[CONTENT_PART_NAME_SIZE];
    write_name(part, name);
    (void)unlinkat(part->folder, part->is_kept ? part->id : name, 0);
    content_part_end(part);
}

void content_part_end(struct content_part *part)
{
    fd_close(&part->fd);
    fd_close(&part->folder);
}
