/* SPDX-License-Identifier: MIT */
/* jobs_lines.h — lines of a stream that comes in pieces.
 *
 *     while (jobs_lines_next(&lines, &piece, &line)) …      of each piece
 *     if (jobs_lines_last(&lines, &line)) …                 what has no newline, at the end
 */
#ifndef RUNNEL_DIALECT_JOBS_LINES_H
#define RUNNEL_DIALECT_JOBS_LINES_H

#include <stdbool.h>

#include "base/buf.h"

/* A longer line comes in several. */
#define JOBS_LINE_MAX (64 * KIB)

struct jobs_lines {
    struct buf begun; /* the start of a line whose end has not come */
    bool told;        /* it was lent as a line, and is to be dropped */
};

void jobs_lines_init(struct jobs_lines *lines);
void jobs_lines_fini(struct jobs_lines *lines);
void jobs_lines_clear(struct jobs_lines *lines);

/* Takes a line off the start of *piece, which is UTF-8 and has no half characters; false
 * when the line's end is not in it, and all of it was taken. The line is without its
 * newline (and a carriage return before that), and lent until the next call. */
bool jobs_lines_next(struct jobs_lines *lines, struct slice *piece, struct slice *ret_line);
bool jobs_lines_last(struct jobs_lines *lines, struct slice *ret_line);

#endif
