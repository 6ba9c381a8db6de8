/* SPDX-License-Identifier: MIT */
/* A Content-Type's value, a line's end, and a body. However the body is cut, the same
 * comes out of it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "codec/multipart.h"
#include "codec/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What was told, in a form that does not show how data was cut. */
struct transcript {
    struct buf text;
    bool in_part;
    bool has_ended;
};

static void add_slice(struct transcript *transcript, struct slice slice)
{
    buf_add_format(&transcript->text, "%d:%zu:", slice.at != NULL, slice.len);
    buf_add_slice(&transcript->text, slice);
}

static const char *part_begin(void *context, const struct multipart_part *part)
{
    struct transcript *transcript = context;
    assert(!transcript->in_part && !transcript->has_ended && part->name.at);
    transcript->in_part = true;
    buf_add_char(&transcript->text, '<');
    add_slice(transcript, part->name);
    add_slice(transcript, part->filename);
    add_slice(transcript, part->content_type);
    char name[MULTIPART_FILE_NAME_SIZE];
    multipart_file_name(part->filename, name);
    assert(name[0] && strlen(name) < sizeof name && utf8_valid(slice_of(name)));
    assert(!strpbrk(name, "/\\\r\n\x1b") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    return NULL;
}

static const char *part_data(void *context, struct slice data)
{
    struct transcript *transcript = context;
    assert(transcript->in_part && data.len > 0);
    buf_add_slice(&transcript->text, data);
    return NULL;
}

static const char *part_end(void *context)
{
    struct transcript *transcript = context;
    assert(transcript->in_part);
    transcript->in_part = false;
    buf_add_char(&transcript->text, '>');
    return NULL;
}

static const char *end(void *context)
{
    struct transcript *transcript = context;
    assert(!transcript->in_part && !transcript->has_ended);
    transcript->has_ended = true;
    return NULL;
}

static const char *read_in_pieces(const char *boundary, struct slice body, size_t piece,
                                  struct transcript *transcript)
{
    static const struct multipart_events events = {part_begin, part_data, part_end, end};
    *transcript = (struct transcript){0};
    buf_init(&transcript->text, SIZE_MAX / 2);
    struct multipart *form = multipart_new(boundary, 8, &events, transcript);
    assert(form);
    const char *refusal = NULL;
    while (body.len > 0) {
        size_t len = MIN(body.len, piece);
        char *copy = malloc(len); /* what is read beyond it is seen */
        assert(copy);
        memcpy(copy, body.at, len);
        refusal = multipart_feed(form, (struct slice){copy, len});
        free(copy);
        body = (struct slice){body.at + len, body.len - len};
        if (refusal)
            break;
    }
    const char *last = multipart_finish(form);
    assert(!refusal || last == refusal);
    assert(last || (transcript->has_ended && !transcript->in_part));
    multipart_free(form);
    return last;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64};
    const char *line_end = size > 0 ? memchr(bytes, '\n', size) : NULL;
    if (!line_end)
        return 0;
    size_t type_len = (size_t)(line_end - (const char *)bytes);
    char *type = strndup((const char *)bytes, type_len);
    char boundary[MULTIPART_BOUNDARY_SIZE];
    assert(type);
    int rc = multipart_boundary(type, boundary);
    free(type);
    if (rc < 0)
        return 0;
    struct slice body = {line_end + 1, size - type_len - 1};
    struct transcript whole;
    const char *refusal = read_in_pieces(boundary, body, SIZE_MAX, &whole);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct transcript cut;
        const char *other = read_in_pieces(boundary, body, pieces[i], &cut);
        assert(refusal == other && slice_equal(buf_slice(&whole.text), buf_slice(&cut.text)));
        buf_fini(&cut.text);
    }
    buf_fini(&whole.text);
    return 0;
}
