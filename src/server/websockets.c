/* SPDX-License-Identifier: MIT */
/* websockets.c — what is asked of all sockets of a server. */
#include "server/http_private.h"
#include "server/websocket_private.h"

size_t websockets_held_by(const struct http_server *server, uint64_t holder)
{
    size_t held = 0;
    list_for_each (member, &server->websockets)
        held += CONTAINER_OF(member, struct websocket, link)->holder == holder;
    return held;
}

size_t websockets_buffered_for(const struct http_server *server, uint64_t holder)
{
    size_t bytes = 0;
    list_for_each (member, &server->websockets) {
        const struct websocket *socket = CONTAINER_OF(member, struct websocket, link);
        bytes += socket->holder == holder ? socket->unfinished : 0;
    }
    return bytes;
}

size_t websockets_unfinished(const struct http_server *server)
{
    size_t unfinished = 0;
    list_for_each (member, &server->websockets) {
        const struct websocket *socket = CONTAINER_OF(member, struct websocket, link);
        unfinished += !socket->is_gone && !socket->is_parting &&
                      (socket->owes_close || wslay_event_want_write(socket->wslay));
    }
    return unfinished;
}

void websocket_set_caller(struct websocket *socket, uint64_t key, const char *dialect)
{
    socket->key = key;
    socket->dialect = dialect;
}

void websockets_end_callers(struct http_server *server,
                            bool (*may_stay)(void *context, uint64_t key, const char *dialect),
                            void *context)
{
    list_for_each_safe (member, following, &server->websockets) {
        struct websocket *socket = CONTAINER_OF(member, struct websocket, link);
        if (!may_stay(context, socket->key, socket->dialect))
            websocket_close(socket, WEBSOCKET_POLICY, "the key that opened this has ended");
    }
}
