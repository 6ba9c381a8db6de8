/* SPDX-License-Identifier: MIT */
/* http_private.h — what the files of the HTTP server share: http.c (the daemon
 * in our loop), listener.c (accepting), connection.c (deadlines, clients that
 * leave, last words), http_request.c (a request's way to its handler),
 * http_upload.c (bodies that are not kept), http_reply.c, http_stream.c and
 * http_file.c (and back), http_share.c and http_bodies.c (who holds how many, and how
 * much), and the WebSockets (websocket_private.h).
 *
 * Theory of operation. libmicrohttpd parses and writes; it neither listens nor
 * keeps time. We accept, so that one limit holds for all listeners together,
 * and hand it each socket; its epoll descriptor is one watch in our loop. A
 * handler that does not answer at once leaves its connection suspended: then
 * libmicrohttpd does not look at the socket at all, and we watch whether the
 * client is still there. To answer is to queue a response, to resume, and to
 * let it run once more from the loop.
 */
#ifndef RUNNEL_SERVER_HTTP_PRIVATE_H
#define RUNNEL_SERVER_HTTP_PRIVATE_H

#include <microhttpd.h>

#include "base/buf.h"
#include "base/list.h"
#include "loop/loop.h"
#include "server/address.h"
#include "server/doors.h"
#include "server/framing.h"
#include "server/http.h"
#include "server/router.h"

/* What a client must send or take of what is long, beyond the timeout. */
#define SLOWEST_BYTES_PER_MS 8

struct listener {
    struct http_server *server;
    const char *dialect;
    bool loopback;
    int fd;
    uint16_t port;
    struct loop_watch *watch; /* NULL before start and after quiesce */
    char name[ADDRESS_TEXT_SIZE + sizeof "[]:65535"];
};

struct http_server {
    struct loop *loop;
    struct http_config config;
    struct doors doors;
    struct MHD_Daemon *daemon;
    struct MHD_Response *last_resort; /* for who cannot be answered for want of memory */
    struct loop_watch *watch;         /* the daemon's epoll descriptor */
    struct loop_timer *timer;         /* what the daemon wants to do later */
    struct loop_task *task;           /* what it wants to do now */
    struct loop_timer *accept_again;
    struct listener *listeners;
    size_t listener_count;
    struct list connections;
    struct list parting;
    struct list websockets;
    unsigned sockets; /* connections, parting ones, WebSockets: never over max_connections */
    bool accept_paused;
    bool quiescing;
    size_t open_requests;
    size_t body_bytes;   /* buffered for all requests together */
    size_t answer_bytes; /* that clients have not taken yet, of long answers together */
    /* The socket being handed over, for the daemon's callback. */
    const struct listener *accepting;
    struct address accepting_peer;
    int accepting_fd;
};

/* What a connection's timer waits for. */
enum connection_wait {
    WAIT_REQUEST,  /* its first line */
    WAIT_TRANSFER, /* the rest of its headers, its body, or the answer to be taken */
    WAIT_HANDLER,  /* no deadline: the timer looks whether the client is there */
};

struct http_connection {
    struct list link;
    struct http_server *server;
    const struct listener *listener;
    struct address peer;
    int fd; /* libmicrohttpd's */
    enum connection_wait wait;
    uint64_t since_ns; /* it waits for that */
    bool is_paced;     /* what it waits for may take its time, if it goes on */
    uint64_t moved;    /* bytes, when it was last looked */
    struct loop_timer *timer;
    struct loop_watch *gone_watch; /* while its request is with a handler */
    struct http_request *request;  /* the present one, NULL between two */
    bool refused;                  /* answered before its body was read */
    bool is_handed_over;           /* the socket is a WebSocket's now */
};

enum request_phase {
    PHASE_HEAD,      /* its head is being read */
    PHASE_BODY,      /* the head is good; the body, if any, is being read */
    PHASE_HANDLER,   /* with its handler, unanswered */
    PHASE_STREAMING, /* answered by a stream that has not ended */
    PHASE_ANSWERED,  /* a response is queued */
    PHASE_DEAD,      /* nobody is there to be answered */
};

enum { REQUEST_HEADERS_MAX = 24 };

struct http_request {
    struct http_server *server;
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    enum request_phase phase;
    unsigned scopes; /* of who asks */
    bool suspended;
    bool target_valid;
    const char *target; /* where it began in the daemon's buffer */
    size_t target_len;
    const char *method; /* these two stay the daemon's, for the request's life */
    const char *path;
    bool is_http_1_0; /* as proxies speak that were not told otherwise */
    bool chunked;
    uint64_t content_length;
    bool too_large;  /* the rest of the body is thrown away */
    bool overloaded; /* so many bodies are buffered that this one is not */
    uint64_t discarded;
    struct buf body;
    void *upload;      /* who takes the body as it comes; NULL: nobody, or it has all */
    uint64_t uploaded; /* bytes */
    size_t answered;   /* bytes of a long answer */
    uint64_t key;      /* who asks */
    uint64_t holder;   /* whose share this connection is of; 0: nobody's */
    struct route_match match;
    char *captures[ROUTE_CAPTURES_MAX];
    char client[ADDRESS_TEXT_SIZE];
    bool client_loopback;
    struct http_header headers[REQUEST_HEADERS_MAX]; /* owned; for the answer */
    size_t header_count;
    bool headers_lost; /* there was no memory for one: the answer must not go without it */
    void (*gone)(void *context);
    void *gone_context;
    struct websocket *websocket; /* that it becomes */
    struct http_stream *stream;  /* that answers it */
    uint64_t started_ns;
    int status; /* answered with; 0 before */
};

/* listener.c */
int listener_bind(struct listener *listener, const struct http_listener *wanted, struct err *err);
int listener_start(struct listener *listener, struct err *err);
void listener_close(struct listener *listener);
void listeners_resume(struct http_server *server);

/* http.c: lets the daemon run soon, or later when it only waits. */
void server_run_soon(struct http_server *server);

/* connection.c */
void connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
struct http_connection *connection_of(struct MHD_Connection *mhd);
void connection_wait(struct http_connection *connection, enum connection_wait wait, uint64_t ms);
/* WAIT_TRANSFER for as long as the client keeps up SLOWEST_BYTES_PER_MS, looked at
 * once every timeout. */
void connection_pace(struct http_connection *connection);
/* Ends it from outside the daemon, which notices in its next run. */
void connection_cut(struct http_connection *connection);
/* Cuts the one that has been silent between two requests, or has not ended its head, for
 * longest, if any. */
void connection_make_room(struct http_server *server);
void parting_free_all(struct http_server *server);
/* One of those that max_connections counts is closed. */
void server_release_socket(struct http_server *server);

/* http_request.c */
void *request_target(void *context, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_step(void *context, struct MHD_Connection *mhd, const char *path,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **request_context);
void request_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                       enum MHD_RequestTerminationCode code);
void request_refused_by_daemon(struct http_server *server);
/* Its last step, whatever came before. */
void request_end(struct http_request *request);
/* The client left while the handler had it: tells the handler. */
void request_gone(struct http_request *request);
/* The daemon leaves the connection alone; we look whether the client is there. */
void request_suspend(struct http_request *request);
void request_resume(struct http_request *request);

/* http_upload.c */
/* The head is admitted; answers what is refused. */
void upload_begin(struct http_request *request);
/* Takes the piece, or none of it while the client is held. */
enum MHD_Result upload_piece(struct http_request *request, const char *bytes, size_t *size);
/* The body is complete: the request is with the handler. */
void upload_end(struct http_request *request);
/* Answers in the midst of a body, which the daemon cannot. */
void upload_refuse(struct http_request *request, int status, const char *content_type,
                   struct slice body);

/* http_stream.c: the request ends, or the client has left. */
void http_stream_end_of_request(struct http_request *request);

/* http_admit.c: Host, Origin, route and size; answers what it refuses. */
void request_admit(struct http_request *request);

/* http_reply.c */
/* Made while there is memory. False: there is none. */
bool http_make_last_resort(struct http_server *server);
/* Queues it. */
bool http_send_last_resort(struct http_server *server, struct MHD_Connection *mhd);
/* The answer that makes the connection a WebSocket's. */
void http_reply_upgrade(struct http_request *request, MHD_UpgradeHandler on_upgraded);
/* Queues the response, which it takes, and lets the daemon go on with the connection. */
void http_send_response(struct http_request *request, int status, const char *content_type,
                        struct MHD_Response *response, size_t size);
void http_write_err(struct buf *body, const struct err *err);
void http_reply_too_large(struct http_request *request);

/* http_share.c: may who asks have one more connection? False: it has answered. */
bool request_may_hold(struct http_request *request);

/* http_bodies.c: may so many bytes more of this one's be kept until they are all there? */
bool server_may_buffer(const struct http_server *server, uint64_t holder, size_t len);

uint64_t server_timeout_ms(const struct http_server *server);

#endif
