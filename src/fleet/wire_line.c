/* SPDX-License-Identifier: MIT */
/* wire_line.c — the first line of an event or a command: words with one blank between
 * them, from someone who may not mean well. */
#include <string.h>

#include "fleet/wire_private.h"

/* Four numbers and a word, with room for words that are not known yet. */
#define LINE_MAX_BYTES 256

int wire_line_start(struct slice text, struct wire_line *ret_line, struct err *err)
{
    const char *end =
        text.len > 0 ? memchr(text.at, '\n', MIN(text.len, (size_t)LINE_MAX_BYTES)) : NULL;
    if (!end)
        return err_set(err, ERR_INVALID, "it does not begin with a line of words");
    size_t len = (size_t)(end - text.at);
    *ret_line = (struct wire_line){
        .words = {text.at, len},
        .bytes = {end + 1, text.len - len - 1},
    };
    return 0;
}

bool wire_line_word(struct wire_line *line, struct slice *ret_word)
{
    struct slice rest = line->words;
    if (rest.len == 0)
        return false;
    const char *blank = memchr(rest.at, ' ', rest.len);
    size_t len = blank ? (size_t)(blank - rest.at) : rest.len;
    size_t used = blank ? len + 1 : len;
    *ret_word = (struct slice){rest.at, len};
    line->words = (struct slice){rest.at + used, rest.len - used};
    return len > 0;
}

bool wire_line_u64(struct wire_line *line, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    struct slice word;
    uint64_t number = 0;
    if (!wire_line_word(line, &word))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] < '0' || word.at[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(word.at[i] - '0'), &number))
            return false;
    }
    if (number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

bool wire_line_one_of(struct wire_line *line, const char *const *words, size_t count,
                      unsigned *ret_word)
{
    struct slice word;
    if (!wire_line_word(line, &word))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (slice_is(word, words[i])) {
            *ret_word = i;
            return true;
        }
    }
    return false;
}
