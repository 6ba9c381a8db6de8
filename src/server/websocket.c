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
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "base/util.h"
#include "server/http_private.h"
#include "server/websocket_private.h"

/* A client is pinged when it has been silent this long, and must say anything
 * within as long again. */
#define SILENCE_MS 25000
/* For our Close and the client's. */
#define CLOSING_MS 5000
/* More than this unsent, and the sender is asked to wait. */
#define QUEUED_HIGH (256 * KIB)
/* So many messages unsent, and nothing more is read: each that a client sends can
 * make us answer (a pong, an error), and one that never reads must not fill memory
 * with them. */
#define UNREAD_MAX 4096
/* What one socket may bring in before the others have their turn. */
#define READ_A_TURN (128 * KIB)

/* What a Close frame has room for, and a NUL. */
enum { CLOSE_REASON_SIZE = 124 };

struct websocket {
    struct list link;
    struct http_server *server;
    const struct websocket_ops *ops; /* NULL: abandoned */
    void *context;
    const char *protocol;
    uint64_t holder; /* whose share of the connections it is of */
    struct wslay_event_context *wslay;
    int fd; /* -1 while opening */
    struct loop_watch *watch;
    struct loop_timer *timer;
    char *early; /* came with the handshake, and is not read yet */
    size_t early_len;
    size_t early_at;
    size_t turn; /* bytes read in this turn */
    bool is_full;
    bool is_closing;    /* nothing more is taken from its owner */
    uint16_t last_code; /* of our Close, once all before it is out; 0: none is to come */
    char last_reason[CLOSE_REASON_SIZE];
    bool is_parting; /* our side is shut */
    bool is_pinged;
    bool is_gone; /* read to its end, or broken */
};

/* --- wslay's side --- */

static ssize_t on_recv(wslay_event_context_ptr wslay, uint8_t *buf, size_t len, int flags,
                       void *context)
{
    (void)flags;
    struct websocket *socket = context;
    ssize_t count = 0;
    if (socket->early_at < socket->early_len) {
        count = (ssize_t)MIN(len, socket->early_len - socket->early_at);
        memcpy(buf, socket->early + socket->early_at, (size_t)count);
        socket->early_at += (size_t)count;
        return count;
    }
    if (socket->turn >= READ_A_TURN) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    do {
        count = recv(socket->fd, buf, len, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        socket->turn += (size_t)count;
        return count;
    }
    bool later = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    socket->is_gone = socket->is_gone || !later;
    wslay_event_set_error(wslay, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t len, int flags,
                       void *context)
{
    struct websocket *socket = context;
    int more = flags & WSLAY_MSG_MORE ? MSG_MORE : 0;
    ssize_t count = 0;
    do {
        count = send(socket->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL | more);
    } while (count < 0 && errno == EINTR);
    if (count >= 0)
        return count;
    bool later = errno == EAGAIN || errno == EWOULDBLOCK;
    wslay_event_set_error(wslay, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *arg,
                       void *context)
{
    (void)wslay;
    struct websocket *socket = context;
    socket->is_pinged = false;
    if (wslay_is_ctrl_frame(arg->opcode) || !socket->ops || socket->is_closing)
        return;
    struct slice payload = {(const char *)arg->msg, arg->msg_length};
    socket->ops->message(socket->context,
                         arg->opcode == WSLAY_TEXT_FRAME ? WEBSOCKET_TEXT : WEBSOCKET_BINARY,
                         payload);
}

/* --- the end --- */

static void release(struct websocket *socket)
{
    list_remove(&socket->link);
    loop_watch_free(socket->watch);
    loop_timer_free(socket->timer);
    wslay_event_context_free(socket->wslay);
    if (socket->fd >= 0) {
        (void)close(socket->fd);
        server_release_socket(socket->server);
    }
    free(socket->early);
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

/* What came with the handshake shows in no watch: one for writing fires at once. */
static bool has_early(const struct websocket *socket)
{
    return socket->early_at < socket->early_len && wslay_event_get_read_enabled(socket->wslay);
}

static void write_out(struct websocket *socket)
{
    if (wslay_event_send(socket->wslay) == 0)
        return;
    (void)shutdown(socket->fd, SHUT_RDWR);
    socket->is_gone = true;
}

/* To wslay a Close is a control frame, which overtakes the messages before it: it
 * gets one when they are out. */
static bool may_say_close(const struct websocket *socket)
{
    return socket->last_code != 0 && !socket->is_gone &&
           wslay_event_get_queued_msg_count(socket->wslay) == 0;
}

static void say_close(struct websocket *socket)
{
    const char *reason = socket->last_reason;
    (void)wslay_event_queue_close(socket->wslay, socket->last_code, (const uint8_t *)reason,
                                  strlen(reason));
    socket->last_code = 0;
    loop_timer_start(socket->timer, CLOSING_MS);
}

/* Writes what can be written. A socket that fails is shut down, which its watch
 * then shows. */
static void push(struct websocket *socket)
{
    if (socket->fd < 0)
        return;
    write_out(socket);
    if (may_say_close(socket)) {
        say_close(socket);
        write_out(socket);
    }
    unsigned events = 0;
    if (wslay_event_get_queued_msg_count(socket->wslay) < UNREAD_MAX || socket->is_gone)
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

static void start_closing(struct websocket *socket)
{
    socket->is_closing = true;
    loop_timer_start(socket->timer, CLOSING_MS);
}

static void part(struct websocket *socket)
{
    socket->is_parting = true;
    (void)shutdown(socket->fd, SHUT_WR);
    loop_watch_set(socket->watch, LOOP_READ);
    start_closing(socket);
}

/* wslay closes for a malformed control frame, and for want of memory, but without
 * saying why. Where it is not in the midst of a message of ours, we say it. */
static void refuse_frame(struct websocket *socket, uint16_t code)
{
    const char close_frame[] = {(char)0x88, 2, (char)(code >> 8), (char)code};
    if (wslay_event_get_close_sent(socket->wslay)) {
        part(socket); /* nothing may follow a Close, not even another */
        return;
    }
    if (socket->is_closing || wslay_event_get_queued_msg_count(socket->wslay) > 1) {
        socket->is_gone = true;
        return;
    }
    (void)send(socket->fd, close_frame, sizeof close_frame, MSG_DONTWAIT | MSG_NOSIGNAL);
    part(socket);
}

static void pull(struct websocket *socket)
{
    socket->turn = 0;
    int rc = wslay_event_recv(socket->wslay);
    if (rc != 0 && !socket->is_gone)
        refuse_frame(socket, rc == WSLAY_ERR_NOMEM ? WEBSOCKET_FAILED : WEBSOCKET_PROTOCOL_ERROR);
    if (!socket->is_closing && !wslay_event_get_read_enabled(socket->wslay))
        start_closing(socket); /* its Close came, or a mistake of its that we close for */
}

static void read_away(struct websocket *socket)
{
    char bytes[16 * KIB];
    ssize_t count = recv(socket->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        end(socket);
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
        read_away(socket);
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
    if ((socket->is_closing && socket->last_code == 0) || socket->is_pinged) {
        end(socket);
        return;
    }
    socket->is_pinged = true;
    const struct wslay_event_msg ping = {.opcode = WSLAY_PING};
    (void)wslay_event_queue_msg(socket->wslay, &ping);
    loop_timer_start(socket->timer, SILENCE_MS);
    push(socket);
}

struct websocket *websocket_new(struct http_server *server, const struct websocket_config *config,
                                const char *protocol, uint64_t holder)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};
    struct websocket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return NULL;
    if (wslay_event_context_server_init(&socket->wslay, &callbacks, socket) != 0) {
        free(socket);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(socket->wslay, config->message_max);
    socket->server = server;
    socket->ops = config->ops;
    socket->context = config->context;
    socket->protocol = protocol;
    socket->holder = holder;
    socket->fd = -1;
    socket->timer = loop_timer_new(server->loop, on_timer, socket);
    list_append(&server->websockets, &socket->link);
    return socket;
}

void websocket_open(struct websocket *socket, int fd, struct slice early)
{
    int on = 1;
    socket->fd = fd;
    /* libmicrohttpd turned it off: a key's echo would wait for an acknowledgement. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socket->watch =
        loop_watch_new(socket->server->loop, fd, LOOP_READ | LOOP_WRITE, on_ready, socket);
    loop_timer_start(socket->timer, SILENCE_MS);
    if (early.len == 0)
        return;
    socket->early = malloc(early.len);
    if (!socket->early) {
        (void)shutdown(fd, SHUT_RDWR);
        return;
    }
    memcpy(socket->early, early.at, early.len);
    socket->early_len = early.len;
}

void websocket_failed(struct websocket *socket)
{
    end(socket);
}

size_t websockets_held_by(const struct http_server *server, uint64_t holder)
{
    size_t held = 0;
    list_for_each (member, &server->websockets)
        held += CONTAINER_OF(member, struct websocket, link)->holder == holder;
    return held;
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
    if (wslay_event_queue_msg(socket->wslay, &message) == WSLAY_ERR_NOMEM && socket->fd >= 0)
        (void)shutdown(socket->fd, SHUT_RDWR); /* a hole in what it gets would be worse */
    push(socket);
    if (wslay_event_get_queued_msg_length(socket->wslay) > QUEUED_HIGH)
        socket->is_full = true;
    return !socket->is_full;
}

bool websocket_send_buf(struct websocket *socket, enum websocket_kind kind,
                        const struct buf *message)
{
    if (!message->failed)
        return websocket_send(socket, kind, buf_slice(message));
    websocket_close(socket, WEBSOCKET_FAILED, "no memory");
    return false;
}

void websocket_close(struct websocket *socket, uint16_t code, const char *reason)
{
    if (socket->is_closing)
        return;
    socket->is_closing = true;
    socket->last_code = code;
    (void)snprintf(socket->last_reason, sizeof socket->last_reason, "%s", reason);
    push(socket);
}

void websocket_abandon(struct websocket *socket, uint16_t code, const char *reason)
{
    socket->ops = NULL;
    websocket_close(socket, code, reason);
}
