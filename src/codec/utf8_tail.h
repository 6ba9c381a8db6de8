/* SPDX-License-Identifier: MIT */
/* utf8_tail.h — the start of a character that the end of a stream cuts off so far,
 * where the stream itself is not kept. */
#ifndef RUNNEL_CODEC_UTF8_TAIL_H
#define RUNNEL_CODEC_UTF8_TAIL_H

#include <stddef.h>

#include "base/slice.h"

enum { UTF8_TAIL_MAX = 3 };

struct utf8_tail { /* all zero: of a stream that has just begun */
    char bytes[UTF8_TAIL_MAX];
    size_t len;
};

/* What the tail is once `bytes` have followed it. */
void utf8_tail_follow(struct utf8_tail *tail, struct slice bytes);

#endif
