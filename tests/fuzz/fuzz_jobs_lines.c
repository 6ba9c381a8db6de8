/* SPDX-License-Identifier: MIT */
/* What a program prints, cut into lines as it comes: whole, and in pieces as long as the first byte
 * says, the lines are the same, none is too long, and none of what was printed is missing. */
#include <assert.h>
#include <stdint.h>

#include "base/util.h"
#include "codec/utf8.h"
#include "dialect/jobs_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct cut {
    struct jobs_lines lines;
    struct buf all; /* the lines, a newline behind each */
};

static void take_line(struct cut *cut, struct slice line)
{
    assert(line.len <= JOBS_LINE_MAX && utf8_valid(line));
    buf_add_slice(&cut->all, line);
    buf_add_char(&cut->all, '\n');
}

static void take_piece(struct cut *cut, struct slice piece)
{
    struct slice line;
    while (piece.len > 0) {
        const struct slice before = piece;
        if (jobs_lines_next(&cut->lines, &piece, &line))
            take_line(cut, line);
        assert(piece.at + piece.len == before.at + before.len);
        assert(piece.len < before.len || cut->lines.told);
    }
}

/* As a reader of a run lends it: characters that are whole. */
static size_t whole_characters(struct slice text, size_t len)
{
    while (len < text.len && ((unsigned char)text.at[len] & 0xc0) == 0x80)
        len++;
    return len;
}

static struct buf cut_in_pieces(struct slice text, size_t piece)
{
    struct cut cut;
    struct slice line;
    jobs_lines_init(&cut.lines);
    buf_init(&cut.all, SIZE_MAX);
    while (text.len > 0) {
        size_t len = whole_characters(text, MIN(piece, text.len));
        take_piece(&cut, (struct slice){text.at, len});
        text = (struct slice){text.at + len, text.len - len};
    }
    if (jobs_lines_last(&cut.lines, &line))
        take_line(&cut, line);
    assert(!jobs_lines_last(&cut.lines, &line));
    jobs_lines_fini(&cut.lines);
    return cut.all;
}

/* Without newlines, and what stands before them and is no part of a line. */
static struct buf letters(struct slice text)
{
    struct buf only;
    buf_init(&only, SIZE_MAX);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '\n' && text.at[i] != '\r')
            buf_add_char(&only, text.at[i]);
    }
    return only;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    auto_buf struct buf text = {0};
    if (size == 0)
        return 0;
    buf_init(&text, SIZE_MAX);
    for (int i = 0; i <= bytes[0] >> 6; i++) /* lines that are too long need long inputs */
        (void)utf8_append_clean(&text, (struct slice){(const char *)bytes + 1, size - 1}, true);
    auto_buf struct buf whole = cut_in_pieces(buf_slice(&text), SIZE_MAX);
    auto_buf struct buf pieces = cut_in_pieces(buf_slice(&text), (size_t)(bytes[0] & 63) + 1);
    auto_buf struct buf said = letters(buf_slice(&text));
    auto_buf struct buf told = letters(buf_slice(&whole));
    assert(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
    assert(slice_equal(buf_slice(&said), buf_slice(&told)));
    return 0;
}
