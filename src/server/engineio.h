/* SPDX-License-Identifier: MIT */
/* engineio.h — sessions of Engine.IO 4 with Socket.IO 5 on them, whatever
 * carries their bytes. Packets are codec/socketio_packet.h's.
 *
 * Theory of operation. A session is a line to one client. Its bytes come and go
 * in requests (a GET that waits for packets, a "poll"; a POST that brings some),
 * or in frames of a WebSocket, to which a session may change over. On the line
 * the client connects: from then on the session has an owner, the dialect's
 * object, which gets events and emits them. Only the main namespace exists.
 *
 *     owner (dialect)      connected, event, writable, closed ▲ │ engineio_emit, _disconnect
 *     session                                                 │ ▼
 *     transport (routes)   engineio_*_arrived, engineio_ws_…  ▲ │ answer_poll, ws_send, ws_close
 *
 * What the transport calls, for requests to /socket.io/ (the route's maximum of a
 * body is ENGINEIO_MAX_PAYLOAD, above it an empty 413; what a poll or a POST is
 * answered has "Cache-Control: no-store"):
 *
 *     websocket_wanted    session = engineio_ws_arrived(engineio, &query, &answer);
 *                         NULL and 101: accept it, and abandon it at once, with code 0
 *                         NULL: http_reply(answer)
 *                         else socket = websocket_accept(request, …context = session…);
 *                              if (socket) engineio_ws_opened(session, socket);
 *                              else        engineio_ws_closed(session);
 *     else GET            session = engineio_poll_arrived(engineio, &query, request);
 *                         if (session) http_on_gone(request, engineio_poll_gone, session);
 *                         answer_poll(request, …) came before, or comes later
 *     other methods       answer = engineio_post_arrived(engineio, &query, body);
 *                         http_reply(answer)
 *     a text frame        engineio_ws_text(session, text), no longer than a body may be
 *     a binary frame      engineio_ws_binary(session)
 *     the socket drained  engineio_ws_drained(session), when ws_send had returned false
 *     the socket closed   engineio_ws_closed(session), unless ws_close was called
 *     ws_close(ws)        websocket_abandon(ws, 0, ""): no code, and no callback any more
 *
 * A session may end in any of these calls. Its memory goes in the loop's next
 * turn, so a pointer is good until its caller returns; later nobody asks for it:
 * its poll was answered, its socket was told to close, its owner had `closed`.
 *
 * The queue. Packets that cannot leave wait in the session. Above queue_bytes
 * engineio_emit returns 0: the owner emits nothing until `writable`, so that the
 * program behind it is held and nothing is lost. What is emitted in spite of it
 * is not taken. A client that makes us answer, and never fetches, is closed.
 *
 * One holder has no more than three quarters of the sessions, and a quarter of them may
 * wait for their clients to connect: the next one ends the oldest of these, and so it
 * does when there is no room at all. Who means it connects within a round trip.
 *
 * A session ends by the client's packet `1`, its socket's end, a poll that it
 * leaves or doubles, a ping unanswered for ping_timeout_ms, connect_timeout_ms
 * without a namespace, a packet that must not be there, or engineio_disconnect.
 */
#ifndef RUNNEL_SERVER_ENGINEIO_H
#define RUNNEL_SERVER_ENGINEIO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct loop;
struct engineio; /* all sessions of a service */
struct engineio_session;

/* What an HTTP request is to be answered. The body dies with the next call. */
struct engineio_answer {
    int status;
    const char *content_type; /* NULL: the body is empty */
    struct slice body;
};

struct engineio_transport_ops {
    /* `poll` as it was given to engineio_poll_arrived; once for each. */
    void (*answer_poll)(void *poll, const struct engineio_answer *answer);
    /* One text frame, copied; false: the next only after engineio_ws_drained. */
    bool (*ws_send)(void *ws, struct slice packet);
    void (*ws_close)(void *ws);
};

/* Called while the client's bytes are read, or from the loop; never from inside
 * engineio_emit or engineio_disconnect, both of which they may call. */
struct engineio_owner_ops {
    /* Returns the owner; NULL refuses the client. */
    void *(*connected)(void *context, struct engineio_session *session);
    /* The event's first argument is borrowed, and NULL when there is none. */
    void (*event)(void *owner, struct slice name, const json_t *argument);
    void (*writable)(void *owner); /* after engineio_emit returned less than 1 */
    /* The client disconnected or is gone; the session is no longer the owner's. */
    void (*closed)(void *owner);
};

enum { ENGINEIO_MAX_PAYLOAD = 1000000 };

/* Zero means the value named. */
struct engineio_config {
    const struct engineio_transport_ops *transport;
    const struct engineio_owner_ops *owner;
    void *context;               /* for `connected` */
    uint64_t ping_interval_ms;   /* 25 000 */
    uint64_t ping_timeout_ms;    /* 20 000 */
    uint64_t connect_timeout_ms; /* 45 000 */
    uint64_t upgrade_timeout_ms; /* 10 000: from a WebSocket's opening to its `5` */
    size_t max_sessions;         /* 1024 */
    size_t max_payload;          /* ENGINEIO_MAX_PAYLOAD; what a client may send at once */
    size_t queue_bytes;          /* 256 KiB */
};

/* Of a request's query (NULL: absent), and who sent it. */
struct engineio_query {
    const char *eio;
    const char *transport;
    const char *sid;
    struct slice method;
    const char *client; /* kept for engineio_client; may be NULL */
    uint64_t key;       /* who asks: a session is known to the one that opened it */
    uint64_t holder;    /* whose share of the sessions it is of; 0: nobody's */
    bool upgrade;       /* it asks for a WebSocket */
};

/* The answers' codes, as the wire has them. */
enum engineio_refusal {
    ENGINEIO_TRANSPORT_UNKNOWN,
    ENGINEIO_SID_UNKNOWN,
    ENGINEIO_BAD_HANDSHAKE_METHOD,
    ENGINEIO_BAD_REQUEST,
    ENGINEIO_FORBIDDEN,
    ENGINEIO_UNSUPPORTED_VERSION,
    ENGINEIO_TOO_MANY, /* 503 with the code of a bad request: the protocol has none for it */
    ENGINEIO_REFUSAL_COUNT
};
struct engineio_answer engineio_refuse(const struct engineio_query *query,
                                       enum engineio_refusal refusal);

/* What config points to is borrowed until engineio_free. */
struct engineio *engineio_new(struct loop *loop, const struct engineio_config *config,
                              struct err *err);
void engineio_free(struct engineio *engineio); /* ends every session first */
/* Ends the sessions of the keys that `may_stay` is false for. From the loop only. */
void engineio_end_callers(struct engineio *engineio, bool (*may_stay)(void *context, uint64_t key),
                          void *context);
size_t engineio_count(const struct engineio *engineio);

struct engineio_session *engineio_poll_arrived(struct engineio *engineio,
                                               const struct engineio_query *query, void *poll);
void engineio_poll_gone(void *session);
struct engineio_answer engineio_post_arrived(struct engineio *engineio,
                                             const struct engineio_query *query, struct slice body);
struct engineio_session *engineio_ws_arrived(struct engineio *engineio,
                                             const struct engineio_query *query,
                                             struct engineio_answer *ret_answer);
void engineio_ws_opened(struct engineio_session *session, void *ws);
void engineio_ws_text(struct engineio_session *session, struct slice text);
void engineio_ws_binary(struct engineio_session *session);
void engineio_ws_drained(struct engineio_session *session);
void engineio_ws_closed(struct engineio_session *session);

/* Sends an event whose one argument is this JSON, or which has none (length 0).
 * 1: emit on; 0: taken, but wait for `writable`; -1: not taken, it is full. */
int engineio_emit(struct engineio_session *session, const char *event, struct slice argument);
/* There is no memory for what the owner would emit, or for what it was told: the session ends
 * soon, with `closed`, as one does that would lose a packet. The client starts anew. */
void engineio_break(struct engineio_session *session);
/* Sends what was emitted, then tells the client to leave. The session is no
 * longer the owner's, and `closed` does not come. */
void engineio_disconnect(struct engineio_session *session);
const char *engineio_client(const struct engineio_session *session); /* "" when not given */
uint64_t engineio_key(const struct engineio_session *session);

#endif
