/* SPDX-License-Identifier: MIT */
#include "codec/utf8_tail.h"

#include <string.h>

#include "base/util.h"
#include "codec/utf8.h"

void utf8_tail_follow(struct utf8_tail *tail, struct slice bytes)
{
    char last[UTF8_TAIL_MAX * 2]; /* a cut-off start is at most three bytes */
    size_t from_bytes = MIN(bytes.len, (size_t)UTF8_TAIL_MAX);
    memcpy(last, tail->bytes, tail->len);
    if (from_bytes > 0)
        memcpy(last + tail->len, bytes.at + bytes.len - from_bytes, from_bytes);
    size_t known = tail->len + from_bytes;
    if (bytes.len > UTF8_TAIL_MAX) { /* what stood before is too far away */
        memmove(last, last + tail->len, from_bytes);
        known = from_bytes;
    }
    tail->len = 0;
    for (size_t len = MIN(known, (size_t)UTF8_TAIL_MAX); len > 0; len--) {
        struct slice end = {last + known - len, len};
        if (utf8_length(end) == -1) {
            memcpy(tail->bytes, end.at, len);
            tail->len = len;
            return;
        }
    }
}
