/* SPDX-License-Identifier: MIT */
/* websocket_private.h — between the handshake (websocket_accept.c), which is
 * HTTP's, the frames (websocket.c), what wslay is told of them and tells
 * (websocket_wslay.c), and what is asked of all (websockets.c). */
#ifndef RUNNEL_SERVER_WEBSOCKET_PRIVATE_H
#define RUNNEL_SERVER_WEBSOCKET_PRIVATE_H

#include <wslay/wslay.h>

#include "base/list.h"
#include "server/websocket.h"
#include "server/websocket_wire.h"

struct http_server;

/* What a Close frame has room for, and a NUL. */
enum { CLOSE_REASON_SIZE = 124 };

struct websocket {
    struct list link;
    struct http_server *server;
    const struct websocket_ops *ops; /* NULL: abandoned */
    void *context;
    const char *protocol;
    uint64_t holder; /* whose share of the connections it is of */
    uint64_t key;    /* who opened it, … */
    const char *dialect;
    struct wslay_event_context *wslay;
    struct websocket_wire wire;
    struct loop_watch *watch;
    struct loop_timer *timer;
    size_t unfinished;  /* bytes of a message that is not all there */
    bool in_control;    /* what comes is a control frame's */
    bool is_overloaded; /* there was no room for them */
    bool is_full;
    bool is_closing;    /* nothing more is taken from its owner */
    bool owes_close;    /* ours is to come, once all before it is out */
    uint16_t last_code; /* of it; 0: it says none */
    char last_reason[CLOSE_REASON_SIZE];
    bool is_parting; /* our side is shut */
    bool is_pinged;
    bool is_gone; /* read to its end, or broken */
};

extern const struct wslay_event_callbacks websocket_callbacks;
/* Is so much unsent that its sender is to wait, and not so much that it is not read? */
bool websocket_is_high(const struct websocket *socket);
bool websocket_may_read(const struct websocket *socket);
/* Its message is all there, or will never be. */
void websocket_forget_unfinished(struct websocket *socket);

/* Not yet on a socket: what is sent waits. NULL when there is no memory. */
struct websocket *websocket_new(struct http_server *server, const struct websocket_config *config,
                                const char *protocol, uint64_t holder);
/* Who opened it, and in which dialect (borrowed). */
void websocket_set_caller(struct websocket *socket, uint64_t key, const char *dialect);
/* The handshake is out; takes the descriptor, and the place among the server's
 * sockets. `early`: what the client sent behind its handshake. */
void websocket_open(struct websocket *socket, int fd, struct slice early);
/* The handshake never got out. */
void websocket_failed(struct websocket *socket);
/* Closes all that there are, without waiting for an answer: the server ends. */
void websockets_free_all(struct http_server *server);

/* websockets.c — closes those that `may_stay` is false for. */
void websockets_end_callers(struct http_server *server,
                            bool (*may_stay)(void *context, uint64_t key, const char *dialect),
                            void *context);
/* Those with something to be said that is not with the kernel yet. */
size_t websockets_unfinished(const struct http_server *server);
/* Of this one's share (http_share.c). */
size_t websockets_held_by(const struct http_server *server, uint64_t holder);
/* The bytes of this one's messages that are not all there. */
size_t websockets_buffered_for(const struct http_server *server, uint64_t holder);

#endif
