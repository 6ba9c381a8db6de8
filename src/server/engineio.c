/* SPDX-License-Identifier: MIT */
#include "server/engineio.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/util.h"
#include "codec/utf8.h"
#include "loop/loop.h"
#include "server/engineio_private.h"

/* ---- answers ---- */

#define REFUSAL(http, code, text)                                   \
    {                                                               \
        http, text, "{\"code\":" #code ",\"message\":\"" text "\"}" \
    }

static const struct {
    int status;
    const char *text; /* to a request for a WebSocket, as the reference has it */
    const char *json;
} refusals[] = {
    [ENGINEIO_TRANSPORT_UNKNOWN] = REFUSAL(400, 0, "Transport unknown"),
    [ENGINEIO_SID_UNKNOWN] = REFUSAL(400, 1, "Session ID unknown"),
    [ENGINEIO_BAD_HANDSHAKE_METHOD] = REFUSAL(400, 2, "Bad handshake method"),
    [ENGINEIO_BAD_REQUEST] = REFUSAL(400, 3, "Bad request"),
    [ENGINEIO_FORBIDDEN] = REFUSAL(403, 4, "Forbidden"),
    [ENGINEIO_UNSUPPORTED_VERSION] = REFUSAL(400, 5, "Unsupported protocol version"),
    [ENGINEIO_TOO_MANY] = REFUSAL(503, 3, "Too many sessions"),
};
static_assert(ARRAY_LEN(refusals) == ENGINEIO_REFUSAL_COUNT, "the last refusal has no row");

struct engineio_answer engineio_refuse(const struct engineio_query *query,
                                       enum engineio_refusal refusal)
{
    struct engineio_answer answer = {.status = refusals[refusal].status};
    answer.content_type = query->upgrade ? "text/html" : "application/json";
    answer.body = slice_of(query->upgrade ? refusals[refusal].text : refusals[refusal].json);
    return answer;
}

static const struct engineio_answer empty_400 = {.status = 400};

/* ---- all of them ---- */

static void free_ended(void *context)
{
    struct engineio *engineio = context;
    list_for_each_safe (link, following, &engineio->ended)
        session_free(CONTAINER_OF(link, struct engineio_session, link));
}

static void set_config(struct engineio_config *config)
{
    const struct {
        uint64_t *field;
        uint64_t value;
    } defaults[] = {
        {&config->ping_interval_ms, 25000},   {&config->ping_timeout_ms, 20000},
        {&config->connect_timeout_ms, 45000}, {&config->upgrade_timeout_ms, 10000},
        {&config->max_sessions, 1024},        {&config->max_payload, ENGINEIO_MAX_PAYLOAD},
        {&config->queue_bytes, 256 * KIB},
    };
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        if (*defaults[i].field == 0)
            *defaults[i].field = defaults[i].value;
}

struct engineio *engineio_new(struct loop *loop, const struct engineio_config *config,
                              struct err *err)
{
    struct engineio *engineio = calloc(1, sizeof *engineio);
    if (!engineio) {
        (void)err_set(err, ERR_INTERNAL, "out of memory for the sessions of Socket.IO");
        return NULL;
    }
    list_init(&engineio->opened);
    list_init(&engineio->ended);
    engineio->loop = loop;
    engineio->config = *config;
    engineio->bury = loop_task_new(loop, free_ended, engineio);
    set_config(&engineio->config);
    size_t buckets = 1;
    while (buckets < engineio->config.max_sessions && buckets < SIZE_MAX / 2)
        buckets *= 2;
    engineio->buckets = calloc(buckets, sizeof *engineio->buckets);
    if (!engineio->buckets ||
        getrandom(&engineio->seed, sizeof engineio->seed, 0) != sizeof engineio->seed) {
        (void)err_set(err, ERR_INTERNAL, "no memory or no random bytes for Socket.IO");
        engineio_free(engineio);
        return NULL;
    }
    engineio->bucket_mask = buckets - 1;
    for (size_t i = 0; i < buckets; i++)
        list_init(&engineio->buckets[i]);
    return engineio;
}

void engineio_free(struct engineio *engineio)
{
    if (!engineio)
        return;
    for (size_t i = 0; engineio->buckets && i <= engineio->bucket_mask; i++)
        while (!list_empty(&engineio->buckets[i]))
            session_end(CONTAINER_OF(engineio->buckets[i].next, struct engineio_session, link),
                        ENGINEIO_CLOSE);
    free_ended(engineio);
    loop_task_free(engineio->bury);
    free(engineio->buckets);
    free(engineio);
}

void engineio_end_callers(struct engineio *engineio, bool (*may_stay)(void *context, uint64_t key),
                          void *context)
{
    for (size_t i = 0; i <= engineio->bucket_mask; i++) {
        list_for_each_safe (link, following, &engineio->buckets[i]) {
            struct engineio_session *session = CONTAINER_OF(link, struct engineio_session, link);
            if (!may_stay(context, session->key))
                session_end(session, ENGINEIO_CLOSE);
        }
    }
}

size_t engineio_count(const struct engineio *engineio)
{
    return engineio->count;
}

uint64_t engineio_key(const struct engineio_session *session)
{
    return session->key;
}

const char *engineio_client(const struct engineio_session *session)
{
    return session->client;
}

/* ---- requests ---- */

/* The reference's order, since each of them is asked by somebody's test. Returns
 * ENGINEIO_REFUSAL_COUNT when nothing is wrong; the session is NULL when the
 * request asks for a new one. */
static enum engineio_refusal check(const struct engineio *engineio,
                                   const struct engineio_query *query,
                                   struct engineio_session **ret_session)
{
    *ret_session = NULL;
    const char *transport = query->transport ? query->transport : "";
    bool websocket = strcmp(transport, "websocket") == 0;
    if (!websocket && strcmp(transport, "polling") != 0)
        return ENGINEIO_TRANSPORT_UNKNOWN;
    bool known = query->sid && query->sid[0];
    struct engineio_session *session = known ? engineio_find(engineio, query->sid) : NULL;
    if (session && session->key != query->key)
        session = NULL;
    if (known && !session)
        return ENGINEIO_SID_UNKNOWN;
    if (!known && !slice_is(query->method, "GET"))
        return ENGINEIO_BAD_HANDSHAKE_METHOD;
    if (websocket != query->upgrade)
        return ENGINEIO_BAD_REQUEST;
    if (!known && (!query->eio || strcmp(query->eio, "4") != 0))
        return ENGINEIO_UNSUPPORTED_VERSION;
    if (known && !websocket && session->line == LINE_WEBSOCKET)
        return ENGINEIO_BAD_REQUEST;
    *ret_session = session;
    return ENGINEIO_REFUSAL_COUNT;
}

/* A poll of a session that there is. */
static void take_poll(struct engineio_session *session, void *poll)
{
    const struct engineio_transport_ops *transport = session->engineio->config.transport;
    if (session->poll) { /* they would race for packets: both are told to stop */
        session_end(session, ENGINEIO_CLOSE);
        transport->answer_poll(poll, &empty_400);
        return;
    }
    session->poll = poll;
    session_flush(session);
    if (!session->poll)
        return;
    if (session->line == LINE_LEAVING)
        session_end(session, ENGINEIO_CLOSE);
    else if (session->line == LINE_PROBING && session->probed)
        session_answer_poll(session, ENGINEIO_NOOP);
}

struct engineio_session *engineio_poll_arrived(struct engineio *engineio,
                                               const struct engineio_query *query, void *poll)
{
    struct engineio_session *session;
    enum engineio_refusal refusal = check(engineio, query, &session);
    if (refusal == ENGINEIO_REFUSAL_COUNT && !session) {
        session = engineio_open(engineio, LINE_POLLING, query);
        if (session)
            session_write_open(session);
        else
            refusal = ENGINEIO_TOO_MANY;
    }
    if (refusal != ENGINEIO_REFUSAL_COUNT) {
        const struct engineio_answer answer = engineio_refuse(query, refusal);
        engineio->config.transport->answer_poll(poll, &answer);
        return NULL;
    }
    take_poll(session, poll);
    return session->poll == poll ? session : NULL;
}

void engineio_poll_gone(void *context)
{
    struct engineio_session *session = context;
    session->poll = NULL;
    session_end(session, ENGINEIO_CLOSE);
}

static bool take_payload(struct engineio_session *session, struct slice payload)
{
    struct slice text;
    if (payload.len == 0 || !utf8_valid(payload))
        return false;
    while (session->line != LINE_ENDED && engineio_cut_packet(&payload, &text))
        if (!session_take_packet(session, text))
            return false;
    return true;
}

struct engineio_answer engineio_post_arrived(struct engineio *engineio,
                                             const struct engineio_query *query, struct slice body)
{
    struct engineio_session *session;
    enum engineio_refusal refusal = check(engineio, query, &session);
    if (refusal != ENGINEIO_REFUSAL_COUNT)
        return engineio_refuse(query, refusal);
    if (!session || !slice_is(query->method, "POST"))
        return engineio_refuse(query, ENGINEIO_BAD_REQUEST);
    if (body.len > engineio->config.max_payload)
        return (struct engineio_answer){.status = 413};
    if (!take_payload(session, body)) {
        session_end(session, ENGINEIO_CLOSE);
        return engineio_refuse(query, ENGINEIO_BAD_REQUEST);
    }
    /* text/html: some browsers offer text/plain as a download. */
    return (struct engineio_answer){200, "text/html", slice_of("ok")};
}

/* ---- WebSockets ---- */

struct engineio_session *engineio_ws_arrived(struct engineio *engineio,
                                             const struct engineio_query *query,
                                             struct engineio_answer *ret_answer)
{
    struct engineio_session *session;
    enum engineio_refusal refusal = check(engineio, query, &session);
    if (refusal == ENGINEIO_REFUSAL_COUNT && session) {
        *ret_answer = (struct engineio_answer){.status = 101};
        if (session->line == LINE_PROBING || session->line == LINE_WEBSOCKET)
            return NULL; /* it has one */
        if (session->line == LINE_LEAVING)
            refusal = ENGINEIO_SID_UNKNOWN;
        else
            session_probe(session);
    } else if (refusal == ENGINEIO_REFUSAL_COUNT) {
        session = engineio_open(engineio, LINE_WEBSOCKET, query);
        refusal = session ? refusal : ENGINEIO_TOO_MANY;
    }
    if (refusal == ENGINEIO_REFUSAL_COUNT)
        return session;
    *ret_answer = engineio_refuse(query, refusal);
    return NULL;
}

void engineio_ws_opened(struct engineio_session *session, void *ws)
{
    session->ws = ws;
    if (session->line == LINE_WEBSOCKET)
        session_write_open(session);
}

/* Until its `5` a socket may only probe. */
static void take_probe(struct engineio_session *session, struct slice text)
{
    if (slice_is(text, "5") && session->probed) {
        session_upgrade(session);
    } else if (slice_is(text, "2probe")) {
        session->probed = true;
        (void)session->engineio->config.transport->ws_send(session->ws, slice_of("3probe"));
        session_flush(session);
        if (session->poll && session->line == LINE_PROBING)
            session_answer_poll(session, ENGINEIO_NOOP);
    } else {
        session_drop_ws(session);
    }
}

void engineio_ws_text(struct engineio_session *session, struct slice text)
{
    if (session->line == LINE_PROBING)
        take_probe(session, text);
    else if (session->line == LINE_WEBSOCKET && !session_take_packet(session, text))
        session_end(session, ENGINEIO_CLOSE);
}

void engineio_ws_binary(struct engineio_session *session)
{
    engineio_ws_text(session, (struct slice){"", 0}); /* as an empty packet: never right */
}

void engineio_ws_drained(struct engineio_session *session)
{
    session->ws_full = false;
    loop_task_schedule(session->flush);
}

void engineio_ws_closed(struct engineio_session *session)
{
    session->ws = NULL;
    if (session->line == LINE_PROBING)
        session_drop_ws(session);
    else
        session_end(session, ENGINEIO_CLOSE);
}

void engineio_disconnect(struct engineio_session *session)
{
    session->owner = NULL;
    if (session->line != LINE_LEAVING && session->line != LINE_ENDED)
        session_leave(session);
}
