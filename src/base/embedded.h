/* SPDX-License-Identifier: MIT */
/* embedded.h — a text file that tools/embed.py put into the program. */
#ifndef RUNNEL_BASE_EMBEDDED_H
#define RUNNEL_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* without its folder; NULL ends a table */
    const char *text; /* followed by a NUL */
    size_t len;
};

#endif
