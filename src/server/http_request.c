/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "observe/log.h"
#include "server/http_private.h"
#include "server/websocket_private.h"

/* libmicrohttpd lets us answer before a body or after it, never in its midst:
 * a chunked body that turns out too long is read to its end, up to this. */
#define DISCARD_MAX (8 * MIB)

/* In the log, for a client that left before it was answered; nginx's number. */
#define STATUS_CLIENT_LEFT 499

enum { LOGGED_PATH_SIZE = 256, LOGGED_METHOD_SIZE = 16 };

/* --- the head --- */

/* Called with the raw target, before anything else is known of the request.
 * What is returned comes back as the request's context. */
void *request_target(void *context, const char *target, struct MHD_Connection *mhd)
{
    struct http_server *server = context;
    struct http_connection *connection = connection_of(mhd);
    struct http_request *request = connection ? calloc(1, sizeof *request) : NULL;
    if (!request)
        return NULL;
    if (connection->request)
        request_end(connection->request);
    connection->request = request;
    request->server = server;
    request->connection = connection;
    request->mhd = mhd;
    request->started_ns = loop_now_ns();
    request->target = target ? target : "";
    request->target_len = strlen(request->target);
    request->target_valid = framing_target_valid(request->target);
    request->scopes = ~0U;
    connection_wait(connection, WAIT_TRANSFER, server_timeout_ms(server));
    return request;
}

static struct framing check_framing(const struct http_request *request, const char *version)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct framing_head head = {
        .method = request->method,
        .target = request->target,
        .target_len = request->target_len,
        .version = version,
        .size = info ? info->header_size : 0,
        .header_count =
            (size_t)MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, NULL, NULL),
    };
    struct framing framing = framing_check(&head);
    if (!framing.refusal && !request->target_valid) {
        framing.refusal = "the request's target is malformed";
        framing.status = 400;
    }
    return framing;
}

static void refuse_framing(struct http_request *request, const struct framing *framing)
{
    struct err err;
    (void)err_set(&err, ERR_INVALID, "%s", framing->refusal);
    auto_buf struct buf body;
    buf_init(&body, 4 * KIB);
    http_write_err(&body, &err);
    http_reply_take(request, framing->status, "application/json; charset=utf-8", &body);
}

/* The head is complete. A request that is refused here is answered before its
 * body is read, and its connection ends: only those with a body are, or where
 * it is not even sure what is a body. */
static void begin(struct http_request *request, const char *path, const char *method,
                  const char *version)
{
    request->path = path;
    request->method = method;
    request->is_http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    struct framing framing = check_framing(request, version);
    request->chunked = framing.chunked;
    request->content_length = framing.content_length;
    request->connection->refused = true; /* if anything answers now */
    if (framing.refusal)
        refuse_framing(request, &framing);
    else if (framing.chunked || framing.content_length > 0)
        request_admit(request);
    if (request->phase != PHASE_HEAD)
        return;
    request->connection->refused = false;
    request->phase = PHASE_BODY;
    if (request->upload)
        connection_pace(request->connection);
    else
        connection_wait(request->connection, WAIT_TRANSFER, server_timeout_ms(request->server));
}

/* libmicrohttpd 0.9.75 refuses a malformed Content-Length, and more cookies than
 * it has memory for, by itself, and then sends the head of its answer twice. So
 * that is answered here instead, past it: it says in its log that it refuses,
 * before it writes, and only one head at a time is complete and not yet begun
 * with. */
void request_refused_by_daemon(struct http_server *server)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
                                 "Connection: close\r\n"
                                 "Content-Type: application/json; charset=utf-8\r\n"
                                 "\r\n"
                                 "{\"error\":\"the request's headers are malformed, or too many\","
                                 "\"code\":\"invalid_request\"}";
    list_for_each (member, &server->connections) {
        struct http_connection *connection = CONTAINER_OF(member, struct http_connection, link);
        struct http_request *request = connection->request;
        if (!request || request->phase != PHASE_HEAD ||
            !MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE))
            continue;
        request->phase = PHASE_DEAD;
        request->status = 400;
        connection->refused = true;
        (void)send(connection->fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)shutdown(connection->fd, SHUT_WR);
        return;
    }
}

/* --- the body --- */

static enum MHD_Result take_body(struct http_request *request, struct slice piece)
{
    struct http_server *server = request->server;
    if (!request->too_large && !request->overloaded) {
        request->too_large = piece.len > http_request_max_body(request) - request->body.len;
        request->overloaded = !server_may_buffer(server, request->holder, piece.len);
    }
    if (!request->too_large && !request->overloaded) {
        buf_add_slice(&request->body, piece);
        request->overloaded = request->body.failed;
        server->body_bytes += request->body.failed ? 0 : piece.len;
        return MHD_YES;
    }
    server->body_bytes -= request->body.len;
    buf_fini(&request->body);
    request->discarded += piece.len;
    return request->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
}

/* --- the handler --- */

void request_suspend(struct http_request *request)
{
    request->suspended = true;
    MHD_suspend_connection(request->mhd);
    connection_wait(request->connection, WAIT_HANDLER, 0);
}

void request_resume(struct http_request *request)
{
    request->suspended = false;
    MHD_resume_connection(request->mhd);
    server_run_soon(request->server);
}

/* The whole request is there. */
static void dispatch(struct http_request *request)
{
    const struct http_route *route = request->match.route;
    request->phase = PHASE_HANDLER;
    request->server->open_requests++;
    if (request->overloaded) {
        struct err err;
        (void)err_set(&err, ERR_BUSY, "the server is reading too much at once");
        http_add_header(request, "Retry-After", "1");
        http_reply_err(request, &err);
    } else if (request->too_large) {
        http_reply_too_large(request);
    } else if (request->upload) {
        upload_end(request);
    } else {
        route->handle(request, request->match.context);
    }
    if (request->phase == PHASE_HANDLER)
        request_suspend(request);
}

static enum MHD_Result finish(struct http_request *request)
{
    if (request->phase == PHASE_BODY && !request->match.route)
        request_admit(request); /* those without a body were not yet asked */
    if (request->phase == PHASE_BODY)
        dispatch(request);
    return request->phase == PHASE_DEAD ? MHD_NO : MHD_YES;
}

/* There was no memory for the request, only for its connection. */
static enum MHD_Result refuse_unremembered(struct http_server *server, struct MHD_Connection *mhd)
{
    struct http_connection *connection = connection_of(mhd);
    if (!connection)
        return MHD_NO;
    connection->refused = true; /* its body, if any, is not read */
    return http_send_last_resort(server, mhd) ? MHD_YES : MHD_NO;
}

/* libmicrohttpd calls this when the head is there, for each piece of the body,
 * and at the end; MHD_NO closes the connection. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are libmicrohttpd's */
enum MHD_Result request_step(void *context, struct MHD_Connection *mhd, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **request_context)
{
    struct http_request *request = *request_context;
    if (!request)
        return refuse_unremembered(context, mhd);
    if (request->phase == PHASE_HEAD) {
        begin(request, path, method, version);
        return request->phase == PHASE_DEAD ? MHD_NO : MHD_YES;
    }
    if (request->phase == PHASE_DEAD)
        return MHD_NO;
    if (*upload_size == 0)
        return finish(request);
    if (request->upload)
        return upload_piece(request, upload, upload_size);
    struct slice piece = {upload, *upload_size};
    *upload_size = 0;
    return take_body(request, piece);
}

void http_on_gone(struct http_request *request, void (*gone)(void *context), void *context)
{
    request->gone = gone;
    request->gone_context = context;
}

/* The daemon takes it from here: it resumes the connection, asks finish() once
 * more, is told that the request is dead, and closes. */
void request_gone(struct http_request *request)
{
    assert(request->suspended || request->phase == PHASE_STREAMING);
    request->server->open_requests -= request->phase == PHASE_HANDLER;
    request->phase = PHASE_DEAD;
    request->upload = NULL;
    connection_wait(request->connection, WAIT_TRANSFER, server_timeout_ms(request->server));
    if (request->suspended)
        request_resume(request);
    connection_cut(request->connection);
    if (request->stream)
        http_stream_end_of_request(request);
    else if (request->gone)
        request->gone(request->gone_context);
}

/* --- the end --- */

/* Never the query: it may hold keys. */
static void log_request(const struct http_request *request)
{
    char path[LOGGED_PATH_SIZE] = "";
    if (request->path)
        memcpy(path, request->path, strnlen(request->path, sizeof path - 1));
    char method[LOGGED_METHOD_SIZE] = "";
    if (request->method)
        memcpy(method, request->method, strnlen(request->method, sizeof method - 1));
    log_event(LOG_INFO, "http_request", LOG_TEXT("method", method), LOG_TEXT("path", path),
              LOG_U64("status", (uint64_t)request->status),
              LOG_U64("ms", (loop_now_ns() - request->started_ns) / NS_PER_MS),
              LOG_TEXT("client", request->client), LOG_END);
}

static void request_free(struct http_request *request)
{
    request->server->body_bytes -= request->body.len;
    request->server->answer_bytes -= request->answered;
    buf_fini(&request->body);
    for (size_t i = 0; i < ROUTE_CAPTURES_MAX; i++)
        free(request->captures[i]);
    for (size_t i = 0; i < request->header_count; i++) {
        free((char *)request->headers[i].name);
        free((char *)request->headers[i].value);
    }
    free(request);
}

void request_end(struct http_request *request)
{
    struct http_connection *connection = request->connection;
    assert(request->phase != PHASE_HANDLER); /* suspended: not the daemon's to end */
    if (!request->client[0])
        (void)address_format(&connection->peer, request->client);
    log_request(request);
    if (request->stream)
        http_stream_end_of_request(request);
    if (request->websocket)
        websocket_failed(request->websocket);
    if (request->upload)
        request->gone(request->gone_context);
    connection->request = NULL;
    connection_wait(connection, WAIT_REQUEST, server_timeout_ms(request->server));
    request_free(request);
}

void request_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                       enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)mhd;
    struct http_request *request = *request_context;
    *request_context = NULL;
    if (!request)
        return;
    if (request->status == 0) /* libmicrohttpd answered, or nobody did */
        request->status = code == MHD_REQUEST_TERMINATED_WITH_ERROR ? 400 : STATUS_CLIENT_LEFT;
    request_end(request);
}
