/* SPDX-License-Identifier: MIT */
/* http_stream.c — answers that are written while they are sent.
 *
 * libmicrohttpd asks for the next piece. As long as there is none the
 * connection is suspended, as one is whose handler has not answered, and
 * connection.c looks whether the client is still there.
 */
#include <stdlib.h>
#include <string.h>

#include "server/http_private.h"

#define BLOCK_SIZE (32 * KIB)
#define QUEUED_HIGH (256 * KIB)

struct http_stream {
    struct http_request *request;      /* NULL: the client has left */
    const struct http_stream_ops *ops; /* NULL: the writer is done */
    void *context;
    struct buf bytes;
    size_t at; /* of them are sent */
    struct loop_task *drained;
    bool is_full;
};

static void on_drained(void *context)
{
    struct http_stream *stream = context;
    if (stream->ops && stream->ops->drained)
        stream->ops->drained(stream->context);
}

static void stream_free(struct http_stream *stream)
{
    loop_task_free(stream->drained);
    buf_fini(&stream->bytes);
    free(stream);
}

static ssize_t on_read(void *context, uint64_t position, char *to, size_t room)
{
    (void)position;
    struct http_stream *stream = context;
    struct http_request *request = stream->request;
    size_t len = stream->bytes.len - stream->at;
    if (!request || stream->bytes.failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (len == 0 && !stream->ops)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (len == 0) {
        request_suspend(request);
        return 0;
    }
    len = MIN(len, room);
    memcpy(to, stream->bytes.at + stream->at, len);
    stream->at += len;
    if (stream->at == stream->bytes.len) {
        buf_clear(&stream->bytes);
        stream->at = 0;
        if (stream->is_full)
            loop_task_schedule(stream->drained);
        stream->is_full = false;
    }
    connection_wait(request->connection, WAIT_TRANSFER, server_timeout_ms(request->server));
    return (ssize_t)len;
}

/* libmicrohttpd lets go of the response when the request has ended. */
static void on_response_free(void *context)
{
    struct http_stream *stream = context;
    if (stream->request)
        stream->request->stream = NULL;
    stream_free(stream);
}

void http_stream_end_of_request(struct http_request *request)
{
    struct http_stream *stream = take_ptr(&request->stream);
    const struct http_stream_ops *ops = stream->ops;
    stream->request = NULL;
    stream->ops = NULL;
    loop_task_unschedule(stream->drained);
    if (ops)
        ops->closed(stream->context);
}

struct http_stream *http_reply_stream(struct http_request *request, int status,
                                      const char *content_type, const struct http_stream_ops *ops,
                                      void *context)
{
    struct http_stream *stream = calloc(1, sizeof *stream);
    struct MHD_Response *response = NULL;
    if (stream)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, on_read, stream,
                                                     on_response_free);
    if (!response) {
        free(stream);
        http_send_response(request, 500, NULL, NULL, 0);
        return NULL;
    }
    *stream = (struct http_stream){.request = request, .ops = ops, .context = context};
    stream->drained = loop_task_new(request->server->loop, on_drained, stream);
    buf_init(&stream->bytes, SIZE_MAX / 2); /* the writer waits when it is told to */
    request->stream = stream;
    http_send_response(request, status, content_type, response, 0);
    if (!request->stream)
        return NULL;
    if (request->phase == PHASE_ANSWERED)
        request->phase = PHASE_STREAMING;
    return stream;
}

static void wake(struct http_stream *stream)
{
    struct http_request *request = stream->request;
    if (!request || !request->suspended)
        return;
    connection_wait(request->connection, WAIT_TRANSFER, server_timeout_ms(request->server));
    request_resume(request);
}

bool http_stream_write(struct http_stream *stream, struct slice bytes)
{
    buf_add_slice(&stream->bytes, bytes);
    wake(stream);
    if (stream->bytes.len - stream->at > QUEUED_HIGH)
        stream->is_full = true;
    return !stream->is_full;
}

bool http_stream_write_buf(struct http_stream *stream, const struct buf *text)
{
    stream->bytes.failed |= text->failed; /* as when there is no memory to keep it */
    return http_stream_write(stream, buf_slice(text));
}

void http_stream_end(struct http_stream *stream)
{
    stream->ops = NULL;
    if (stream->request)
        stream->request->phase = PHASE_ANSWERED;
    wake(stream);
}
