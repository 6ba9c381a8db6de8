/* SPDX-License-Identifier: MIT */
#include "dialect/jobs_lines.h"

#include <string.h>

void jobs_lines_init(struct jobs_lines *lines)
{
    *lines = (struct jobs_lines){0};
    buf_init(&lines->begun, JOBS_LINE_MAX);
}

void jobs_lines_fini(struct jobs_lines *lines)
{
    buf_fini(&lines->begun);
}

void jobs_lines_clear(struct jobs_lines *lines)
{
    buf_clear(&lines->begun);
    lines->told = false;
}

static void take(struct slice *piece, size_t len)
{
    piece->at += len;
    piece->len -= len;
}

static bool tell(struct jobs_lines *lines, struct slice line, struct slice *ret_line)
{
    lines->told = true;
    *ret_line = line;
    return true;
}

/* As much of it as one line may be, cut before a character. */
static size_t fitting(const struct jobs_lines *lines, struct slice piece)
{
    size_t len = JOBS_LINE_MAX - lines->begun.len;
    while (len > 0 && ((unsigned char)piece.at[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static struct slice without_return(struct slice line)
{
    line.len -= line.len > 0 && line.at[line.len - 1] == '\r';
    return line;
}

bool jobs_lines_next(struct jobs_lines *lines, struct slice *piece, struct slice *ret_line)
{
    if (lines->told)
        jobs_lines_clear(lines);
    const char *newline = piece->len > 0 ? memchr(piece->at, '\n', piece->len) : NULL;
    size_t len = newline ? (size_t)(newline - piece->at) : piece->len;
    bool too_long = len > JOBS_LINE_MAX - lines->begun.len;
    if (too_long)
        len = fitting(lines, *piece);
    struct slice part = {piece->at, len};
    take(piece, len + (newline && !too_long ? 1 : 0));
    if (lines->begun.len == 0 && (newline || too_long))
        return tell(lines, too_long ? part : without_return(part), ret_line);
    buf_add_slice(&lines->begun, part);
    if (!newline && !too_long)
        return false;
    struct slice line = buf_slice(&lines->begun);
    return tell(lines, too_long ? line : without_return(line), ret_line);
}

bool jobs_lines_last(struct jobs_lines *lines, struct slice *ret_line)
{
    if (lines->told)
        jobs_lines_clear(lines);
    if (lines->begun.len == 0)
        return false;
    return tell(lines, buf_slice(&lines->begun), ret_line);
}
