/* SPDX-License-Identifier: MIT */
/* http.h — HTTP/1.1 on libmicrohttpd, driven from our loop.
 *
 * A route's handler is called once the whole body is there. It either answers
 * at once with http_reply, or keeps the request and answers later; until then
 * http_on_gone tells it when the client has left. After http_reply, or after
 * the gone callback, the request must not be touched.
 *
 * What the server itself refuses, before any handler sees it: foreign Host or
 * Origin (doors.h), bad framing (framing.h), bodies over the route's maximum,
 * headers or bodies that do not arrive in time. An upload, and a file that is
 * sent, may take as long as it goes on: 8 KiB a second, looked at every timeout. Connections over
 * the maximum wait in the kernel's queue until another ends; one that has long been silent, or does
 * not end its head, is ended for them.
 */
#ifndef RUNNEL_SERVER_HTTP_H
#define RUNNEL_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct loop;
struct http_server;
struct http_request;

struct http_header {
    const char *name;
    const char *value;
};

/* For a body that is not held in memory but taken as it comes. In each of these, and
 * while the client is held, http_reply answers at once, and no other call follows. */
struct http_upload_ops {
    /* The head is there, the body comes. Returns what the others get, or NULL when it has
     * answered with a refusal. */
    void *(*begin)(struct http_request *request, void *context);
    /* Borrowed for the call. False: hold the client until http_upload_resume. */
    bool (*data)(void *upload, struct slice bytes);
    /* All of it was there: the request is with the handler now, which answers it. */
    void (*end)(void *upload);
    /* The client left before it was answered (unless http_on_gone names another), was too
     * slow, or the body went over max_body (then the server has answered). */
    void (*gone)(void *upload);
};

/* What a route asks of the caller's key: HTTP_OPEN nothing at all, HTTP_ANY_KEY that
 * there is one, else these scopes. A row that says nothing asks for a key. */
enum { HTTP_OPEN = -1, HTTP_ANY_KEY = 0 };

/* The method of a row that only requests for a WebSocket may meet. With the path "*" it is
 * for those that no other row takes, on listeners that name its dialect. */
#define HTTP_WEBSOCKET "WEBSOCKET"

struct http_route {
    const char *method; /* "POST"; "*" for any */
    const char *path;   /* "/execute", "/v1/runs/:id"; "/execute/ *" (no blank) matches below */
    size_t max_body;    /* bytes; 0: no body is taken */
    void (*handle)(struct http_request *request, void *context);
    /* Answers a body that is over max_body; NULL: JSON 413. */
    void (*too_large)(struct http_request *request, void *context);
    int access;                           /* HTTP_OPEN, HTTP_ANY_KEY, or bits of scopes */
    const struct http_upload_ops *upload; /* instead of `handle`; max_body then may be over
                                             what http_config.max_body says */
};

/* A dialect's routes, as the server sees them. */
struct http_mount {
    const char *name;                /* "execute": what --listen ADDR:PORT=NAME selects */
    const struct http_route *routes; /* ended by a row of zeros */
    void *context;                   /* for its handlers */
};

struct http_listener {
    const char *address; /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;
    const char *dialect; /* whose routes win here; NULL: the order of the mounts */
};

struct http_config {
    const struct http_listener *listeners;
    size_t listener_count;
    const struct http_mount *mounts;
    size_t mount_count;
    const char *const *server_names;    /* NULL-ended; Host values taken besides loopback's */
    const char *const *cors_origins;    /* NULL-ended */
    const char *const *trusted_proxies; /* NULL-ended */
    unsigned max_connections;
    size_t max_body;    /* bytes, of any route; 0: only the route's own maximum */
    unsigned timeout_s; /* for headers, for body, and between two requests */
    /* Asked once the route is known and before anything of the body is read: true,
     * perhaps after http_set_caller; or it has answered, and false. NULL: no keys. */
    bool (*authorize)(void *context, struct http_request *request, const char *mount,
                      const struct http_route *route);
    void *authorize_context;
    /* Told (NULL: nobody is) of each long answer that was made (http_may_answer), for which all
     * had to wait. */
    void (*charge)(void *authorize_context, const struct http_request *request,
                   const struct http_route *route, size_t len);
};

/* Binds every listener (this may need privilege; all later work needs none). SIGPIPE must
 * be ignored in this process.
 * Everything in config is borrowed until http_server_free. */
struct http_server *http_server_new(struct loop *loop, const struct http_config *config,
                                    struct err *err);
/* Starts to accept. Apart from _new, so that privilege can be dropped between. */
int http_server_start(struct http_server *server, struct err *err);
void http_server_quiesce(struct http_server *server); /* accepts no new connection */
uint16_t http_server_port(const struct http_server *server, size_t listener); /* once bound */
/* Ends the WebSockets (1008) and the streams of those that `may_stay` is false for, asked for
 * each with its caller's key and its dialect. From the loop only. */
void http_server_end_callers(struct http_server *server,
                             bool (*may_stay)(void *context, uint64_t key, const char *dialect),
                             void *context);
/* Requests that are with their handlers, and answers, streams and WebSockets of which some was
 * queued that is not with the kernel yet. */
size_t http_server_unfinished(const struct http_server *server);
void http_server_free(struct http_server *server);

struct slice http_request_method(const struct http_request *request);
struct slice http_request_path(const struct http_request *request);
struct slice http_request_body(const struct http_request *request);
/* Bytes that it may have: the route's maximum, or the configured one when that is less. */
size_t http_request_max_body(const struct http_request *request);
/* NULL when absent. Header names in any case; the value is NUL-terminated. */
const char *http_request_header(const struct http_request *request, const char *name);
/* Lines of this header. */
size_t http_request_header_count(const struct http_request *request, const char *name);
const char *http_request_query(const struct http_request *request, const char *name);
/* The part that ":name" matched, NULL when the route has none. */
const char *http_request_capture(const struct http_request *request, const char *name);
/* "127.0.0.1": the client's, after trusted_proxies. */
const char *http_request_client(const struct http_request *request);
bool http_request_from_loopback(const struct http_request *request);
/* The dialect that the listener names, NULL when it names none. */
const char *http_request_dialect(const struct http_request *request);
/* Did the client speak TLS to a trusted proxy? */
bool http_request_is_https(const struct http_request *request);
/* Is the body declared as JSON (application/json, or +json, any parameters)? */
bool http_request_is_json(const struct http_request *request);

/* Who asks, by the number of a key, and what that key may: 0 and everything until
 * `authorize` has said something else. */
void http_set_caller(struct http_request *request, uint64_t key, unsigned scopes);
uint64_t http_request_key(const struct http_request *request);
/* Whose share it is of: of a key, or of an address without one; 0: nobody's. */
uint64_t http_request_holder(const struct http_request *request);
unsigned http_request_scopes(const struct http_request *request);
/* Value of the cookie of this name, into `value`; false when there is none, or no room. */
bool http_request_cookie(const struct http_request *request, const char *name, char *value,
                         size_t size);

/* Extra headers that any answer to this request will carry (copied). */
void http_add_header(struct http_request *request, const char *name, const char *value);
/* Answers; body copied. content_type may be NULL when the body is empty. */
void http_reply(struct http_request *request, int status, const char *content_type,
                struct slice body);
/* The same with the bytes of `body`, which is empty afterwards, uncopied. When
 * it has failed the answer is ERR_INTERNAL. */
void http_reply_take(struct http_request *request, int status, const char *content_type,
                     struct buf *body);
/* False: http_reply_take has no room for an answer of this length, because of those that slow
 * clients have not taken. It would answer ERR_BUSY, so that the request comes again. For one that
 * is not long there is always room. Who may be about to make a long one asks before: it is the
 * time of all. */
#define HTTP_ANSWER_LONG (256 * KIB)
bool http_may_answer(const struct http_request *request, size_t len);
void http_refuse_long(struct http_request *request); /* as it would */
/* {"error": text, "code": name[, "field": …]} with the status of err's code. */
void http_reply_err(struct http_request *request, const struct err *err);
/* Answers a GET or HEAD with a file, which it takes: with ranges (206, 416), If-Range,
 * If-None-Match (304) and the quoted ETag. The bytes go from the file to the socket. */
void http_reply_file(struct http_request *request, const char *content_type, const char *etag,
                     int fd, uint64_t size);
/* An upload whose `data` said false takes more again. */
void http_upload_resume(struct http_request *request);
/* An answer whose body comes bit by bit. Callbacks come from the loop. */
struct http_stream;
struct http_stream_ops {
    void (*drained)(void *context); /* after http_stream_write said to wait; may be NULL */
    void (*closed)(void *context);  /* the client has left; the stream is gone */
};
/* Begins to answer; NULL (and no callback) when there is no memory, and the
 * connection ends. */
struct http_stream *http_reply_stream(struct http_request *request, int status,
                                      const char *content_type, const struct http_stream_ops *ops,
                                      void *context);
/* Copies. False: wait for `drained` before writing more; it is sent all the same. */
bool http_stream_write(struct http_stream *stream, struct slice bytes);
/* The same of a text that was written for it. One for which there was no memory cuts the answer,
 * so that the client does not take what it has for all. */
bool http_stream_write_buf(struct http_stream *stream, const struct buf *text);
/* The answer is complete, and the stream is gone; no callback follows. */
void http_stream_end(struct http_stream *stream);

/* Called once if the client leaves before http_reply. */
void http_on_gone(struct http_request *request, void (*gone)(void *context), void *context);

#endif
