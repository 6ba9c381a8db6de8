/* SPDX-License-Identifier: MIT */
/* multipart.h — a form with files (multipart/form-data, RFC 7578), read as it comes.
 *
 *     char boundary[MULTIPART_BOUNDARY_SIZE];
 *     if (multipart_boundary(content_type, boundary) < 0) …
 *     struct multipart *form = multipart_new(boundary, 100, &events, context);
 *     const char *refusal = multipart_feed(form, bytes);     as often as bytes come
 *     if (!refusal)
 *         refusal = multipart_finish(form);
 *     multipart_free(form);
 *
 * How the bytes are cut into pieces makes no difference but to the pieces of
 * part_data. Memory does not grow. What is not exactly a form is refused, with a
 * sentence: two readers of one body must not see two things. So there is nothing
 * before the first boundary and nothing but a line's end behind the last, no
 * padding, no folded header, no multipart inside, and lines end with CRLF.
 */
#ifndef RUNNEL_CODEC_MULTIPART_H
#define RUNNEL_CODEC_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum {
    MULTIPART_BOUNDARY_SIZE = 71,  /* RFC 2046: 70 characters */
    MULTIPART_HEAD_MAX = 8192,     /* bytes of a part's headers together */
    MULTIPART_HEADERS_MAX = 16,    /* of a part */
    MULTIPART_FILE_NAME_SIZE = 256 /* with its NUL */
};

/* Borrowed for the call; `at` is NULL for what was not said. Quotes are gone, and %22,
 * %0D and %0A, as browsers write them, are bytes again: any byte but NUL may be in a
 * name. */
struct multipart_part {
    struct slice name;
    struct slice filename;
    struct slice content_type;
};

/* Each returns NULL to go on, or why the form is refused, which feed returns then. */
struct multipart_events {
    const char *(*part_begin)(void *context, const struct multipart_part *part);
    const char *(*part_data)(void *context, struct slice bytes); /* never empty */
    const char *(*part_end)(void *context);
    const char *(*end)(void *context); /* behind the last part */
};

struct multipart;

/* From a Content-Type's value. -EMEDIUMTYPE when it is no multipart/form-data, -EINVAL
 * when there is not one usable boundary. */
int multipart_boundary(const char *content_type, char ret_boundary[static MULTIPART_BOUNDARY_SIZE]);

/* NULL without memory. `events` is borrowed for its life. */
struct multipart *multipart_new(const char *boundary, size_t max_parts,
                                const struct multipart_events *events, void *context);
/* Once it has refused it refuses all that follows, and calls nothing. */
const char *multipart_feed(struct multipart *form, struct slice bytes);
/* There will be no more bytes. */
const char *multipart_finish(struct multipart *form);
void multipart_free(struct multipart *form);

/* What may be shown and stored of a file's name as a client sent it: behind the last
 * slash of either kind; never empty, "." or ".."; valid UTF-8 (bytes that are not are
 * taken as Latin-1); what steers a terminal or turns the writing is "_". */
void multipart_file_name(struct slice sent, char ret_name[static MULTIPART_FILE_NAME_SIZE]);

#endif
