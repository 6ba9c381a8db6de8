/* SPDX-License-Identifier: MIT */
/* websocket_wslay.c — what wslay asks for and tells: the bytes of a socket, and the messages
 * that it makes of them. Those of a message that is not all there count as a body's. */
#include "base/util.h"
#include "server/http_private.h"
#include "server/websocket_private.h"

/* More than this unsent, and the sender is asked to wait. */
#define QUEUED_HIGH (256 * KIB)
/* More than this, and nothing more is read: each message that a client sends can make us
 * answer (a pong, an error), and one that never reads must not fill memory with them. */
#define UNREAD_MAX (2 * QUEUED_HIGH)
/* What a message takes beside its bytes. */
#define MESSAGE_COST 512

static size_t unsent(const struct websocket *socket)
{
    return wslay_event_get_queued_msg_length(socket->wslay) +
           wslay_event_get_queued_msg_count(socket->wslay) * MESSAGE_COST;
}

bool websocket_is_high(const struct websocket *socket)
{
    return unsent(socket) > QUEUED_HIGH;
}

bool websocket_may_read(const struct websocket *socket)
{
    return unsent(socket) < UNREAD_MAX;
}

/* wslay wants an error where nothing is there, too. */
static ssize_t as_of_wslay(struct websocket *socket, ssize_t count)
{
    if (count > 0)
        return count;
    wslay_event_set_error(socket->wslay,
                          count == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_recv(wslay_event_context_ptr wslay, uint8_t *buf, size_t len, int flags,
                       void *context)
{
    (void)wslay;
    (void)flags;
    struct websocket *socket = context;
    if (socket->is_overloaded)
        return as_of_wslay(socket, -1);
    if (!websocket_may_read(socket)) /* what came in this turn was enough for it */
        return as_of_wslay(socket, 0);
    ssize_t count = wire_read(&socket->wire, buf, len);
    socket->is_gone = socket->is_gone || count < 0;
    return as_of_wslay(socket, count);
}

static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t len, int flags,
                       void *context)
{
    (void)wslay;
    struct websocket *socket = context;
    return as_of_wslay(socket,
                       wire_write(&socket->wire, bytes, len, (flags & WSLAY_MSG_MORE) != 0));
}

static void on_frame(wslay_event_context_ptr wslay,
                     const struct wslay_event_on_frame_recv_start_arg *arg, void *context)
{
    (void)wslay;
    struct websocket *socket = context;
    socket->in_control = wslay_is_ctrl_frame(arg->opcode);
}

static void on_chunk(wslay_event_context_ptr wslay,
                     const struct wslay_event_on_frame_recv_chunk_arg *arg, void *context)
{
    (void)wslay;
    struct websocket *socket = context;
    if (socket->in_control)
        return;
    socket->is_overloaded = socket->is_overloaded ||
                            !server_may_buffer(socket->server, socket->holder, arg->data_length);
    socket->unfinished += arg->data_length;
    socket->server->body_bytes += arg->data_length;
}

void websocket_forget_unfinished(struct websocket *socket)
{
    socket->server->body_bytes -= socket->unfinished;
    socket->unfinished = 0;
}

static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *arg,
                       void *context)
{
    (void)wslay;
    struct websocket *socket = context;
    socket->is_pinged = false;
    if (!wslay_is_ctrl_frame(arg->opcode))
        websocket_forget_unfinished(socket);
    if (wslay_is_ctrl_frame(arg->opcode) || !socket->ops || socket->is_closing)
        return;
    struct slice payload = {(const char *)arg->msg, arg->msg_length};
    socket->ops->message(socket->context,
                         arg->opcode == WSLAY_TEXT_FRAME ? WEBSOCKET_TEXT : WEBSOCKET_BINARY,
                         payload);
}

const struct wslay_event_callbacks websocket_callbacks = {
    .recv_callback = on_recv,
    .send_callback = on_send,
    .on_frame_recv_start_callback = on_frame,
    .on_frame_recv_chunk_callback = on_chunk,
    .on_msg_recv_callback = on_message,
};
