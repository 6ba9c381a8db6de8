/* SPDX-License-Identifier: MIT */
/* content.h — the bytes of files: written, copied, opened and removed in one
 * folder, under names that we make. Reading, writing and hashing happen on
 * threads of the loop's pool; callbacks come from the loop.
 *
 * A content is there whole or not at all: it is written as "<id>.part", synced
 * and renamed. The name that a client gave a file is never a name on our disk.
 */
#ifndef RUNNEL_STORE_CONTENT_H
#define RUNNEL_STORE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct loop;
struct content_writer;

enum { CONTENT_DIGEST_SIZE = 32 }; /* SHA-256 */

struct content {
    uint64_t size;
    unsigned char sha256[CONTENT_DIGEST_SIZE];
};
typedef void content_fn(void *context, const struct content *content, const struct err *err);

struct content_writer_events {
    void (*room)(void *context); /* after content_writer_add said false */
    content_fn *written;         /* after content_writer_finish; the writer is gone */
};

/* ERR_TOO_LARGE from the byte after max_size on, ERR_STORAGE_FULL on a full disk:
 * told by `written`; what was written is removed. */
struct content_writer *content_writer_new(struct loop *loop, int folder, const char *id,
                                          uint64_t max_size,
                                          const struct content_writer_events *events, void *context,
                                          struct err *err);
/* Copies. False: no more until `room`. Memory is bounded: 512 KiB, as long as no
 * call brings more than 32 KiB. */
bool content_writer_add(struct content_writer *writer, struct slice bytes);
void content_writer_finish(struct content_writer *writer);
/* Until `written`, also after finish: no callback follows, and nothing is left. */
void content_writer_abort(struct content_writer *writer);

/* A copy of the first `size` bytes of fd, which it closes. `done` always comes. */
void content_copy(struct loop *loop, int folder, const char *id, int fd, uint64_t size,
                  content_fn *done, void *context);
/* All bytes of these contents into memory. ERR_NOT_FOUND names the first that is missing,
 * ERR_TOO_LARGE says that they are over max_bytes together. Borrowed for the call. */
typedef void content_read_fn(void *context, const struct slice *contents, const struct err *err);
void content_read(struct loop *loop, int folder, const char *const *ids, size_t count,
                  uint64_t max_bytes, content_read_fn *done, void *context);
/* Read-only, or -errno. */
int content_open(int folder, const char *id);
int content_remove(int folder, const char *id); /* 0 also when it is not there */

/* At start: removes what is no complete content, and what `is_known` does not know.
 * 0, or -errno when something could not be removed. */
int content_sweep(int folder, bool (*is_known)(void *context, const char *id), void *context);

#endif
