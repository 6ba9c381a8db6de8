/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SMALLEST_ROOM 128

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
    int saved = errno;
    free(buf->at);
    *buf = (struct buf){.max = buf->max};
    errno = saved;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = buf->starved = false;
    if (buf->at)
        buf->at[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t len)
{
    if (buf->failed || len > buf->max || buf->len > buf->max - len) {
        buf->failed = true;
        return NULL;
    }
    size_t needed = buf->len + len + 1;
    if (needed > buf->room) {
        size_t room = MAX(buf->room * 2, (size_t)SMALLEST_ROOM);
        room = MAX(MIN(room - 1, buf->max) + 1, needed); /* max may be SIZE_MAX */
        char *at = realloc(buf->at, room);
        if (!at) {
            buf->failed = buf->starved = true;
            return NULL;
        }
        buf->at = at;
        buf->room = room;
    }
    return buf->at + buf->len;
}

void buf_commit(struct buf *buf, size_t len)
{
    assert(buf->len + len < buf->room);
    buf->len += len;
    buf->at[buf->len] = '\0';
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *room = buf_reserve(buf, len);
    if (!room)
        return;
    if (len > 0)
        memcpy(room, bytes, len);
    buf_commit(buf, len);
}

void buf_add_slice(struct buf *buf, struct slice slice)
{
    buf_add(buf, slice.at, slice.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char byte)
{
    buf_add(buf, &byte, 1);
}

void buf_add_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = len < 0 ? NULL : buf_reserve(buf, (size_t)len);
    if (room && vsnprintf(room, (size_t)len + 1, format, again) == len)
        buf_commit(buf, (size_t)len);
    else
        buf->failed = true;
    va_end(again);
}

void buf_consume(struct buf *buf, size_t len)
{
    assert(len <= buf->len);
    if (len == 0)
        return;
    memmove(buf->at, buf->at + len, buf->len - len + 1);
    buf->len -= len;
}

struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf_text(buf), buf->len};
}

const char *buf_text(const struct buf *buf)
{
    return buf->at ? buf->at : "";
}

char *buf_take(struct buf *buf)
{
    if (buf->failed || !buf_reserve(buf, 0))
        return NULL;
    buf->at[buf->len] = '\0';
    char *text = take_ptr(&buf->at);
    *buf = (struct buf){.max = buf->max};
    return text;
}
