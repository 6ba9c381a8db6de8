/* SPDX-License-Identifier: MIT */
/* Theory of operation. wslay asks for bytes and gives bytes through callbacks;
 * the socket is a watch in our loop. Every call from outside only queues and
 * tries to write; whatever that finds out (the client is gone) is left to the
 * socket, which then reads as ended. So the end is always seen in one place, in
 * a callback of the loop.
 *
 *     opening ──► open ──► closing (a Close frame is queued, or came) ──► gone
 *
 * A client that is told off may still be sending: to close over unread bytes
 * resets the connection, and the reset can overtake our Close. So our side is
 * shut first, and the rest is read away.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

#include "base/util.h"
#include "server/http_private.h"
#include "server/websocket_private.h"
#include "server/websocket_wire.h"

/* A client is pinged when it has been silent this long, and must say anything
 * within as long again. */
#define SILENCE_MS 25000
/* For our Close and the client's. */
#define CLOSING_MS 5000

static const char no_memory[] = "no memory";

/* --- the end --- */

static void release(struct websocket *socket)
{
    list_remove(&socket->link);
    loop_watch_free(socket->watch);
    loop_timer_free(socket->timer);
    wslay_event_context_free(socket->wslay);
    websocket_forget_unfinished(socket);
    if (wire_close(&socket->wire))
        server_release_socket(socket->server);
    free(socket);
}

static void end(struct websocket *socket)
{
    const struct websocket_ops *ops = socket->ops;
    void *context = socket->context;
    release(socket);
    if (ops)
        ops->closed(context);
}

/* --- the loop's side --- */

static bool has_early(const struct websocket *socket)
{
    return wire_has_early(&socket->wire) && wslay_event_get_read_enabled(socket->wslay);
}

static void write_out(struct websocket *socket)
{
    if (wslay_event_send(socket->wslay) == 0)
        return;
    (void)shutdown(socket->wire.fd, SHUT_RDWR);
    socket->is_gone = true;
}

/* To wslay a Close is a control frame, which overtakes the messages before it: it
 * gets one when they are out. */
static bool may_say_close(const struct websocket *socket)
{
    return socket->owes_close && !socket->is_gone &&
           wslay_event_get_queued_msg_count(socket->wslay) == 0;
}

static void start_closing(struct websocket *socket)
{
    socket->is_closing = true;
    loop_timer_start(socket->timer, CLOSING_MS);
}

static void part(struct websocket *socket)
{
    socket->is_parting = true;
    (void)shutdown(socket->wire.fd, SHUT_WR);
    loop_watch_set(socket->watch, LOOP_READ);
    start_closing(socket);
}

/* False: there is no memory for it, so it went out bare, and no more can. */
static bool say_close(struct websocket *socket)
{
    const char *reason = socket->last_reason;
    uint16_t code = socket->last_code;
    socket->owes_close = false;
    if (wslay_event_queue_close(socket->wslay, code, (const uint8_t *)reason, strlen(reason)) ==
        WSLAY_ERR_NOMEM) {
        wire_write_close(&socket->wire, code);
        part(socket);
        return false;
    }
    loop_timer_start(socket->timer, CLOSING_MS);
    return true;
}

/* Writes what can be written. A socket that fails is shut down, which its watch
 * then shows. */
static void push(struct websocket *socket)
{
    if (socket->wire.fd < 0 || socket->is_parting)
        return;
    write_out(socket);
    if (may_say_close(socket)) {
        if (!say_close(socket))
            return;
        write_out(socket);
    }
    unsigned events = 0;
    if (websocket_may_read(socket) || socket->is_gone)
        events |= LOOP_READ;
    if ((wslay_event_want_write(socket->wslay) && !socket->is_gone) || has_early(socket))
        events |= LOOP_WRITE;
    loop_watch_set(socket->watch, events);
}

static bool is_over(const struct websocket *socket)
{
    return socket->is_gone ||
           (!wslay_event_want_read(socket->wslay) && !wslay_event_want_write(socket->wslay));
}

/* wslay closes for a malformed control frame, and for want of memory, but without
 * saying why. Where it is not in the midst of a message of ours, we say it. */
static void refuse_frame(struct websocket *socket, uint16_t code)
{
    if (wslay_event_get_close_sent(socket->wslay)) {
        part(socket); /* nothing may follow a Close, not even another */
        return;
    }
    if (socket->is_closing || wslay_event_get_queued_msg_count(socket->wslay) > 1) {
        socket->is_gone = true;
        return;
    }
    wire_write_close(&socket->wire, code);
    part(socket);
}

static void pull(struct websocket *socket)
{
    wire_next_turn(&socket->wire);
    int rc = wslay_event_recv(socket->wslay);
    if (rc != 0 && socket->is_overloaded)
        refuse_frame(socket, WEBSOCKET_TRY_LATER);
    else if (rc != 0 && !socket->is_gone)
        refuse_frame(socket, rc == WSLAY_ERR_NOMEM ? WEBSOCKET_FAILED : WEBSOCKET_PROTOCOL_ERROR);
    if (!socket->is_closing && !wslay_event_get_read_enabled(socket->wslay))
        start_closing(socket); /* its Close came, or a mistake of its that we close for */
}

static void part_or_end(struct websocket *socket)
{
    if (socket->is_gone || wslay_event_get_close_received(socket->wslay)) {
        end(socket);
        return;
    }
    part(socket);
}

static void on_ready(void *context, unsigned ready)
{
    struct websocket *socket = context;
    if (socket->is_parting) {
        if (!wire_drain(&socket->wire))
            end(socket);
        return;
    }
    if (ready & LOOP_READ || has_early(socket))
        pull(socket);
    if (socket->is_parting)
        return;
    push(socket);
    if (is_over(socket)) {
        part_or_end(socket);
        return;
    }
    if (socket->is_full && wslay_event_get_queued_msg_count(socket->wslay) == 0) {
        socket->is_full = false;
        if (socket->ops && socket->ops->drained && !socket->is_closing)
            socket->ops->drained(socket->context);
    }
}

static void on_timer(void *context)
{
    struct websocket *socket = context;
    if ((socket->is_closing && !socket->owes_close) || socket->is_pinged) {
        end(socket);
        return;
    }
    const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
    socket->is_pinged = wslay_event_queue_msg(socket->wslay, &ping) == 0;
    loop_timer_start(socket->timer, SILENCE_MS);
    push(socket);
}

struct websocket *websocket_new(struct http_server *server, const struct websocket_config *config,
                                const char *protocol, uint64_t holder)
{
    struct websocket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return NULL;
    if (wslay_event_context_server_init(&socket->wslay, &websocket_callbacks, socket) != 0) {
        free(socket);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(socket->wslay, config->message_max);
    socket->server = server;
    socket->ops = config->ops;
    socket->context = config->context;
    socket->protocol = protocol;
    socket->holder = holder;
    socket->wire.fd = -1;
    socket->timer = loop_timer_new(server->loop, on_timer, socket);
    list_append(&server->websockets, &socket->link);
    return socket;
}

void websocket_open(struct websocket *socket, int fd, struct slice early)
{
    int on = 1;
    bool has_room = wire_open(&socket->wire, fd, early);
    /* libmicrohttpd turned it off: a key's echo would wait for an acknowledgement. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socket->watch =
        loop_watch_new(socket->server->loop, fd, LOOP_READ | LOOP_WRITE, on_ready, socket);
    loop_timer_start(socket->timer, SILENCE_MS);
    if (!has_room)
        websocket_close(socket, WEBSOCKET_FAILED, no_memory);
}

void websocket_failed(struct websocket *socket)
{
    end(socket);
}

void websockets_free_all(struct http_server *server)
{
    list_for_each_safe (member, following, &server->websockets) {
        struct websocket *socket = CONTAINER_OF(member, struct websocket, link);
        websocket_close(socket, WEBSOCKET_GOING_AWAY, ""); /* as far as it goes out at once */
        end(socket);
    }
}

/* --- the owner's side --- */

const char *websocket_protocol(const struct websocket *socket)
{
    return socket->protocol;
}

bool websocket_send(struct websocket *socket, enum websocket_kind kind, struct slice payload)
{
    const struct wslay_event_msg message = {
        .opcode = kind == WEBSOCKET_TEXT ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
        .msg = (const uint8_t *)payload.at,
        .msg_length = payload.len,
    };
    if (socket->is_closing)
        return false;
    if (wslay_event_queue_msg(socket->wslay, &message) == WSLAY_ERR_NOMEM) {
        websocket_close(socket, WEBSOCKET_FAILED, no_memory); /* a hole would be worse */
        return false;
    }
    push(socket);
    socket->is_full = socket->is_full || websocket_is_high(socket);
    return !socket->is_full;
}

bool websocket_send_buf(struct websocket *socket, enum websocket_kind kind,
                        const struct buf *message)
{
    if (!message->failed)
        return websocket_send(socket, kind, buf_slice(message));
    websocket_close(socket, WEBSOCKET_FAILED, no_memory);
    return false;
}

void websocket_close(struct websocket *socket, uint16_t code, const char *reason)
{
    if (socket->is_closing)
        return;
    socket->is_closing = true;
    socket->owes_close = true;
    socket->last_code = code;
    (void)snprintf(socket->last_reason, sizeof socket->last_reason, "%s", reason);
    push(socket);
}

void websocket_abandon(struct websocket *socket, uint16_t code, const char *reason)
{
    socket->ops = NULL;
    websocket_close(socket, code, reason);
}
