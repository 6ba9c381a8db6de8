/* SPDX-License-Identifier: MIT */
/* http_share.c — how many of the connections one client may hold: a key, or an address
 * that has none. Three quarters, rounded up, so that who reads a thousand streams of events
 * leaves room for others; what is idle between two requests is nobody's. Programs on this
 * machine that bring no key are not told apart, and have no share. */
#include "server/http_private.h"
#include "server/websocket_private.h"

#define NO_KEY (UINT64_C(1) << 63)

static uint64_t holder_of(const struct http_request *request)
{
    struct address address;
    if (request->key != 0)
        return request->key;
    if (request->client_loopback || address_parse(slice_of(request->client), &address) < 0)
        return 0;
    return NO_KEY | address_hash(&address);
}

static size_t held_by(const struct http_server *server, uint64_t holder)
{
    size_t held = websockets_held_by(server, holder);
    list_for_each (link, &server->connections) {
        const struct http_request *request =
            CONTAINER_OF(link, struct http_connection, link)->request;
        held += request && request->holder == holder;
    }
    return held;
}

/* An answer that is on its way goes out: only what stays open ends. */
void http_server_end_callers(struct http_server *server,
                             bool (*may_stay)(void *context, uint64_t key, const char *dialect),
                             void *context)
{
    list_for_each (link, &server->connections) {
        struct http_request *request = CONTAINER_OF(link, struct http_connection, link)->request;
        if (request && request->phase == PHASE_STREAMING &&
            !may_stay(context, request->key, request->match.mount))
            request_gone(request);
    }
    websockets_end_callers(server, may_stay, context);
}

uint64_t http_request_holder(const struct http_request *request)
{
    return request->holder;
}

bool request_may_hold(struct http_request *request)
{
    const struct http_server *server = request->server;
    size_t share = server->config.max_connections - server->config.max_connections / 4;
    uint64_t holder = holder_of(request);
    struct err err;
    /* One of the sockets is this one, which is not counted yet. */
    if (holder == 0 || server->sockets <= share || held_by(server, holder) < share) {
        request->holder = holder;
        return true;
    }
    (void)err_set(&err, ERR_RATE_LIMITED,
                  "you hold %zu connections, and others need some, too; end one of them", share);
    http_add_header(request, "Retry-After", "1");
    http_reply_err(request, &err);
    return false;
}
