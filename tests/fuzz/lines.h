/* SPDX-License-Identifier: MIT */
/* lines.h — an input that is a text, lines of one, or steps. */
#ifndef RUNNEL_TESTS_FUZZ_LINES_H
#define RUNNEL_TESTS_FUZZ_LINES_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

/* With a NUL behind it; owned. */
static inline char *fuzz_text(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    assert(text);
    memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

/* Each line, without its end; it may be changed. */
static inline void fuzz_each_line(const uint8_t *bytes, size_t size, void (*take)(char *line))
{
    char *text = fuzz_text(bytes, size);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        take(line);
    free(text);
}

/* The next step of what is left, up to a form feed; it may be empty. False: there is none. */
static inline bool fuzz_next_step(struct slice *left, struct slice *ret_step)
{
    if (left->len == 0)
        return false;
    const char *feed = memchr(left->at, '\f', left->len);
    size_t len = feed ? (size_t)(feed - left->at) : left->len;
    size_t used = len + (feed != NULL);
    *ret_step = (struct slice){left->at, len};
    *left = (struct slice){left->at + used, left->len - used};
    return true;
}

#endif
