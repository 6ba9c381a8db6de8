/* SPDX-License-Identifier: MIT */
/* lines.h — an input that is a text, or lines of one. */
#ifndef RUNNEL_TESTS_FUZZ_LINES_H
#define RUNNEL_TESTS_FUZZ_LINES_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

#endif
