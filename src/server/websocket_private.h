/* SPDX-License-Identifier: MIT */
/* websocket_private.h — between the handshake (websocket_accept.c), which is
 * HTTP's, and the frames (websocket.c). */
#ifndef RUNNEL_SERVER_WEBSOCKET_PRIVATE_H
#define RUNNEL_SERVER_WEBSOCKET_PRIVATE_H

#include "base/list.h"
#include "server/websocket.h"

struct http_server;

/* Not yet on a socket: what is sent waits. NULL when there is no memory. */
struct websocket *websocket_new(struct http_server *server, const struct websocket_config *config,
                                const char *protocol, uint64_t holder);
/* Who opened it, and in which dialect (borrowed). */
void websocket_set_caller(struct websocket *socket, uint64_t key, const char *dialect);
/* Closes those that `may_stay` is false for. */
void websockets_end_callers(struct http_server *server,
                            bool (*may_stay)(void *context, uint64_t key, const char *dialect),
                            void *context);
/* The handshake is out; takes the descriptor, and the place among the server's
 * sockets. `early`: what the client sent behind its handshake. */
void websocket_open(struct websocket *socket, int fd, struct slice early);
/* The handshake never got out. */
void websocket_failed(struct websocket *socket);
/* Of this one's share (http_share.c). */
size_t websockets_held_by(const struct http_server *server, uint64_t holder);
/* Those with something to be said that is not with the kernel yet. */
size_t websockets_unfinished(const struct http_server *server);
/* Closes all that there are, without waiting for an answer: the server ends. */
void websockets_free_all(struct http_server *server);

#endif
