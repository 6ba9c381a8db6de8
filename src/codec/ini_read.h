/* SPDX-License-Identifier: MIT */
/* ini_read.h — `key = value` lines and [sections] (libinih), each with its place.
 *
 * A line that starts with '#' or ';' is a comment; inside a value they are
 * ordinary bytes. A value ends with its line. Too long a line, a NUL and a line
 * that is neither are errors. All errors are ERR_CONFIG and start "name:line: ".
 */
#ifndef RUNNEL_CODEC_INI_READ_H
#define RUNNEL_CODEC_INI_READ_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct ini_line {
    const char *place;   /* "runnel.conf:12" */
    const char *section; /* "" before the first */
    const char *key;     /* NULL: the section starts here */
    const char *value;
};

/* 0 goes on, -1 (err filled) ends the reading. The strings die with the call. */
typedef int ini_line_fn(void *context, const struct ini_line *line, struct err *err);

/* The whole of a file, for ini_read. The buf is initialised here, and the
 * caller's to free, also after a failure. */
int ini_load(const char *path, struct buf *ret_text, struct err *err);

int ini_read(const char *name, struct slice text, ini_line_fn *fn, void *context, struct err *err);

#endif
