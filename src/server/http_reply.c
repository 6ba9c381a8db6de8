/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec/json_write.h"
#include "server/http_private.h"

#define ERR_BODY_MAX (8 * KIB)

/* Long answers are in memory until their clients have taken them, and a client may be slow.
 * Behind so many bytes there is no other, neither for all nor, among those who have keys,
 * for one key. */
#define ANSWERS_MAX (256 * MIB)
#define ANSWERS_OF_KEY_MAX (64 * MIB)

struct slice http_request_method(const struct http_request *request)
{
    return slice_of(request->method);
}

struct slice http_request_path(const struct http_request *request)
{
    return slice_of(request->path);
}

struct slice http_request_body(const struct http_request *request)
{
    return buf_slice(&request->body);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

struct header_count {
    const char *name;
    size_t count;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct header_count *header = context;
    (void)kind, (void)value;
    header->count += strcasecmp(key, header->name) == 0;
    return MHD_YES;
}

size_t http_request_header_count(const struct http_request *request, const char *name)
{
    struct header_count header = {.name = name};
    (void)MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, count_header, &header);
    return header.count;
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->mhd, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_request_capture(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->match.capture_count; i++)
        if (slice_is(request->match.captures[i].name, name))
            return request->captures[i];
    return NULL;
}

const char *http_request_client(const struct http_request *request)
{
    return request->client;
}

bool http_request_from_loopback(const struct http_request *request)
{
    return request->client_loopback;
}

void http_set_caller(struct http_request *request, uint64_t key, unsigned scopes)
{
    request->key = key;
    request->scopes = scopes;
}

uint64_t http_request_key(const struct http_request *request)
{
    return request->key;
}

unsigned http_request_scopes(const struct http_request *request)
{
    return request->scopes;
}

const char *http_request_dialect(const struct http_request *request)
{
    return request->connection->listener->dialect;
}

/* None of the types that a page may send to a foreign server unasked. */
bool http_request_is_json(const struct http_request *request)
{
    static const char prefix[] = "application/";
    const char *type = http_request_header(request, "Content-Type");
    if (!type || strncasecmp(type, prefix, sizeof prefix - 1) != 0)
        return false;
    const char *subtype = type + sizeof prefix - 1;
    size_t len = strcspn(subtype, "; \t");
    if (len == 4)
        return strncasecmp(subtype, "json", 4) == 0;
    return len > 5 && strncasecmp(subtype + len - 5, "+json", 5) == 0;
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    assert(request->header_count < REQUEST_HEADERS_MAX);
    struct http_header header = {strdup(name), strdup(value)};
    if (header.name && header.value) {
        request->headers[request->header_count++] = header;
        return;
    }
    free((char *)header.name);
    free((char *)header.value);
    request->headers_lost = true;
}

static bool add_headers(const struct http_request *request, struct MHD_Response *response,
                        const char *content_type)
{
    bool fine = !request->headers_lost;
    fine =
        fine && (!content_type || MHD_add_response_header(response, "Content-Type", content_type));
    fine = fine && MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < request->header_count; i++)
        fine = fine && MHD_add_response_header(response, request->headers[i].name,
                                               request->headers[i].value);
    /* Behind a chunked body nothing is read: where libmicrohttpd is lenient in
     * finding its end, no second request can hide. */
    if (request->chunked || request->server->quiescing || request->phase == PHASE_HEAD)
        fine = fine && MHD_add_response_header(response, "Connection", "close");
    return fine;
}

bool http_make_last_resort(struct http_server *server)
{
    static const char text[] =
        "{\"error\":\"there is no memory for an answer\",\"code\":\"internal_error\"}";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, (void *)text, MHD_RESPMEM_PERSISTENT);
    server->last_resort = response;
    return response &&
           MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8") &&
           MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") &&
           MHD_add_response_header(response, "Connection", "close");
}

bool http_send_last_resort(struct http_server *server, struct MHD_Connection *mhd)
{
    return MHD_queue_response(mhd, (unsigned)err_http_status(ERR_INTERNAL), server->last_resort);
}

/* `response` may be NULL: then the client learns that there was no memory. */
void http_send_response(struct http_request *request, int status, const char *content_type,
                        struct MHD_Response *response, size_t size)
{
    assert(request->phase <= PHASE_HANDLER && !request->upload);
    bool queued = response && add_headers(request, response, content_type) &&
                  MHD_queue_response(request->mhd, (unsigned)status, response);
    if (response)
        MHD_destroy_response(response);
    if (!queued) {
        status = err_http_status(ERR_INTERNAL);
        queued = http_send_last_resort(request->server, request->mhd);
    }
    if (request->phase == PHASE_HANDLER)
        request->server->open_requests--;
    request->phase = queued ? PHASE_ANSWERED : PHASE_DEAD;
    request->status = status;
    connection_wait(request->connection, WAIT_TRANSFER,
                    server_timeout_ms(request->server) + size / SLOWEST_BYTES_PER_MS);
    if (request->suspended)
        request_resume(request);
}

void http_reply(struct http_request *request, int status, const char *content_type,
                struct slice body)
{
    if (request->upload) {
        upload_refuse(request, status, content_type, body);
        return;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(body.len > 0 ? body.at : ""), MHD_RESPMEM_MUST_COPY);
    http_send_response(request, status, content_type, response, body.len);
}

static size_t answered_to(const struct http_server *server, uint64_t key)
{
    size_t bytes = 0;
    list_for_each (link, &server->connections) {
        const struct http_request *request =
            CONTAINER_OF(link, struct http_connection, link)->request;
        if (request && request->key == key)
            bytes += request->answered;
    }
    return bytes;
}

bool http_may_answer(const struct http_request *request, size_t len)
{
    const struct http_server *server = request->server;
    if (len < HTTP_ANSWER_LONG)
        return true;
    return server->answer_bytes < ANSWERS_MAX &&
           (request->key == 0 || answered_to(server, request->key) < ANSWERS_OF_KEY_MAX);
}

void http_refuse_long(struct http_request *request)
{
    struct err err;
    (void)err_set(&err, ERR_BUSY, "too many long answers wait for slow clients");
    http_add_header(request, "Retry-After", "1");
    http_reply_err(request, &err);
}

static void count_long(struct http_request *request, size_t len)
{
    const struct http_config *config = &request->server->config;
    request->answered = len;
    request->server->answer_bytes += len;
    if (config->charge)
        config->charge(config->authorize_context, request, request->match.route, len);
}

void http_reply_take(struct http_request *request, int status, const char *content_type,
                     struct buf *body)
{
    if (request->upload && !body->failed) {
        upload_refuse(request, status, content_type, buf_slice(body));
        buf_fini(body);
        return;
    }
    size_t len = body->len;
    if (!http_may_answer(request, len)) {
        http_refuse_long(request);
        return;
    }
    char *bytes = buf_take(body);
    if (!bytes) {
        struct err err;
        (void)err_set(&err, ERR_INTERNAL,
                      body->starved ? "there is no memory for the answer"
                                    : "the answer is too large to be sent");
        http_reply_err(request, &err);
        return;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(bytes);
    if (len >= HTTP_ANSWER_LONG)
        count_long(request, len);
    http_send_response(request, status, content_type, response, len);
}

void http_reply_upgrade(struct http_request *request, MHD_UpgradeHandler on_upgraded)
{
    http_send_response(request, 101, NULL, MHD_create_response_for_upgrade(on_upgraded, request),
                       0);
}

void http_write_err(struct buf *body, const struct err *err)
{
    struct json json = json_start(body);
    json_open_object(&json, NULL);
    json_text(&json, "error", err->text);
    json_text(&json, "code", err_code_name(err->code));
    if (err->field[0])
        json_text(&json, "field", err->field);
    json_close_object(&json);
}

void http_reply_err(struct http_request *request, const struct err *err)
{
    auto_buf struct buf body;
    buf_init(&body, ERR_BODY_MAX);
    http_write_err(&body, err);
    if (body.failed && !request->upload) {
        http_send_response(request, 0, NULL, NULL, 0);
        return;
    }
    http_reply(request, err_http_status(err->code), "application/json; charset=utf-8",
               buf_slice(&body));
}

void http_reply_too_large(struct http_request *request)
{
    const struct http_route *route = request->match.route;
    if (route->too_large) {
        route->too_large(request, request->match.context);
        return;
    }
    struct err err;
    (void)err_set(&err, ERR_TOO_LARGE, "the body is over the limit of %zu bytes",
                  http_request_max_body(request));
    http_reply_err(request, &err);
}
