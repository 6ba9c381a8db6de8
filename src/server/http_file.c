/* SPDX-License-Identifier: MIT */
/* http_file.c — answers that are a file, or a part of it (RFC 9110, sections 13
 * and 14). A range that we do not understand, and several at once, are answered
 * with the whole file, as it allows. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "server/http_private.h"

/* "bytes 18446744073709551615-…/…" */
#define CONTENT_RANGE_SIZE 80

/* --- which part --- */

enum part {
    PART_ALL,
    PART_SOME,
    PART_NONE, /* all of it lies behind the end */
};

struct part_range {
    uint64_t from;
    uint64_t size;
};

/* Digits up to `end`, at least one; what is too large is as large as can be. */
static bool take_number(const char **at, uint64_t *ret_value)
{
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(**at - '0'), &value))
            value = UINT64_MAX;
    *ret_value = value;
    return *at > start;
}

static enum part read_suffix(const char *text, uint64_t size, struct part_range *ret_range)
{
    uint64_t count;
    if (!take_number(&text, &count) || *text)
        return PART_ALL;
    count = MIN(count, size);
    *ret_range = (struct part_range){size - count, count};
    return count > 0 ? PART_SOME : PART_NONE;
}

static enum part read_range(const char *text, uint64_t size, struct part_range *ret_range)
{
    static const char unit[] = "bytes=";
    uint64_t first;
    uint64_t last = UINT64_MAX;
    if (strncasecmp(text, unit, sizeof unit - 1) != 0)
        return PART_ALL;
    text += sizeof unit - 1;
    if (*text == '-')
        return read_suffix(text + 1, size, ret_range);
    if (!take_number(&text, &first) || *text++ != '-')
        return PART_ALL;
    if (*text && (!take_number(&text, &last) || *text || last < first))
        return PART_ALL;
    if (first >= size)
        return PART_NONE;
    last = MIN(last, size - 1);
    *ret_range = (struct part_range){first, last - first + 1};
    return PART_SOME;
}

/* Only a tag that is the same to the byte, not a weak one and not a date: a client
 * never puts parts of two files together. */
static enum part wanted_part(const struct http_request *request, const char *etag, uint64_t size,
                             struct part_range *ret_range)
{
    const char *range = http_request_header(request, "Range");
    const char *condition = http_request_header(request, "If-Range");
    if (!range || strcmp(request->method, "GET") != 0 ||
        (condition && strcmp(condition, etag) != 0))
        return PART_ALL;
    return read_range(range, size, ret_range);
}

/* --- does the client have it? --- */

struct tags {
    const char *etag;
    bool found;
};

static const char *past_blanks(const char *at)
{
    return at + strspn(at, " \t,");
}

/* A list of tags, each perhaps weak, or "*". */
static enum MHD_Result look_for_tag(void *context, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    (void)kind;
    struct tags *tags = context;
    if (!value || strcasecmp(key, "If-None-Match") != 0)
        return MHD_YES;
    size_t len = strlen(tags->etag);
    for (const char *at = past_blanks(value); *at && !tags->found; at = past_blanks(at)) {
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        const char *end = *at == '"' ? strchr(at + 1, '"') : at + 1;
        if (!end || (*at != '"' && *at != '*'))
            break;
        end += *at == '"';
        tags->found = *at == '*' || ((size_t)(end - at) == len && memcmp(at, tags->etag, len) == 0);
        at = end;
    }
    return tags->found ? MHD_NO : MHD_YES;
}

static bool has_it(const struct http_request *request, const char *etag)
{
    struct tags tags = {etag, false};
    (void)MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, look_for_tag, &tags);
    return tags.found;
}

/* --- the answer --- */

static void reply_without(struct http_request *request, int status, int fd)
{
    (void)close(fd);
    http_reply(request, status, NULL, (struct slice){0});
}

static void add_content_range(struct http_request *request, const struct part_range *range,
                              uint64_t size)
{
    char text[CONTENT_RANGE_SIZE];
    int len = range ? snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                               range->from, range->from + range->size - 1, size)
                    : snprintf(text, sizeof text, "bytes */%" PRIu64, size);
    if (len > 0 && (size_t)len < sizeof text)
        http_add_header(request, "Content-Range", text);
}

void http_reply_file(struct http_request *request, const char *content_type, const char *etag,
                     int fd, uint64_t size)
{
    struct part_range range = {0, size};
    http_add_header(request, "ETag", etag);
    if (has_it(request, etag)) {
        reply_without(request, 304, fd);
        return;
    }
    http_add_header(request, "Accept-Ranges", "bytes");
    enum part part = wanted_part(request, etag, size, &range);
    if (part != PART_ALL)
        add_content_range(request, part == PART_SOME ? &range : NULL, size);
    if (part == PART_NONE) {
        reply_without(request, 416, fd);
        return;
    }
    struct MHD_Response *response =
        MHD_create_response_from_fd_at_offset64(range.size, fd, range.from);
    if (!response)
        (void)close(fd);
    http_send_response(request, part == PART_SOME ? 206 : 200, content_type, response, 0);
    connection_pace(request->connection);
}
