/* SPDX-License-Identifier: MIT */
#include "codec/surrogates.h"

#include <stdint.h>
#include <string.h>

#include "base/util.h"

#define REPLACEMENT "\\ufffd"

enum { ESCAPE_LEN = sizeof REPLACEMENT - 1, NO_UNIT = -1 };

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Of the escape "\uXXXX" that stands at `at`; NO_UNIT when none does. */
static int unit_at(struct slice text, size_t at)
{
    int unit = 0;
    if (at > text.len || text.len - at < ESCAPE_LEN || text.at[at] != '\\' ||
        text.at[at + 1] != 'u')
        return NO_UNIT;
    for (size_t i = at + 2; i < at + ESCAPE_LEN; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return NO_UNIT;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_first_half(int unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_second_half(int unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* A backslash outside of a text is refused by whoever parses it: texts need not be told
 * from the rest. */
size_t surrogates_find_lone(struct slice text, size_t from)
{
    size_t at = from;
    while (at < text.len) {
        const char *next = memchr(text.at + at, '\\', text.len - at);
        if (!next)
            break;
        at = (size_t)(next - text.at);
        int unit = unit_at(text, at);
        bool is_pair = is_first_half(unit) && is_second_half(unit_at(text, at + ESCAPE_LEN));
        if (!is_pair && (is_first_half(unit) || is_second_half(unit)))
            return at;
        at += is_pair ? 2 * ESCAPE_LEN : unit == NO_UNIT ? 2 : ESCAPE_LEN;
    }
    return text.len;
}

void surrogates_append_clean(struct buf *out, struct slice text)
{
    size_t begin = 0;
    for (size_t at; (at = surrogates_find_lone(text, begin)) < text.len; begin = at + ESCAPE_LEN) {
        buf_add(out, text.at + begin, at - begin);
        buf_add_text(out, REPLACEMENT);
    }
    buf_add(out, text.at + begin, text.len - begin);
}
