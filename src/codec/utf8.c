/* SPDX-License-Identifier: MIT */
#include "codec/utf8.h"

#include <stdint.h>
#include <string.h>

#include "base/util.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* What may follow a lead byte (The Unicode Standard, table 3-7). Only the
 * second byte has a range of its own: it shuts out overlong forms, surrogates
 * and what is above U+10FFFF. */
struct lead {
    unsigned char length; /* 0: no lead byte */
    unsigned char second_first;
    unsigned char second_last;
};

static struct lead lead_of(unsigned char byte)
{
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xC2 || byte > 0xF4)
        return (struct lead){0};
    if (byte < 0xE0)
        return (struct lead){2, 0x80, 0xBF};
    if (byte < 0xF0)
        return (struct lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    return (struct lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
}

/* As utf8_length; `ret_used` is how many bytes belong together: the character,
 * its cut-off start, or the maximal subpart of an ill-formed one. */
static int measure(struct slice bytes, size_t *ret_used)
{
    *ret_used = 0;
    if (bytes.len == 0)
        return -1;
    const unsigned char *at = (const unsigned char *)bytes.at;
    struct lead lead = lead_of(at[0]);
    *ret_used = 1;
    if (lead.length <= 1)
        return lead.length;
    for (size_t i = 1; i < lead.length; i++, *ret_used = i) {
        if (i == bytes.len)
            return -1;
        unsigned char first = i == 1 ? lead.second_first : 0x80;
        unsigned char last = i == 1 ? lead.second_last : 0xBF;
        if (at[i] < first || at[i] > last)
            return 0;
    }
    return lead.length;
}

/* How many ASCII bytes stand at the start: eight at a time, because nearly all
 * program output is nothing else. */
static size_t ascii_run(const char *at, size_t len)
{
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at + i, sizeof word);
        if (word & 0x8080808080808080ULL)
            break;
    }
    while (i < len && !(at[i] & 0x80))
        i++;
    return i;
}

/* How many bytes at the start are whole, valid characters. */
static size_t valid_run(struct slice bytes)
{
    size_t at = 0;
    for (;;) {
        at += ascii_run(bytes.at + at, bytes.len - at);
        size_t used;
        if (at == bytes.len || measure((struct slice){bytes.at + at, bytes.len - at}, &used) <= 0)
            return at;
        at += used;
    }
}

int utf8_length(struct slice bytes)
{
    size_t used;
    return measure(bytes, &used);
}

bool utf8_valid(struct slice bytes)
{
    return bytes.len == 0 || valid_run(bytes) == bytes.len;
}

size_t utf8_append_clean(struct buf *out, struct slice bytes, bool at_end)
{
    size_t at = 0;
    while (at < bytes.len) {
        struct slice rest = {bytes.at + at, bytes.len - at};
        size_t valid = valid_run(rest);
        buf_add(out, rest.at, valid);
        at += valid;
        if (at == bytes.len)
            break;
        size_t used;
        int length = measure((struct slice){bytes.at + at, bytes.len - at}, &used);
        if (length < 0 && !at_end)
            break;
        buf_add_text(out, REPLACEMENT);
        at += used;
    }
    return at;
}

/* Of ASCII, and U+0080 to U+009F, of which terminals obey some as they do an escape. */
static bool is_control(const char *at, int length)
{
    unsigned char first = (unsigned char)at[0];
    if (length == 1)
        return first < ' ' || first == 0x7F;
    return length == 2 && first == 0xC2 && (unsigned char)at[1] < 0xA0;
}

const char *utf8_for_people(char *text, size_t size, struct slice bytes)
{
    size_t len = 0;
    size_t at = 0;
    bool cut = false;
    while (at < bytes.len && !cut) {
        struct slice rest = {bytes.at + at, bytes.len - at};
        size_t used;
        int length = measure(rest, &used);
        bool plain = length > 0 && !is_control(rest.at, length);
        size_t needed = plain ? used : 1;
        cut = len + needed + sizeof "…" > size;
        if (cut)
            break;
        memcpy(text + len, plain ? rest.at : "?", needed);
        len += needed;
        at += used;
    }
    memcpy(text + len, cut ? "…" : "", cut ? sizeof "…" : 1);
    return text;
}
