/* SPDX-License-Identifier: MIT */
/* http_bodies.c — how many bytes are kept of what clients send, until it is all there, and of
 * bodies until they are answered. One holder's are a quarter: they are there for a moment, and
 * who needs longer is slow, or waits for many runs. */
#include "server/http_private.h"
#include "server/websocket_private.h"

/* All bodies and messages that are being read, and bodies that are with a handler, together. */
#define BODIES_MAX (64 * MIB)
#define BODIES_OF_HOLDER_MAX (BODIES_MAX / 4)

static size_t buffered_for(const struct http_server *server, uint64_t holder)
{
    size_t bytes = websockets_buffered_for(server, holder);
    list_for_each (link, &server->connections) {
        const struct http_request *request =
            CONTAINER_OF(link, struct http_connection, link)->request;
        bytes += request && request->holder == holder ? request->body.len : 0;
    }
    return bytes;
}

/* To look at all of them costs: it is done only when one alone could be too many. */
bool server_may_buffer(const struct http_server *server, uint64_t holder, size_t len)
{
    if (server->body_bytes + len > BODIES_MAX)
        return false;
    return holder == 0 || server->body_bytes + len <= BODIES_OF_HOLDER_MAX ||
           buffered_for(server, holder) + len <= BODIES_OF_HOLDER_MAX;
}
