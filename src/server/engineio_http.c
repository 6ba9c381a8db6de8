/* SPDX-License-Identifier: MIT */
#include "server/engineio_http.h"

#include "server/websocket.h"

static void reply(struct http_request *request, const struct engineio_answer *answer)
{
    http_add_header(request, "Cache-Control", "no-store");
    http_reply(request, answer->status, answer->content_type, answer->body);
}

static void answer_poll(void *poll, const struct engineio_answer *answer)
{
    reply(poll, answer);
}

static bool ws_send(void *ws, struct slice packet)
{
    return websocket_send(ws, WEBSOCKET_TEXT, packet);
}

static void ws_close(void *ws)
{
    websocket_abandon(ws, 0, "");
}

const struct engineio_transport_ops engineio_http_transport = {answer_poll, ws_send, ws_close};

/* --- a WebSocket --- */

static void on_message(void *session, enum websocket_kind kind, struct slice payload)
{
    if (kind == WEBSOCKET_TEXT)
        engineio_ws_text(session, payload);
    else
        engineio_ws_binary(session);
}

static void on_drained(void *session)
{
    engineio_ws_drained(session);
}

static void on_closed(void *session)
{
    engineio_ws_closed(session);
}

static const struct websocket_ops websocket_ops = {on_message, on_drained, on_closed};

static struct websocket *accept_websocket(struct http_request *request, void *session)
{
    return websocket_accept(request, &(struct websocket_config){.message_max = ENGINEIO_MAX_PAYLOAD,
                                                                .ops = &websocket_ops,
                                                                .context = session});
}

static void handle_websocket(struct http_request *request, struct engineio *engineio,
                             const struct engineio_query *query)
{
    struct engineio_answer answer;
    struct engineio_session *session = engineio_ws_arrived(engineio, query, &answer);
    if (!session && answer.status != 101) {
        reply(request, &answer);
        return;
    }
    struct websocket *socket = accept_websocket(request, session);
    if (socket && session)
        engineio_ws_opened(session, socket);
    else if (socket)
        websocket_abandon(socket, 0, ""); /* the protocol refuses it only now */
    else if (session)
        engineio_ws_closed(session);
}

/* --- requests --- */

static struct engineio_query query_of(const struct http_request *request)
{
    return (struct engineio_query){
        .eio = http_request_query(request, "EIO"),
        .transport = http_request_query(request, "transport"),
        .sid = http_request_query(request, "sid"),
        .method = http_request_method(request),
        .client = http_request_client(request),
        .key = http_request_key(request),
        .holder = http_request_holder(request),
        .upgrade = websocket_wanted(request),
    };
}

static void handle_get(struct http_request *request, void *context)
{
    struct engineio_query query = query_of(request);
    if (query.upgrade) {
        handle_websocket(request, context, &query);
        return;
    }
    struct engineio_session *session = engineio_poll_arrived(context, &query, request);
    if (session)
        http_on_gone(request, engineio_poll_gone, session);
}

static void handle_other(struct http_request *request, void *context)
{
    struct engineio_query query = query_of(request);
    struct engineio_answer answer =
        engineio_post_arrived(context, &query, http_request_body(request));
    reply(request, &answer);
}

static void handle_too_large(struct http_request *request, void *context)
{
    (void)context;
    reply(request, &(struct engineio_answer){.status = 413});
}

const struct http_route engineio_http_routes[] = {
    {"GET", "/socket.io", 0, handle_get, NULL},
    {"*", "/socket.io", ENGINEIO_MAX_PAYLOAD, handle_other, handle_too_large},
    {0},
};
