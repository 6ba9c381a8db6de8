/* SPDX-License-Identifier: MIT */
/* websocket.h — WebSockets (RFC 6455), as dialects see them. wslay does the
 * framing; the loop is ours.
 *
 *     static const struct websocket_ops ops = {on_message, on_drained, on_closed};
 *     if (!websocket_wanted(request)) { …answer as HTTP… return; }
 *     session->socket = websocket_accept(request, &(struct websocket_config){
 *         .message_max = 64 * KIB, .ops = &ops, .context = session});
 *     …
 *     bool more = websocket_send(session->socket, WEBSOCKET_TEXT, text);
 *     websocket_close(session->socket, 1000, "");
 *
 * Callbacks come from the loop, never from inside a call into this module.
 * `closed` is the last one, and comes once for each socket, whoever ended it;
 * after it the socket is gone. Frames that break the protocol, text that is not
 * UTF-8, and messages over the maximum are answered with 1002, 1007 and 1009
 * before any of it reaches `message`. A client that answers no ping for a minute
 * is gone.
 */
#ifndef RUNNEL_SERVER_WEBSOCKET_H
#define RUNNEL_SERVER_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct http_request;
struct websocket;

enum websocket_kind { WEBSOCKET_TEXT, WEBSOCKET_BINARY };

/* Close codes that we send (RFC 6455, 7.4.1). */
enum {
    WEBSOCKET_DONE = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_FAILED = 1011,
    WEBSOCKET_TRY_LATER = 1013,
};

struct websocket_ops {
    /* A whole message, borrowed for the call. */
    void (*message)(void *context, enum websocket_kind kind, struct slice payload);
    /* What was queued is out, after websocket_send said to wait; may be NULL. */
    void (*drained)(void *context);
    void (*closed)(void *context);
};

struct websocket_config {
    size_t message_max; /* bytes of a message that is taken */
    const struct websocket_ops *ops;
    void *context;
    const char *const *protocols; /* subprotocols, best first, NULL-ended; may be NULL */
};

/* Does the request ask for one, be it rightly or not? Another protocol that it offers
 * (curl's h2c) is ignored. */
bool websocket_wanted(const struct http_request *request);

/* Answers the request: with 101, or with the 4xx that says what is wrong with
 * the handshake; then NULL, and no callback. */
struct websocket *websocket_accept(struct http_request *request,
                                   const struct websocket_config *config);
/* The subprotocol that was agreed on; NULL for none. */
const char *websocket_protocol(const struct websocket *socket);

/* Queues a message (copied). False: wait for `drained` before sending more. The
 * message is queued all the same; after a close it is dropped. */
bool websocket_send(struct websocket *socket, enum websocket_kind kind, struct slice payload);
/* One that could not be written for want of memory (failed) ends the connection instead, with
 * WEBSOCKET_FAILED: half a message, or one that is missed, would be worse. */
bool websocket_send_buf(struct websocket *socket, enum websocket_kind kind,
                        const struct buf *message);

/* Sends what is queued, as slowly as it is taken, then a Close frame; a client that
 * does not answer it in time is cut off. Repeating it is harmless. `closed` follows. With code 0
 * the frame says neither code nor reason. */
void websocket_close(struct websocket *socket, uint16_t code, const char *reason);

/* The owner goes away: closes as above, and makes no callback any more. */
void websocket_abandon(struct websocket *socket, uint16_t code, const char *reason);

#endif
