/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "server/http_private.h"
#include "server/websocket.h"

/* Headers of a request together are shorter than this, so a list of them is. */
#define FORWARDED_MAX FRAMING_HEAD_MAX

#define ALLOWED_METHODS "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS"
/* Where a preflight does not ask for any, or for some that are no names. */
#define ALLOWED_HEADERS "Content-Type,Authorization,Idempotency-Key,Last-Event-ID"
#define ASKED_HEADERS_MAX KIB
/* What a page may read besides what it always may. */
#define EXPOSED_HEADERS "RateLimit-Limit,RateLimit-Remaining,RateLimit-Reset,Retry-After"

static enum MHD_Result collect_forwarded(void *context, enum MHD_ValueKind kind, const char *key,
                                         const char *value)
{
    (void)kind;
    struct buf *list = context;
    if (strcasecmp(key, "X-Forwarded-For") != 0)
        return MHD_YES;
    if (list->len > 0)
        buf_add_char(list, ',');
    if (value)
        buf_add_text(list, value);
    return MHD_YES;
}

/* A proxy that appends may do so in a header line of its own: all lines count,
 * in their order. */
static void find_client(struct http_request *request)
{
    struct http_server *server = request->server;
    struct address client = request->connection->peer;
    if (doors_trust(&server->doors, &client)) {
        auto_buf struct buf list;
        buf_init(&list, FORWARDED_MAX);
        (void)MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, collect_forwarded, &list);
        if (!list.failed)
            client = doors_client(&server->doors, &client, buf_slice(&list));
    }
    (void)address_format(&client, request->client);
    request->client_loopback = address_is_loopback(&client);
}

bool http_request_is_https(const struct http_request *request)
{
    const char *proto = http_request_header(request, "X-Forwarded-Proto");
    return proto && doors_trust(&request->server->doors, &request->connection->peer) &&
           strcasecmp(proto, "https") == 0;
}

/* What a page asks to send goes back as it is: the page is allowed, and a header that nobody
 * reads does nothing. */
static const char *allowed_headers(const struct http_request *request)
{
    const char *asked = http_request_header(request, "Access-Control-Request-Headers");
    size_t len = 0;
    while (asked && (framing_is_token_char(asked[len]) || asked[len] == ',' || asked[len] == ' '))
        len++;
    return len > 0 && len <= ASKED_HEADERS_MAX && asked[len] == '\0' ? asked : ALLOWED_HEADERS;
}

static void add_cors(struct http_request *request, const char *origin)
{
    http_add_header(request, "Access-Control-Allow-Origin", origin);
    http_add_header(request, "Access-Control-Allow-Credentials", "true");
    http_add_header(request, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
    if (strcmp(request->method, "OPTIONS") != 0)
        return;
    http_add_header(request, "Access-Control-Allow-Methods", ALLOWED_METHODS);
    http_add_header(request, "Access-Control-Allow-Headers", allowed_headers(request));
}

static bool changes_state(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           strcmp(method, "OPTIONS") != 0;
}

/* Answers, when it must not come in. Reading is open to foreign pages, which
 * their browser keeps the answer from; what changes something is not, since the
 * change would be done before the browser looks. */
static void pass_doors(struct http_request *request)
{
    const struct doors *doors = &request->server->doors;
    struct err err;
    const char *host = http_request_header(request, "Host");
    /* Only HTTP/1.0 can be without, and no browser speaks that. */
    if (host && !doors_host_allowed(doors, host, request->connection->listener->loopback)) {
        (void)err_set(&err, ERR_FORBIDDEN,
                      "Host '%.100s' is not served here; an operator can add it to server_names",
                      host);
        http_reply_err(request, &err);
        return;
    }
    const char *origin = http_request_header(request, "Origin");
    enum origin kind =
        doors_origin(doors, origin, http_request_is_https(request) ? "https" : "http", host);
    /* Whoever is in front of us may have judged the other one. */
    if (http_request_header_count(request, "Origin") > 1)
        kind = ORIGIN_FOREIGN;
    if (kind == ORIGIN_ALLOWED)
        add_cors(request, origin);
    if (strcmp(request->method, "OPTIONS") == 0) {
        http_reply(request, 204, NULL, (struct slice){0});
    } else if (kind == ORIGIN_FOREIGN &&
               (changes_state(request->method) || websocket_wanted(request))) {
        (void)err_set(&err, ERR_FORBIDDEN,
                      "Origin '%.100s' is not allowed; an operator can add it to cors_origins",
                      origin);
        http_reply_err(request, &err);
    }
}

static bool copy_captures(struct http_request *request)
{
    for (size_t i = 0; i < request->match.capture_count; i++) {
        struct slice value = request->match.captures[i].value;
        request->captures[i] = strndup(value.at, value.len);
        if (!request->captures[i])
            return false;
    }
    return true;
}

size_t http_request_max_body(const struct http_request *request)
{
    const struct http_route *route = request->match.route;
    size_t server = request->server->config.max_body;
    return server > 0 && !route->upload ? MIN(route->max_body, server) : route->max_body;
}

/* A request for a WebSocket may mean another row than a page's at its path does. */
static struct route_match match_route(const struct http_request *request)
{
    const struct http_config *config = &request->server->config;
    const char *dialect = http_request_dialect(request);
    bool wanted = websocket_wanted(request);
    struct route_match match = {0};
    if (wanted)
        match = route_find(config, dialect, HTTP_WEBSOCKET, request->path);
    if (!match.route)
        match = route_find(config, dialect, request->method, request->path);
    if (!match.route && wanted)
        match = route_find_rest(config, dialect, HTTP_WEBSOCKET);
    return match;
}

/* -1 when there is nothing that could handle it. */
static int find_route(struct http_request *request, struct err *err)
{
    request->match = match_route(request);
    if (!request->match.route)
        return err_set(err, ERR_NOT_FOUND, "Cannot %.20s %.200s", request->method, request->path);
    if (!copy_captures(request))
        return err_sys(err, errno, "request");
    buf_init(&request->body, http_request_max_body(request));
    return 0;
}

/* False: it has answered. */
static bool is_authorized(struct http_request *request)
{
    const struct http_config *config = &request->server->config;
    return !config->authorize || config->authorize(config->authorize_context, request,
                                                   request->match.mount, request->match.route);
}

static int check_coding(const struct http_request *request, struct err *err)
{
    const char *coding = http_request_header(request, "Content-Encoding");
    if (coding && strcasecmp(coding, "identity") != 0)
        return err_set(err, ERR_MEDIA_TYPE, "Content-Encoding '%.40s' is not understood", coding);
    return 0;
}

void request_admit(struct http_request *request)
{
    struct err err;
    find_client(request);
    http_add_header(request, "Vary", "Origin");
    pass_doors(request);
    if (request->phase > PHASE_BODY)
        return;
    if (find_route(request, &err) < 0) {
        http_reply_err(request, &err);
        return;
    }
    if (!is_authorized(request) || !request_may_hold(request))
        return;
    if (request->headers_lost) { /* now, and not after something was done that nobody is told of */
        http_send_response(request, 0, NULL, NULL, 0);
        return;
    }
    if (check_coding(request, &err) < 0)
        http_reply_err(request, &err);
    else if (request->content_length > http_request_max_body(request))
        http_reply_too_large(request);
    else if (request->match.route->upload)
        upload_begin(request);
}
