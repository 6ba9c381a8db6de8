/* SPDX-License-Identifier: MIT */
/* http_upload.c — bodies that are not kept: each piece goes to the route's ops as
 * it comes.
 *
 * To hold a client is to suspend its connection: the rest stays in the kernel's
 * buffers, and TCP holds the client. libmicrohttpd takes no answer in the midst
 * of a body, so one that comes there is written past it, and the connection
 * ends: it has written nothing itself but perhaps "100 Continue".
 */
#include <assert.h>
#include <sys/socket.h>

#include "server/http_private.h"

#define REFUSAL_MAX (16 * KIB)
/* A client that is told meanwhile gets this long to end, until we do. */
#define REFUSED_MS 2000

void upload_begin(struct http_request *request)
{
    const struct http_upload_ops *ops = request->match.route->upload;
    void *upload = ops->begin(request, request->match.context);
    if (!upload) {
        assert(request->phase > PHASE_BODY); /* it has answered */
        return;
    }
    request->upload = upload;
    if (!request->gone)
        http_on_gone(request, ops->gone, upload);
}

void upload_end(struct http_request *request)
{
    void *upload = take_ptr(&request->upload);
    request->match.route->upload->end(upload);
}

/* The sender of more than was allowed is told, then its taker. */
static void refuse_more(struct http_request *request)
{
    void (*gone)(void *context) = request->gone;
    void *context = request->gone_context;
    http_reply_too_large(request);
    gone(context);
}

enum MHD_Result upload_piece(struct http_request *request, const char *bytes, size_t *size)
{
    if (request->suspended) /* libmicrohttpd offers one chunk behind the other all the same */
        return MHD_YES;
    struct slice piece = {bytes, *size};
    *size = 0;
    if (piece.len > http_request_max_body(request) - request->uploaded) {
        refuse_more(request);
        return MHD_NO;
    }
    request->uploaded += piece.len;
    bool takes_more = request->match.route->upload->data(request->upload, piece);
    if (request->phase == PHASE_DEAD)
        return MHD_NO;
    if (!takes_more)
        request_suspend(request);
    return MHD_YES;
}

void http_upload_resume(struct http_request *request)
{
    if (!request->suspended || request->phase != PHASE_BODY)
        return;
    connection_pace(request->connection);
    request_resume(request);
}

static void write_head(struct buf *out, const struct http_request *request, int status,
                       const char *content_type, size_t size)
{
    buf_add_format(out, "HTTP/1.1 %d %s\r\n", status, MHD_get_reason_phrase_for((unsigned)status));
    if (content_type)
        buf_add_format(out, "Content-Type: %s\r\n", content_type);
    for (size_t i = 0; i < request->header_count; i++)
        buf_add_format(out, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
    buf_add_format(out,
                   "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   size);
}

void upload_refuse(struct http_request *request, int status, const char *content_type,
                   struct slice body)
{
    struct http_connection *connection = request->connection;
    assert(request->phase == PHASE_BODY);
    auto_buf struct buf out;
    buf_init(&out, REFUSAL_MAX);
    write_head(&out, request, status, content_type, body.len);
    buf_add_slice(&out, body);
    if (!out.failed)
        (void)send(connection->fd, out.at, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(connection->fd, SHUT_WR);
    request->upload = NULL;
    request->phase = PHASE_DEAD;
    request->status = status;
    connection->refused = true;
    connection_wait(connection, WAIT_TRANSFER, REFUSED_MS);
    if (request->suspended)
        request_resume(request);
}
