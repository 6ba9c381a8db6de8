/* SPDX-License-Identifier: MIT */
/* engineio_private.h — between who asks for a session (engineio.c), the places for
 * them (engineio_places.c), its life (engineio_session.c), and the Socket.IO on it
 * (engineio_message.c).
 *
 *     opened ─► polling ◄──► probing ──► websocket ◄─ opened over a WebSocket
 *                  │            │            │
 *                  ▼            │            │
 *               leaving ────────┴────────────┴──► ended
 *
 * One arrow is not drawn: a session that polls ends at once, too, unless we
 * wanted it to, and its client has yet to hear of it.
 */
#ifndef RUNNEL_SERVER_ENGINEIO_PRIVATE_H
#define RUNNEL_SERVER_ENGINEIO_PRIVATE_H

#include "base/buf.h"
#include "base/list.h"
#include "codec/socketio_packet.h"
#include "server/address.h"
#include "server/engineio.h"

enum line {
    LINE_POLLING,
    LINE_PROBING, /* a WebSocket is there, and packets still leave by polls */
    LINE_WEBSOCKET,
    LINE_LEAVING, /* our last words are fetched; the poll after that is its last */
    LINE_ENDED,   /* waits to be freed */
    LINE_COUNT
};

#define NO_DATA ((struct slice){"", 0}) /* of a packet */

enum { SID_LEN = 20 }; /* of base64url: 120 random bits */

struct engineio {
    struct loop *loop;
    struct engineio_config config; /* without zeros */
    struct list *buckets;          /* sessions by sid, bucket_mask + 1 of them */
    size_t bucket_mask;
    uint64_t seed;
    size_t count;
    struct list opened; /* all of them, the oldest first */
    struct list ended;
    struct loop_task *bury;
};

struct engineio_session {
    struct list link; /* in its bucket, or in `ended` */
    struct list age;  /* in `opened` */
    struct engineio *engineio;
    char sid[SID_LEN + 1];
    char client[ADDRESS_TEXT_SIZE];
    uint64_t key;
    uint64_t holder;
    enum line line;
    void *poll; /* the one that waits */
    void *ws;
    bool ws_full; /* it has not drained yet */
    bool probed;  /* its probe was answered: a poll need not wait any more */
    void *owner;  /* NULL while the client is not connected */
    /* What waits to leave, joined as a poll is answered: cut again for frames. */
    struct buf queue;
    bool full;   /* the owner waits for `writable` */
    bool broken; /* a packet was lost for want of room or memory */
    bool pinged; /* and not answered yet */
    struct loop_timer *heartbeat;
    struct loop_timer *connect;
    struct loop_timer *upgrade;
    struct loop_task *flush; /* so that what one turn brings leaves together */
};

struct engineio_session *engineio_find(const struct engineio *engineio, const char *sid);
/* NULL when it may not be, or cannot. */
struct engineio_session *engineio_open(struct engineio *engineio, enum line line,
                                       const struct engineio_query *query);

/* NULL when memory or random bytes cannot be had. In no bucket yet. */
struct engineio_session *session_new(struct engineio *engineio, enum line line, const char *client);
void session_free(struct engineio_session *session);
/* A poll that waits is answered with what is queued and this packet. */
void session_end(struct engineio_session *session, enum engineio_type farewell);
/* What is queued, then a disconnect; the owner is not told. */
void session_leave(struct engineio_session *session);

/* After a packet was appended to the queue, which was so long before. A session
 * that would lose a packet is closed instead: the client starts anew. */
void session_settle(struct engineio_session *session, size_t before);
/* The first packet. */
void session_write_open(struct engineio_session *session);
/* One packet of the client's; false when it must not be there. */
bool session_take_packet(struct engineio_session *session, struct slice text);
/* The data of a packet of type `message`; false as above. */
bool session_take_message(struct engineio_session *session, struct slice text);
/* Takes what is queued to the poll or the socket, as far as they are there. */
void session_flush(struct engineio_session *session);
/* Answers the poll that waits with this packet alone. */
void session_answer_poll(struct engineio_session *session, enum engineio_type type);

void session_probe(struct engineio_session *session);
void session_upgrade(struct engineio_session *session);
/* Back to polling: the socket went, or does not do what it should. */
void session_drop_ws(struct engineio_session *session);

/* Random, 20 characters and a NUL. */
bool session_make_sid(char sid[SID_LEN + 1]);

#endif
