/* SPDX-License-Identifier: MIT */
/* framing.h — does a request mean one thing only?
 *
 * Where two parsers in a row (a proxy and we) could disagree about where a
 * request ends, an attacker hides a second one inside it. libmicrohttpd is
 * lenient: it takes bare LF and bare CR, folded lines, NUL, a repeated
 * Content-Length, Content-Length beside Transfer-Encoding and unknown transfer
 * codings, and its interface does not show what it forgave. It parses in place,
 * though: when the handler is called first, the head still lies in its buffer,
 * from `method` on for MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE bytes, and the
 * only changes are NULs for what separated the parts:
 *
 *     POST\0/execute\0HTTP/1.1\0\0Host\0 localhost\0\0Content-Length\0 2\0\0\0\0
 *
 * CRLF became two NULs, a bare LF one, a folded line is a line without a name,
 * and a NUL of the client is one too many. So the strict reading is done here,
 * once more, over what is left. A libmicrohttpd that parses in another way
 * makes this refuse every request: tests/dialect/execute says so at once.
 */
#ifndef RUNNEL_SERVER_FRAMING_H
#define RUNNEL_SERVER_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMING_HEAD_MAX = 16384, FRAMING_HEADERS_MAX = 100 };

struct framing_head {
    const char *method;
    const char *target; /* where it began; itself decoded meanwhile */
    size_t target_len;  /* as it was sent */
    const char *version;
    size_t size; /* of the whole head, from `method` on */
    size_t header_count;
};

struct framing {
    const char *refusal; /* why, NULL: this is one request */
    int status;          /* 400 or 431, with a refusal */
    bool chunked;
    uint64_t content_length;
};

struct framing framing_check(const struct framing_head *head);

/* The target before it is decoded: a path of ours, without control characters,
 * blanks and encoded NULs. "*" is allowed. */
bool framing_target_valid(const char *target);

/* One of those that names of headers and methods are made of: RFC 9110's tchar. */
bool framing_is_token_char(char byte);

#endif
