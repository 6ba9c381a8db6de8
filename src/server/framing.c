/* SPDX-License-Identifier: MIT */
#include "server/framing.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/slice.h"
#include "base/util.h"

#define VERSION_LEN 8 /* "HTTP/1.1" */

struct scan {
    const char *at;
    const char *end;
    size_t headers;
    unsigned lengths;
    unsigned codings;
    unsigned hosts;
    bool chunked; /* the coding is exactly "chunked" */
    bool length_valid;
    uint64_t length;
};

bool framing_is_token_char(char byte)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
           (byte != '\0' && strchr(others, byte));
}

static bool is_token(const char *text)
{
    if (!*text)
        return false;
    while (framing_is_token_char(*text))
        text++;
    return !*text;
}

static bool is_value(const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
            return false;
    }
    return true;
}

/* What CRLF became. */
static bool take_line_end(struct scan *scan)
{
    if (scan->end - scan->at < 2 || scan->at[0] || scan->at[1])
        return false;
    scan->at += 2;
    return true;
}

/* The text up to its NUL, which is consumed only when it was a colon. */
static const char *take_text(struct scan *scan)
{
    const char *text = scan->at;
    const char *nul = memchr(text, '\0', (size_t)(scan->end - text));
    if (!nul)
        return NULL;
    scan->at = nul;
    return text;
}

/* Leading blanks only: libmicrohttpd keeps trailing ones, and what it does not
 * take for a number or for "chunked" must not be one for us. */
static void note_header(struct scan *scan, const char *name, const char *value)
{
    value += strspn(value, " \t");
    scan->headers++;
    if (strcasecmp(name, "Content-Length") == 0) {
        scan->lengths++;
        scan->length_valid = parse_u64(value, &scan->length) == 0;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        scan->codings++;
        scan->chunked = strcasecmp(value, "chunked") == 0;
    } else if (strcasecmp(name, "Host") == 0) {
        scan->hosts++;
    }
}

static bool take_header(struct scan *scan)
{
    const char *name = take_text(scan);
    if (!name || !is_token(name))
        return false;
    scan->at++;
    const char *value = take_text(scan);
    if (!value || !is_value(value) || !take_line_end(scan))
        return false;
    note_header(scan, name, value);
    return true;
}

static const char *check_request_line(const struct framing_head *head)
{
    if (!is_token(head->method))
        return "the method is malformed";
    /* A second blank, or a NUL inside the target, would stand in between. */
    if (head->target != head->method + strlen(head->method) + 1 ||
        head->version != head->target + head->target_len + 1)
        return "the request line is malformed";
    return NULL;
}

static const char *check_meaning(const struct scan *scan, bool http_1_0)
{
    if (scan->lengths > 1)
        return "Content-Length is repeated";
    if (scan->lengths && scan->codings)
        return "Content-Length and Transfer-Encoding exclude each other";
    if (scan->lengths && !scan->length_valid)
        return "Content-Length is not a number";
    if (scan->codings && http_1_0)
        return "HTTP/1.0 knows no Transfer-Encoding";
    if (scan->codings > 1 || (scan->codings && !scan->chunked))
        return "Transfer-Encoding may only be chunked";
    if (scan->hosts > 1 || (!scan->hosts && !http_1_0))
        return "there must be one Host";
    return NULL;
}

static struct framing refuse(int status, const char *why)
{
    return (struct framing){.refusal = why, .status = status};
}

struct framing framing_check(const struct framing_head *head)
{
    const char *why = check_request_line(head);
    if (why)
        return refuse(400, why);
    if (head->size > FRAMING_HEAD_MAX || head->header_count > FRAMING_HEADERS_MAX)
        return refuse(431, "the request's headers are too long, or too many");
    struct scan scan = {.at = head->version + VERSION_LEN, .end = head->method + head->size};
    if (!take_line_end(&scan))
        return refuse(400, "the request line does not end with CRLF");
    while (!take_line_end(&scan))
        if (!take_header(&scan))
            return refuse(400, "a header is malformed, folded, or not ended by CRLF");
    if (scan.at != scan.end || scan.headers != head->header_count)
        return refuse(400, "the headers do not end with an empty line");
    why = check_meaning(&scan, strcmp(head->version, "HTTP/1.0") == 0);
    if (why)
        return refuse(400, why);
    return (struct framing){.chunked = scan.codings > 0, .content_length = scan.length};
}

bool framing_target_valid(const char *target)
{
    if (target[0] != '/' && strcmp(target, "*") != 0)
        return false;
    for (const char *at = target; *at; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7F ||
            (at[0] == '%' && strncmp(at, "%00", 3) == 0))
            return false;
    }
    return true;
}
