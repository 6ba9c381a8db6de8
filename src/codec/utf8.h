/* SPDX-License-Identifier: MIT */
/* utf8.h — telling UTF-8 from other bytes (RFC 3629: no surrogates, no
 * overlong forms, nothing above U+10FFFF). */
#ifndef RUNNEL_CODEC_UTF8_H
#define RUNNEL_CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

/* Length of the valid character at the start (1–4); 0 when the bytes are not
 * one; -1 when they are the cut-off start of one (or none) and more could follow. */
int utf8_length(struct slice bytes);
bool utf8_valid(struct slice bytes);

/* Appends bytes as valid UTF-8, each ill-formed part as one U+FFFD (the
 * Unicode "maximal subpart" practice, as browsers and Python do). Returns how
 * many bytes were used: a cut-off character at the end is left for the next
 * call unless `at_end`. */
size_t utf8_append_clean(struct buf *out, struct slice bytes, bool at_end);

/* Copies foreign bytes into `text` so that they can stand in a sentence or on a
 * terminal: control characters and ill-formed parts become '?', and what is too
 * long ends in "…". `size` must be at least 8. Returns text. */
const char *utf8_for_people(char *text, size_t size, struct slice bytes);

#endif
