/* SPDX-License-Identifier: MIT */
#include "codec/multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "codec/multipart_private.h"

/* Between two parts stands CRLF "--" boundary, and then CRLF, or "--" behind the
 * last. The delimiter has one CR, its first byte: where a match of it breaks off,
 * none can have begun in between, so how much is matched is all there is to
 * remember of the bytes before. */

enum state {
    STATE_START,     /* of the body: a delimiter without its CRLF */
    STATE_DELIMITER, /* is complete; the two bytes behind it say what it was */
    STATE_HEAD,
    STATE_DATA,
    STATE_END, /* nothing, or a line's end */
    STATE_REFUSED,
};

struct multipart {
    const struct multipart_events *events;
    void *context;
    size_t parts_left;
    enum state state;
    const char *refusal;
    size_t matched; /* of what is expected, or of the delimiter in data */
    char last;      /* the byte before, in DELIMITER and HEAD */
    size_t head_len;
    size_t line_start; /* in head */
    size_t delimiter_len;
    char delimiter[MULTIPART_BOUNDARY_SIZE + 4];
    char head[MULTIPART_HEAD_MAX];
};

struct multipart *multipart_new(const char *boundary, size_t max_parts,
                                const struct multipart_events *events, void *context)
{
    struct multipart *form = malloc(sizeof *form);
    if (!form)
        return NULL;
    *form = (struct multipart){
        .events = events,
        .context = context,
        .parts_left = max_parts,
        .matched = 2, /* the CRLF that the first one lacks */
    };
    int len = snprintf(form->delimiter, sizeof form->delimiter, "\r\n--%s", boundary);
    form->delimiter_len = (size_t)MIN(len, (int)sizeof form->delimiter - 1);
    return form;
}

void multipart_free(struct multipart *form)
{
    free(form);
}

/* --- bytes that are looked at one by one --- */

static const char *at_start(struct multipart *form, char byte)
{
    if (byte != form->delimiter[form->matched])
        return "the body does not begin with its boundary";
    if (++form->matched == form->delimiter_len) {
        form->state = STATE_DELIMITER;
        form->last = '\0';
    }
    return NULL;
}

static const char *behind_delimiter(struct multipart *form, char byte)
{
    if (form->last == '\0' && (byte == '\r' || byte == '-')) {
        form->last = byte;
        return NULL;
    }
    if (form->last == '-' && byte == '-') {
        form->state = STATE_END;
        form->matched = 0;
        return form->events->end(form->context);
    }
    if (form->last != '\r' || byte != '\n')
        return "a boundary is not followed by a line's end";
    if (form->parts_left-- == 0)
        return "the form has too many parts";
    form->state = STATE_HEAD;
    form->head_len = form->line_start = 0;
    return NULL;
}

static const char *begin_part(struct multipart *form)
{
    struct multipart_part part;
    /* Without the empty line. */
    const char *refusal = multipart_read_head(form->head, form->head_len - 2, &part);
    if (refusal)
        return refusal;
    form->state = STATE_DATA;
    form->matched = 0;
    return form->events->part_begin(form->context, &part);
}

static const char *in_head(struct multipart *form, char byte)
{
    if (form->head_len == sizeof form->head)
        return "the headers of a part are too long";
    bool behind_cr = form->head_len > form->line_start && form->head[form->head_len - 1] == '\r';
    if ((byte == '\n') != behind_cr)
        return "a header's line does not end with CRLF";
    if (byte == '\0')
        return "there is a NUL in a header";
    form->head[form->head_len++] = byte;
    if (byte != '\n')
        return NULL;
    if (form->head_len - form->line_start == 2)
        return begin_part(form);
    form->line_start = form->head_len;
    return NULL;
}

static const char *behind_the_last(struct multipart *form, char byte)
{
    if (form->matched == 2 || byte != "\r\n"[form->matched])
        return "there is something behind the last boundary";
    form->matched++;
    return NULL;
}

/* --- data --- */

static const char *give(const struct multipart *form, const char *at, size_t len)
{
    struct slice bytes = {at, len};
    return len > 0 ? form->events->part_data(form->context, bytes) : NULL;
}

static const char *end_part(struct multipart *form)
{
    form->state = STATE_DELIMITER;
    form->last = '\0';
    return form->events->part_end(form->context);
}

/* A delimiter that began in the piece before: goes on with it, or gives the bytes
 * that were held back for it. */
static const char *go_on_matching(struct multipart *form, struct slice *bytes)
{
    size_t len = MIN(bytes->len, form->delimiter_len - form->matched);
    size_t same = 0;
    while (same < len && bytes->at[same] == form->delimiter[form->matched + same])
        same++;
    form->matched += same;
    *bytes = (struct slice){bytes->at + same, bytes->len - same};
    if (form->matched == form->delimiter_len)
        return end_part(form);
    if (bytes->len == 0)
        return NULL;
    size_t held = form->matched;
    form->matched = 0;
    return give(form, form->delimiter, held);
}

/* How many bytes at the end may be the beginning of a delimiter. */
static size_t begun_at_end(const struct multipart *form, struct slice bytes)
{
    size_t len = MIN(bytes.len, form->delimiter_len - 1);
    const char *cr = len > 0 ? memrchr(bytes.at + bytes.len - len, '\r', len) : NULL;
    size_t begun = cr ? (size_t)(bytes.at + bytes.len - cr) : 0;
    return begun > 0 && memcmp(cr, form->delimiter, begun) == 0 ? begun : 0;
}

static const char *in_data(struct multipart *form, struct slice *bytes)
{
    if (form->matched > 0)
        return go_on_matching(form, bytes);
    struct slice piece = *bytes;
    const char *end = memmem(piece.at, piece.len, form->delimiter, form->delimiter_len);
    if (!end) {
        form->matched = begun_at_end(form, piece);
        *bytes = (struct slice){piece.at + piece.len, 0};
        return give(form, piece.at, piece.len - form->matched);
    }
    size_t len = (size_t)(end - piece.at);
    size_t used = len + form->delimiter_len;
    *bytes = (struct slice){piece.at + used, piece.len - used};
    const char *refusal = give(form, piece.at, len);
    return refusal ? refusal : end_part(form);
}

/* --- all of it --- */

static const char *step(struct multipart *form, struct slice *bytes)
{
    if (form->state == STATE_DATA)
        return in_data(form, bytes);
    char byte = bytes->at[0];
    *bytes = (struct slice){bytes->at + 1, bytes->len - 1};
    switch (form->state) {
    case STATE_START:
        return at_start(form, byte);
    case STATE_DELIMITER:
        return behind_delimiter(form, byte);
    case STATE_HEAD:
        return in_head(form, byte);
    case STATE_END:
        return behind_the_last(form, byte);
    case STATE_DATA:
    case STATE_REFUSED:
        break;
    }
    return form->refusal;
}

static const char *refuse(struct multipart *form, const char *refusal)
{
    if (refusal) {
        form->state = STATE_REFUSED;
        form->refusal = refusal;
    }
    return refusal;
}

const char *multipart_feed(struct multipart *form, struct slice bytes)
{
    while (bytes.len > 0 && form->state != STATE_REFUSED)
        (void)refuse(form, step(form, &bytes));
    return form->refusal;
}

const char *multipart_finish(struct multipart *form)
{
    if (form->state == STATE_REFUSED)
        return form->refusal;
    if (form->state != STATE_END)
        return refuse(form, "the body ends before its last boundary");
    return form->matched == 1 ? refuse(form, "there is something behind the last boundary") : NULL;
}
