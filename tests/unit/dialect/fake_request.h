/* SPDX-License-Identifier: MIT */
/* fake_request.h — a request that a test fills in, and the answer that it got: what
 * server/http.h says of one request, without a server. */
#ifndef RUNNEL_TESTS_FAKE_REQUEST_H
#define RUNNEL_TESTS_FAKE_REQUEST_H

#include "server/http.h"

enum { HEADERS_MAX = 16 };

struct http_request {
    const char *method;
    const char *authorization;
    size_t authorizations; /* 0: as many as there are */
    const char *accept;
    const char *origin;
    const char *host;
    const char *site; /* Sec-Fetch-Site */
    const char *type;
    const char *cookie;
    const char *ticket;
    const char *number;
    const char *client;
    bool is_websocket;
    bool is_https;
    struct slice body;
    uint64_t key;
    unsigned scopes;
    void (*gone)(void *context);
    void *gone_context;
    struct http_header headers[HEADERS_MAX];
    size_t header_count;
    int status;
    char answer[4096];
};

/* Of the answer; NULL: none. */
const char *fake_header(const struct http_request *request, const char *name);
void fake_request_fini(struct http_request *request);

#endif
