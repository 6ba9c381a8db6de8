/* SPDX-License-Identifier: MIT */
/* Events as the store gives them back, taken line by line: all that ends is taken, once, and what
 * is told of a line lies in it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/runs_replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_line(struct slice text, const struct replay_line *line)
{
    struct slice type = replay_type(line->text);
    assert(!memchr(line->text.at, '\n', line->text.len));
    assert(line->text.at >= text.at && line->text.at + line->text.len < text.at + text.len);
    assert(line->number == 0 || line->text.len > sizeof "{\"n\":" - 1);
    if (!type.at)
        return;
    assert(type.at > line->text.at && type.at + type.len <= line->text.at + line->text.len);
    assert(type.len == 0 || !memchr(type.at, '"', type.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *copy = malloc(size ? size : 1); /* nothing stands behind it */
    assert(copy);
    memcpy(copy, bytes, size);
    const struct slice text = {copy, size};
    struct slice rest = text;
    struct replay_line line;
    size_t taken = 0;
    while (replay_next(&rest, &line)) {
        check_line(text, &line);
        taken += line.text.len + 1;
        assert(rest.at == text.at + taken && rest.len == text.len - taken);
    }
    assert(rest.len == 0 || !memchr(rest.at, '\n', rest.len));
    free(copy);
    return 0;
}
