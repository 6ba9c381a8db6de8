/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/util.h"
#include "codec/json_write.h"
#include "loop/loop.h"
#include "server/engineio_private.h"

/* An empty queue keeps this much memory. */
#define KEPT_BYTES (16 * KIB)

#define TO(line) (1U << (line))

static const struct {
    const char *name;
    unsigned next;
} lines[] = {
    [LINE_POLLING] = {"polling", TO(LINE_PROBING) | TO(LINE_LEAVING) | TO(LINE_ENDED)},
    [LINE_PROBING] = {"probing", TO(LINE_POLLING) | TO(LINE_WEBSOCKET) | TO(LINE_ENDED)},
    [LINE_WEBSOCKET] = {"websocket", TO(LINE_ENDED)},
    [LINE_LEAVING] = {"leaving", TO(LINE_ENDED)},
    [LINE_ENDED] = {"ended", 0},
};
static_assert(ARRAY_LEN(lines) == LINE_COUNT, "the last line has no row");

static void move(struct engineio_session *session, enum line to)
{
    if ((lines[session->line].next & TO(to)) == 0) {
        (void)fprintf(stderr, "an Engine.IO session may not go from %s to %s\n",
                      lines[session->line].name, lines[to].name);
        abort();
    }
    session->line = to;
}

bool session_make_sid(char sid[SID_LEN + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[SID_LEN * 6 / 8];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    unsigned bits = 0;
    unsigned held = 0;
    const unsigned char *next = bytes;
    for (size_t i = 0; i < SID_LEN; i++) {
        if (held < 6) {
            bits = bits << 8 | *next++;
            held += 8;
        }
        held -= 6;
        sid[i] = digits[bits >> held & 63];
    }
    sid[SID_LEN] = '\0';
    return true;
}

/* ---- what leaves ---- */

void engineio_break(struct engineio_session *session)
{
    session->broken = true;
    loop_task_schedule(session->flush);
}

void session_settle(struct engineio_session *session, size_t before)
{
    if (session->queue.failed) {
        session->queue.len = before;
        session->queue.failed = false;
        engineio_break(session);
    }
    loop_task_schedule(session->flush);
}

static void queue_packet(struct engineio_session *session, enum engineio_type type)
{
    size_t before = session->queue.len;
    engineio_write_packet(&session->queue, type, NO_DATA);
    session_settle(session, before);
}

void session_write_open(struct engineio_session *session)
{
    const struct engineio_config *config = &session->engineio->config;
    size_t before = session->queue.len;
    engineio_write_packet(&session->queue, ENGINEIO_OPEN, NO_DATA);
    struct json json = json_start(&session->queue);
    json_open_object(&json, NULL);
    json_text(&json, "sid", session->sid);
    json_open_array(&json, "upgrades");
    if (session->line == LINE_POLLING)
        json_text(&json, NULL, "websocket");
    json_close_array(&json);
    json_u64(&json, "pingInterval", config->ping_interval_ms);
    json_u64(&json, "pingTimeout", config->ping_timeout_ms);
    json_u64(&json, "maxPayload", config->max_payload);
    json_close_object(&json);
    session_settle(session, before);
}

static void answer(struct engineio_session *session, struct slice body)
{
    const struct engineio_answer answer = {200, "text/plain; charset=UTF-8", body};
    session->engineio->config.transport->answer_poll(take_ptr(&session->poll), &answer);
}

void session_answer_poll(struct engineio_session *session, enum engineio_type type)
{
    const char packet = (char)('0' + type);
    answer(session, (struct slice){&packet, 1});
}

static void answer_with_queue(struct engineio_session *session)
{
    answer(session, buf_slice(&session->queue));
    buf_clear(&session->queue);
}

/* A frame for each packet, as many as the socket takes. */
static void send_frames(struct engineio_session *session)
{
    struct slice rest = buf_slice(&session->queue);
    struct slice packet;
    if (rest.len == 0)
        return;
    while (!session->ws_full && engineio_cut_packet(&rest, &packet))
        session->ws_full = !session->engineio->config.transport->ws_send(session->ws, packet);
    buf_consume(&session->queue, session->queue.len - rest.len);
}

void session_flush(struct engineio_session *session)
{
    if (session->broken) {
        session_end(session, ENGINEIO_CLOSE);
        return;
    }
    if (session->line == LINE_WEBSOCKET)
        send_frames(session);
    else if (session->poll && session->queue.len > 0)
        answer_with_queue(session);
    if (session->queue.len == 0 && session->queue.room > KEPT_BYTES)
        buf_fini(&session->queue);
    if (session->full && session->queue.len <= session->engineio->config.queue_bytes / 2) {
        session->full = false;
        if (session->owner)
            session->engineio->config.owner->writable(session->owner);
    }
}

/* ---- what comes ---- */

static bool take_pong(struct engineio_session *session)
{
    if (session->pinged) {
        session->pinged = false;
        loop_timer_start(session->heartbeat, session->engineio->config.ping_interval_ms);
    }
    return true;
}

bool session_take_packet(struct engineio_session *session, struct slice text)
{
    struct engineio_packet packet;
    if (engineio_read_packet(text, &packet) < 0)
        return false;
    if ((session->broken || session->line == LINE_LEAVING) && packet.type != ENGINEIO_CLOSE)
        return true; /* nobody is there to be told */
    switch (packet.type) {
    case ENGINEIO_CLOSE: /* a poll that waits is told nothing: it was the client's wish */
        session_end(session, ENGINEIO_NOOP);
        return true;
    case ENGINEIO_PONG:
        return take_pong(session);
    case ENGINEIO_MESSAGE:
        return session_take_message(session, packet.data);
    case ENGINEIO_OPEN: /* ignored by the reference, too */
    case ENGINEIO_UPGRADE:
    case ENGINEIO_NOOP:
        return true;
    case ENGINEIO_PING: /* since revision 4 it is we who ping */
    case ENGINEIO_TYPE_COUNT:
        return false;
    }
    return false;
}

/* ---- its life ---- */

static void on_heartbeat(void *context)
{
    struct engineio_session *session = context;
    if (session->pinged || session->line == LINE_LEAVING) {
        session_end(session, ENGINEIO_CLOSE);
        return;
    }
    session->pinged = true;
    queue_packet(session, ENGINEIO_PING);
    loop_timer_start(session->heartbeat, session->engineio->config.ping_timeout_ms);
}

static void on_never_connected(void *context)
{
    session_end(context, ENGINEIO_CLOSE);
}

static void on_never_upgraded(void *context)
{
    session_drop_ws(context);
}

static void on_flush(void *context)
{
    session_flush(context);
}

struct engineio_session *session_new(struct engineio *engineio, enum line line, const char *client)
{
    struct engineio_session *session = calloc(1, sizeof *session);
    if (!session || !session_make_sid(session->sid)) {
        free(session);
        return NULL;
    }
    const struct engineio_config *config = &engineio->config;
    list_init(&session->link);
    list_init(&session->age);
    session->engineio = engineio;
    session->line = line;
    (void)snprintf(session->client, sizeof session->client, "%s", client ? client : "");
    /* Above queue_bytes: the packet that crosses it, and our own. */
    buf_init(&session->queue, config->queue_bytes + config->max_payload);
    session->heartbeat = loop_timer_new(engineio->loop, on_heartbeat, session);
    session->connect = loop_timer_new(engineio->loop, on_never_connected, session);
    session->upgrade = loop_timer_new(engineio->loop, on_never_upgraded, session);
    session->flush = loop_task_new(engineio->loop, on_flush, session);
    loop_timer_start(session->heartbeat, config->ping_interval_ms);
    loop_timer_start(session->connect, config->connect_timeout_ms);
    return session;
}

void session_free(struct engineio_session *session)
{
    if (!session)
        return;
    list_remove(&session->link);
    loop_timer_free(session->heartbeat);
    loop_timer_free(session->connect);
    loop_timer_free(session->upgrade);
    loop_task_free(session->flush);
    buf_fini(&session->queue);
    free(session);
}

void session_end(struct engineio_session *session, enum engineio_type farewell)
{
    if (session->line == LINE_ENDED)
        return;
    struct engineio *engineio = session->engineio;
    move(session, LINE_ENDED);
    list_remove(&session->age);
    list_remove(&session->link);
    list_append(&engineio->ended, &session->link);
    engineio->count--;
    loop_task_schedule(engineio->bury);
    loop_timer_stop(session->heartbeat);
    loop_timer_stop(session->connect);
    loop_timer_stop(session->upgrade);
    if (session->poll) {
        queue_packet(session, farewell);
        answer_with_queue(session);
    }
    loop_task_unschedule(session->flush);
    if (session->ws)
        engineio->config.transport->ws_close(take_ptr(&session->ws));
    if (session->owner)
        engineio->config.owner->closed(take_ptr(&session->owner));
}

/* Over polls the line must stay until the last words are fetched, and for one poll
 * more: clients let go of everything when they see a close packet, also of the
 * events that came before it in the same answer. */
void session_leave(struct engineio_session *session)
{
    size_t before = session->queue.len;
    socketio_write_head(&session->queue, SOCKETIO_DISCONNECT, slice_of("/"), NO_DATA);
    session_settle(session, before);
    if (session->line == LINE_PROBING)
        session_drop_ws(session);
    if (session->line == LINE_POLLING) {
        move(session, LINE_LEAVING);
        loop_timer_stop(session->connect);
        loop_timer_start(session->heartbeat, session->engineio->config.ping_timeout_ms);
        return;
    }
    while (session->queue.len > 0) {
        session->ws_full = false; /* the socket takes all before it closes */
        send_frames(session);
    }
    session_end(session, ENGINEIO_CLOSE);
}

/* ---- from polling to a WebSocket ---- */

void session_probe(struct engineio_session *session)
{
    move(session, LINE_PROBING);
    session->probed = false;
    session->ws_full = false;
    loop_timer_start(session->upgrade, session->engineio->config.upgrade_timeout_ms);
}

void session_upgrade(struct engineio_session *session)
{
    assert(!session->poll); /* since the probe none waits */
    move(session, LINE_WEBSOCKET);
    loop_timer_stop(session->upgrade);
    loop_task_schedule(session->flush);
}

void session_drop_ws(struct engineio_session *session)
{
    move(session, LINE_POLLING);
    loop_timer_stop(session->upgrade);
    if (session->ws)
        session->engineio->config.transport->ws_close(take_ptr(&session->ws));
}
