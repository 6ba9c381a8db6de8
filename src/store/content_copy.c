/* SPDX-License-Identifier: MIT */
/* content_copy.c — whole contents at once: one job of the pool each. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/reserve.h"
#include "loop/loop.h"
#include "os/fd.h"
#include "store/content_private.h"

#define PIECE_SIZE (256 * KIB)

/* `done` always comes, and never from within the call: without memory for that the
 * process ends, as it does in loop_work. */
static void *new_job(size_t size)
{
    void *job = reserve_take(size);
    if (!job)
        abort();
    return job;
}

/* --- a copy --- */

struct copy {
    struct content_part part;
    int fd;
    uint64_t size;
    content_fn *done;
    void *context;
    int rc;
    struct content content;
    struct err err;
};

static ssize_t read_piece(int fd, char *piece, size_t size, uint64_t offset)
{
    ssize_t count;
    do
        count = pread(fd, piece, size, (off_t)offset);
    while (count < 0 && errno == EINTR);
    return count;
}

/* Only a regular file cannot make the pool's thread wait. */
static int copy_bytes(struct copy *copy)
{
    struct stat about;
    if (fstat(copy->fd, &about) < 0 || !S_ISREG(about.st_mode))
        return err_set(&copy->err, ERR_INTERNAL, "what is to be copied is no file");
    auto_free char *piece = malloc(PIECE_SIZE);
    if (!piece)
        return err_sys(&copy->err, ENOMEM, "file");
    while (copy->part.size < copy->size) {
        size_t wanted = (size_t)MIN(copy->size - copy->part.size, PIECE_SIZE);
        ssize_t count = read_piece(copy->fd, piece, wanted, copy->part.size);
        if (count < 0)
            return err_sys(&copy->err, errno, "cannot read a file");
        if (count == 0)
            return err_set(&copy->err, ERR_INTERNAL, "a file became shorter while it was copied");
        if (content_part_write(&copy->part, (struct slice){piece, (size_t)count}, &copy->err) < 0)
            return -1;
    }
    return 0;
}

static void do_copy(void *context)
{
    struct copy *copy = context;
    if (copy->rc == 0)
        copy->rc = copy_bytes(copy);
    if (copy->rc == 0)
        copy->rc = content_part_keep(&copy->part, &copy->content, &copy->err);
    if (copy->rc < 0)
        content_part_drop(&copy->part);
    content_part_end(&copy->part);
    fd_close(&copy->fd);
}

static void on_copied(void *context)
{
    struct copy *copy = context;
    copy->done(copy->context, copy->rc < 0 ? NULL : &copy->content,
               copy->rc < 0 ? &copy->err : NULL);
    reserve_give(copy);
}

/* NOLINTNEXTLINE(readability-function-size): what it takes is all different */
void content_copy(struct loop *loop, int folder, const char *id, int fd, uint64_t size,
                  content_fn *done, void *context)
{
    struct copy *copy = new_job(sizeof *copy);
    *copy = (struct copy){.fd = fd, .size = size, .done = done, .context = context};
    copy->rc = content_part_open(&copy->part, folder, id, &copy->err);
    loop_work(loop, do_copy, on_copied, copy);
}

/* --- contents in memory --- */

struct reading {
    int folder;
    size_t count;
    uint64_t max_bytes;
    content_read_fn *done;
    void *context;
    char *bytes;
    struct slice *contents;
    int rc;
    struct err err;
    char ids[][CONTENT_ID_SIZE];
};

static int missing(struct reading *reading, const char *id)
{
    return err_set(&reading->err, ERR_NOT_FOUND, "there is no file '%s'", id);
}

static int read_content(struct reading *reading, const char *id, uint64_t *used, size_t *ret_len)
{
    auto_close int fd = content_open(reading->folder, id);
    struct stat about;
    if (fd < 0)
        return fd == -ENOENT || fd == -EINVAL
                   ? missing(reading, id)
                   : err_sys(&reading->err, -fd, "cannot open file '%s'", id);
    if (fstat(fd, &about) < 0)
        return err_sys(&reading->err, errno, "cannot read file '%s'", id);
    uint64_t size = (uint64_t)about.st_size;
    if (size > reading->max_bytes - *used)
        return err_set(&reading->err, ERR_TOO_LARGE, "the files together are over %llu bytes",
                       (unsigned long long)reading->max_bytes);
    char *bytes = realloc(reading->bytes, (size_t)(*used + size) + 1);
    if (!bytes)
        return err_sys(&reading->err, ENOMEM, "files");
    reading->bytes = bytes;
    ssize_t count = fd_read_full(fd, bytes + *used, (size_t)size);
    if (count < 0 || (uint64_t)count < size)
        return err_sys(&reading->err, count < 0 ? (int)-count : EIO, "cannot read file '%s'", id);
    *used += size;
    *ret_len = (size_t)size;
    return 0;
}

static int read_contents(struct reading *reading)
{
    reading->contents = calloc(reading->count + 1, sizeof *reading->contents);
    if (!reading->contents)
        return err_sys(&reading->err, ENOMEM, "files");
    uint64_t used = 0;
    for (size_t i = 0; i < reading->count; i++)
        if (read_content(reading, reading->ids[i], &used, &reading->contents[i].len) < 0)
            return -1;
    const char *at = reading->bytes; /* only now: it moved while it grew */
    for (size_t i = 0; i < reading->count; at += reading->contents[i].len, i++)
        reading->contents[i].at = at;
    return 0;
}

static void do_read(void *context)
{
    struct reading *reading = context;
    if (reading->rc == 0)
        reading->rc = read_contents(reading);
    fd_close(&reading->folder);
}

static void on_read(void *context)
{
    struct reading *reading = context;
    reading->done(reading->context, reading->rc < 0 ? NULL : reading->contents,
                  reading->rc < 0 ? &reading->err : NULL);
    free(reading->bytes);
    free(reading->contents);
    reserve_give(reading);
}

static int copy_ids(struct reading *reading, const char *const *ids)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (!content_id_is_plain(ids[i]))
            return err_set(&reading->err, ERR_NOT_FOUND, "there is no such file");
        memcpy(reading->ids[i], ids[i], strlen(ids[i]) + 1);
    }
    reading->folder = fcntl(reading->folder, F_DUPFD_CLOEXEC, 0);
    return reading->folder < 0 ? content_failed(&reading->err, errno, "cannot read files") : 0;
}

/* NOLINTNEXTLINE(readability-function-size): what it takes is all different */
void content_read(struct loop *loop, int folder, const char *const *ids, size_t count,
                  uint64_t max_bytes, content_read_fn *done, void *context)
{
    struct reading *reading = new_job(sizeof *reading + count * CONTENT_ID_SIZE);
    *reading = (struct reading){.folder = folder, .count = count, .max_bytes = max_bytes};
    reading->done = done;
    reading->context = context;
    reading->rc = copy_ids(reading, ids);
    if (reading->rc < 0)
        reading->folder = -1;
    loop_work(loop, do_read, on_read, reading);
}
