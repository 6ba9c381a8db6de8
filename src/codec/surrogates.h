/* SPDX-License-Identifier: MIT */
/* surrogates.h — half a character in JSON. JavaScript's texts are UTF-16, and may be cut
 * between the two halves of a pair; JSON.stringify writes such a half as its escape alone,
 * "\ud83d", which JSON's grammar allows and no UTF-8 can say. */
#ifndef RUNNEL_CODEC_SURROGATES_H
#define RUNNEL_CODEC_SURROGATES_H

#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

/* The offset of the first escape of a half without the other, at `from` or behind it;
 * text.len when there is none. `from` must not be inside of an escape. */
size_t surrogates_find_lone(struct slice text, size_t from);

/* Appends the JSON text with U+FFFD for each of them. */
void surrogates_append_clean(struct buf *out, struct slice text);

#endif
