/* SPDX-License-Identifier: MIT */
/* socketio_packet.h — packets of Engine.IO (revision 4) and, inside its
 * messages, of Socket.IO (revision 5), as text.
 *
 *     4 2 /admin, 12 ["move",{"x":1}]
 *     │ │    │     │         └─ payload, JSON
 *     │ │    │     └─ id, when the sender wants an answer
 *     │ │    └─ namespace; the main one, "/", is not written
 *     │ └─ type of Socket.IO: an event
 *     └─ type of Engine.IO: a message
 *
 * Over HTTP a body holds several packets (a "payload") with a separator between
 * them; over a WebSocket each has a frame of its own. The protocols are written
 * down at https://github.com/socketio/engine.io-protocol and
 * https://github.com/socketio/socket.io-protocol. Binary is left out: what
 * announces it is refused.
 *
 * Readers return -EBADMSG for what the protocols do not allow. Their slices
 * point into the text that was read. Writers append to a buf, whose `failed`
 * is their failure. No packet ever holds the separator: JSON escapes it, and
 * names with control characters are refused.
 */
#ifndef RUNNEL_CODEC_SOCKETIO_PACKET_H
#define RUNNEL_CODEC_SOCKETIO_PACKET_H

#include "base/buf.h"
#include "base/slice.h"
#include "codec/json_read.h"

/* The numbers are those of the wire. */
enum engineio_type {
    ENGINEIO_OPEN,
    ENGINEIO_CLOSE,
    ENGINEIO_PING,
    ENGINEIO_PONG,
    ENGINEIO_MESSAGE,
    ENGINEIO_UPGRADE,
    ENGINEIO_NOOP,
    ENGINEIO_TYPE_COUNT
};

struct engineio_packet {
    enum engineio_type type;
    struct slice data;
};

int engineio_read_packet(struct slice text, struct engineio_packet *ret_packet);

/* Cuts the first packet off a payload; false when none is left. */
bool engineio_cut_packet(struct slice *payload, struct slice *ret_text);

/* Puts the separator first, unless `out` is empty. */
void engineio_write_packet(struct buf *out, enum engineio_type type, struct slice data);

enum socketio_type {
    SOCKETIO_CONNECT,
    SOCKETIO_DISCONNECT,
    SOCKETIO_EVENT,
    SOCKETIO_ACK,
    SOCKETIO_CONNECT_ERROR,
    SOCKETIO_TYPE_COUNT
};

enum { SOCKETIO_NAMESPACE_MAX = 255 }; /* bytes; longer ones are refused */

struct socketio_packet {
    enum socketio_type type;
    struct slice space; /* the namespace; "/" when none is written */
    struct slice id;    /* its digits; of length 0 when none is written */
    json_t *payload;    /* owned. Event, ack: an array; else an object, or NULL */
};

/* `text` is the data of an Engine.IO message. -ENOMEM, too. */
int socketio_read_packet(struct slice text, struct socketio_packet *ret_packet);
void socketio_packet_fini(struct socketio_packet *packet);
#define auto_socketio_packet auto_cleanup(socketio_packet_fini)

/* Of an event, which always has a name; a name that is a number, as the protocol
 * allows, is empty here. The argument is the first, NULL when there is none. */
struct slice socketio_event_name(const struct socketio_packet *packet);
json_t *socketio_event_argument(const struct socketio_packet *packet);

/* The packet without its payload, which is to be written behind it. The
 * namespace must be one that was read, or "/". Puts the separator first. */
void socketio_write_head(struct buf *out, enum socketio_type type, struct slice space,
                         struct slice id);
/* A whole event of the main namespace. The argument is JSON, or of length 0. */
void socketio_write_event(struct buf *out, const char *name, struct slice argument);

#endif
