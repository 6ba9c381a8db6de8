/* SPDX-License-Identifier: MIT */
#include "server/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "observe/log.h"
#include "server/http_private.h"
#include "server/websocket_private.h"

#define DEFAULT_CONNECTIONS 1024
#define DEFAULT_TIMEOUT_S 30
/* Of libmicrohttpd, for a connection: the head, its parsed headers, the piece of
 * the body being read and the answer's head. Room for a head of
 * FRAMING_HEAD_MAX and what belongs to it. */
#define CONNECTION_MEMORY (2 * FRAMING_HEAD_MAX)

#define MESSAGE_SIZE 256

uint64_t server_timeout_ms(const struct http_server *server)
{
    return (uint64_t)server->config.timeout_s * 1000;
}

static void run_daemon(void *context)
{
    struct http_server *server = context;
    (void)MHD_run(server->daemon);
    MHD_UNSIGNED_LONG_LONG ms;
    if (MHD_get_timeout(server->daemon, &ms) != MHD_YES)
        loop_timer_stop(server->timer);
    else if (ms == 0)
        loop_task_schedule(server->task);
    else
        loop_timer_start(server->timer, ms);
}

static void on_daemon_ready(void *context, unsigned ready)
{
    (void)ready;
    run_daemon(context);
}

void server_run_soon(struct http_server *server)
{
    loop_task_schedule(server->task);
}

static void on_accept_again(void *context)
{
    listeners_resume(context);
}

/* Its words go to the log. While it judges a head they mean a refusal. */
PRINTF_LIKE(2, 0)
static void on_daemon_message(void *context, const char *format, va_list args)
{
    char text[MESSAGE_SIZE];
    if (vsnprintf(text, sizeof text, format, args) < 0)
        return;
    log_event(LOG_DEBUG, "http_daemon", LOG_TEXT("text", text), LOG_END);
    request_refused_by_daemon(context);
}

/* Its timeout, which each byte renews, is only for answers that a client does
 * not take at all: what is read has deadlines of ours. Its limit of connections
 * is never reached, ours comes first. It need not be strict: framing.h is, in
 * all that its strictness means and more. Only with SIGPIPE out of the way does it
 * use sendfile. */
static int start_daemon(struct http_server *server, struct err *err)
{
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, request_step, server, MHD_OPTION_EXTERNAL_LOGGER, on_daemon_message, server,
        MHD_OPTION_URI_LOG_CALLBACK, request_target, server, MHD_OPTION_NOTIFY_COMPLETED,
        request_completed, server, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, server,
        MHD_OPTION_CONNECTION_LIMIT, server->config.max_connections + 1,
        MHD_OPTION_CONNECTION_TIMEOUT, server->config.timeout_s + 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!server->daemon)
        return err_sys(err, errno, "cannot start the HTTP server");
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return err_set(err, ERR_INTERNAL, "the HTTP server has no epoll descriptor");
    server->watch =
        loop_watch_new(server->loop, info->epoll_fd, LOOP_READ, on_daemon_ready, server);
    return 0;
}

static int bind_listeners(struct http_server *server, struct err *err)
{
    server->listeners = calloc(server->config.listener_count, sizeof *server->listeners);
    if (!server->listeners)
        return err_sys(err, errno, "listeners");
    for (; server->listener_count < server->config.listener_count; server->listener_count++) {
        struct listener *listener = &server->listeners[server->listener_count];
        listener->server = server;
        listener->fd = -1;
        if (listener_bind(listener, &server->config.listeners[server->listener_count], err) < 0) {
            listener_close(listener);
            return -1;
        }
    }
    return 0;
}

struct http_server *http_server_new(struct loop *loop, const struct http_config *config,
                                    struct err *err)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        (void)err_sys(err, errno, "HTTP server");
        return NULL;
    }
    server->loop = loop;
    server->config = *config;
    if (server->config.max_connections == 0)
        server->config.max_connections = DEFAULT_CONNECTIONS;
    if (server->config.timeout_s == 0)
        server->config.timeout_s = DEFAULT_TIMEOUT_S;
    list_init(&server->connections);
    list_init(&server->parting);
    list_init(&server->websockets);
    server->timer = loop_timer_new(loop, run_daemon, server);
    server->accept_again = loop_timer_new(loop, on_accept_again, server);
    server->task = loop_task_new(loop, run_daemon, server);
    if (!http_make_last_resort(server)) {
        (void)err_sys(err, ENOMEM, "HTTP server");
        http_server_free(server);
        return NULL;
    }
    if (doors_init(&server->doors, config, err) < 0 || bind_listeners(server, err) < 0 ||
        start_daemon(server, err) < 0) {
        http_server_free(server);
        return NULL;
    }
    return server;
}

int http_server_start(struct http_server *server, struct err *err)
{
    for (size_t i = 0; i < server->listener_count; i++)
        if (listener_start(&server->listeners[i], err) < 0)
            return -1;
    return 0;
}

uint16_t http_server_port(const struct http_server *server, size_t listener)
{
    return server->listeners[listener].port;
}

void http_server_quiesce(struct http_server *server)
{
    server->quiescing = true;
    for (size_t i = 0; i < server->listener_count; i++)
        listener_close(&server->listeners[i]);
}

/* A stream that is suspended has nothing queued, and may well never end. */
static bool is_being_sent(const struct http_request *request)
{
    return request->phase == PHASE_ANSWERED ||
           (request->phase == PHASE_STREAMING && !request->suspended);
}

size_t http_server_unfinished(const struct http_server *server)
{
    size_t unfinished = server->open_requests + websockets_unfinished(server);
    list_for_each (member, &server->connections) {
        const struct http_request *request =
            CONTAINER_OF(member, struct http_connection, link)->request;
        unfinished += request && is_being_sent(request);
    }
    return unfinished;
}

/* libmicrohttpd refuses to stop over a suspended connection. */
static void abandon_requests(struct http_server *server)
{
    list_for_each (member, &server->connections) {
        struct http_request *request = CONTAINER_OF(member, struct http_connection, link)->request;
        if (request && request->suspended)
            request_gone(request);
    }
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    int saved = errno;
    http_server_quiesce(server);
    loop_watch_free(server->watch);
    if (server->daemon) {
        abandon_requests(server);
        MHD_stop_daemon(server->daemon);
    }
    if (server->last_resort)
        MHD_destroy_response(server->last_resort);
    websockets_free_all(server);
    parting_free_all(server);
    loop_timer_free(server->timer);
    loop_timer_free(server->accept_again);
    loop_task_free(server->task);
    doors_fini(&server->doors);
    free(server->listeners);
    free(server);
    errno = saved;
}
