/* SPDX-License-Identifier: MIT */
/* buf.h — owned bytes that grow up to a maximum given at birth.
 *
 *     struct buf out;
 *     buf_init(&out, 64 * KIB);
 *     buf_add_text(&out, "verdict: ");
 *     buf_add_format(&out, "%d", code);
 *     if (out.failed) …                 tested once, at the end
 *     buf_fini(&out);
 *
 * An append that would pass the maximum, or for which there is no memory, sets
 * `failed` and changes nothing; all later appends are then ignored. The bytes
 * are always followed by a NUL that `len` does not count.
 */
#ifndef RUNNEL_BASE_BUF_H
#define RUNNEL_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/slice.h"
#include "base/util.h"

struct buf {
    char *at; /* NULL until the first append */
    size_t len;
    size_t room;
    size_t max;
    bool failed;
    bool starved; /* failed, and for want of memory */
};

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);  /* frees the bytes; the buf may be used again */
void buf_clear(struct buf *buf); /* len 0, failed false, memory kept */

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_slice(struct buf *buf, struct slice slice);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char byte);
void buf_add_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for `len` more bytes, to be written in place and then counted with
 * buf_commit. NULL (and failed) when they do not fit. */
char *buf_reserve(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);

/* Drops the first `len` bytes. */
void buf_consume(struct buf *buf, size_t len);

struct slice buf_slice(const struct buf *buf);
const char *buf_text(const struct buf *buf); /* never NULL */

/* The bytes as an owned, NUL-terminated string; the buf is empty afterwards.
 * NULL when the buf has failed or memory is short. */
char *buf_take(struct buf *buf);

#define auto_buf auto_cleanup(buf_fini)

#endif
