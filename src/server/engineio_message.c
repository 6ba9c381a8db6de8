/* SPDX-License-Identifier: MIT */
/* engineio_message.c — Socket.IO on a session: its client connects, and then has an owner,
 * which gets events and emits them. */
#include "codec/json_write.h"
#include "loop/loop.h"
#include "server/engineio_private.h"

/* What only answers the client waits for no `writable`: one that never fetches would
 * have us remember it all. */
static bool may_answer(struct engineio_session *session)
{
    if (session->queue.len < session->engineio->config.queue_bytes)
        return true;
    engineio_break(session);
    return false;
}

/* To any namespace but the main one, and to a client that has no owner. */
static bool refuse_client(struct engineio_session *session, struct slice space, const char *why)
{
    size_t before = session->queue.len;
    if (!may_answer(session))
        return true;
    socketio_write_head(&session->queue, SOCKETIO_CONNECT_ERROR, space, NO_DATA);
    struct json json = json_start(&session->queue);
    json_open_object(&json, NULL);
    json_text(&json, "message", why);
    json_close_object(&json);
    session_settle(session, before);
    return true;
}

/* The answer is queued before the owner is asked, who may emit at once. Its id
 * is another one: the session's is a secret, this one dialects may show. */
static bool connect_client(struct engineio_session *session)
{
    const struct engineio_config *config = &session->engineio->config;
    struct slice space = slice_of("/");
    char sid[SID_LEN + 1];
    size_t before = session->queue.len;
    if (!may_answer(session))
        return true;
    if (!session_make_sid(sid))
        return false;
    socketio_write_head(&session->queue, SOCKETIO_CONNECT, space, NO_DATA);
    struct json json = json_start(&session->queue);
    json_open_object(&json, NULL);
    json_text(&json, "sid", sid);
    json_close_object(&json);
    session_settle(session, before);
    session->owner = config->owner->connected(config->context, session);
    if (!session->owner) {
        session->queue.len = before;
        return refuse_client(session, space, "Service unavailable");
    }
    loop_timer_stop(session->connect);
    return true;
}

/* The line stays, and the client may connect again: if it does not, we do not
 * wait for longer than we did at first. */
static bool disconnect_client(struct engineio_session *session)
{
    const struct engineio_config *config = &session->engineio->config;
    loop_timer_start(session->connect, config->connect_timeout_ms);
    config->owner->closed(take_ptr(&session->owner));
    return true;
}

bool session_take_message(struct engineio_session *session, struct slice text)
{
    auto_socketio_packet struct socketio_packet packet = {0};
    if (socketio_read_packet(text, &packet) < 0)
        return false;
    bool connects = packet.type == SOCKETIO_CONNECT;
    if (connects && !slice_is(packet.space, "/"))
        return refuse_client(session, packet.space, "Invalid namespace");
    if (!slice_is(packet.space, "/") || connects == (session->owner != NULL))
        return false;
    switch (packet.type) {
    case SOCKETIO_CONNECT:
        return connect_client(session);
    case SOCKETIO_DISCONNECT:
        return disconnect_client(session);
    case SOCKETIO_EVENT:
        session->engineio->config.owner->event(session->owner, socketio_event_name(&packet),
                                               socketio_event_argument(&packet));
        return true;
    case SOCKETIO_ACK: /* we never ask for one */
        return true;
    case SOCKETIO_CONNECT_ERROR:
    case SOCKETIO_TYPE_COUNT:
        return false;
    }
    return false;
}

int engineio_emit(struct engineio_session *session, const char *event, struct slice argument)
{
    if (session->full || session->line == LINE_LEAVING || session->line == LINE_ENDED)
        return -1;
    size_t before = session->queue.len;
    socketio_write_event(&session->queue, event, argument);
    session_settle(session, before);
    session->full = session->queue.len >= session->engineio->config.queue_bytes;
    return session->full ? 0 : 1;
}
