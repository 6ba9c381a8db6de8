/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h> /* libc's tcp_info ends before the counts of bytes */
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http_private.h"

/* Bytes behind the request keep us from seeing its end of file: then the socket
 * is asked once in a while. */
#define PRESENCE_MS 1000
/* Who was just accepted, or just answered, gets this long to send a request. */
#define IDLE_MIN_MS 1000
/* And so long for the rest of its head, where others wait for a place. */
#define HEAD_MIN_MS 2000
/* For the last words: how long, and how much of what the client still sends is
 * read, before the socket goes. */
#define PARTING_MS 2000
#define PARTING_BYTES (32 * MIB)
#define PARTING_READ 16384

struct http_connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

void server_release_socket(struct http_server *server)
{
    server->sockets--;
    listeners_resume(server);
}

/* --- parting: a refused client may still be sending its body. To close a
 * socket with unread bytes resets it, and the reset can overtake our answer.
 * So the answer and the end of our side go out, and the rest is read away. --- */

struct parting {
    struct list link;
    struct http_server *server;
    int fd;
    uint64_t bytes;
    struct loop_watch *watch;
    struct loop_timer *timer;
};

static void parting_free(struct parting *parting)
{
    struct http_server *server = parting->server;
    loop_watch_free(parting->watch);
    loop_timer_free(parting->timer);
    list_remove(&parting->link);
    (void)close(parting->fd);
    free(parting);
    server_release_socket(server);
}

static void on_parting_late(void *context)
{
    parting_free(context);
}

static void on_parting_readable(void *context, unsigned ready)
{
    (void)ready;
    struct parting *parting = context;
    char bytes[PARTING_READ];
    ssize_t count = recv(parting->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    parting->bytes += count > 0 ? (uint64_t)count : 0;
    if (count <= 0 || parting->bytes > PARTING_BYTES)
        parting_free(parting);
}

/* Takes over the connection's place among the server's sockets; the daemon
 * closes its own descriptor of it. */
static bool parting_start(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct parting *parting = calloc(1, sizeof *parting);
    if (!parting)
        return false;
    parting->fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
    if (parting->fd < 0) {
        free(parting);
        return false;
    }
    (void)shutdown(parting->fd, SHUT_WR);
    parting->server = server;
    list_append(&server->parting, &parting->link);
    parting->watch =
        loop_watch_new(server->loop, parting->fd, LOOP_READ, on_parting_readable, parting);
    parting->timer = loop_timer_new(server->loop, on_parting_late, parting);
    loop_timer_start(parting->timer, PARTING_MS);
    return true;
}

void parting_free_all(struct http_server *server)
{
    list_for_each_safe (member, following, &server->parting)
        parting_free(CONTAINER_OF(member, struct parting, link));
}

/* Is anything unread, or to be expected, that would make close a reset? */
static bool needs_parting(const struct http_connection *connection)
{
    char byte;
    ssize_t count = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return connection->refused;
    return count > 0;
}

/* --- the connection itself --- */

static void look_for_client(struct http_connection *connection)
{
    struct pollfd socket = {.fd = connection->fd, .events = POLLRDHUP};
    if (poll(&socket, 1, 0) > 0) {
        request_gone(connection->request);
        return;
    }
    loop_timer_start(connection->timer, PRESENCE_MS);
}

/* Bytes that the kernel got from the client, or that the client has confirmed. A kernel
 * that does not count them makes every transfer a short one. */
static uint64_t bytes_moved(const struct http_connection *connection)
{
    struct tcp_info about = {0};
    socklen_t size = sizeof about;
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &about, &size) < 0)
        return 0;
    const struct http_request *request = connection->request;
    return request && request->phase <= PHASE_BODY ? about.tcpi_bytes_received
                                                   : about.tcpi_bytes_acked;
}

/* Starts to look anew, when enough has moved since the last time. */
static bool keeps_pace(struct http_connection *connection)
{
    uint64_t before = connection->moved;
    if (!connection->is_paced)
        return false;
    connection_pace(connection);
    return connection->moved - before >=
           server_timeout_ms(connection->server) * SLOWEST_BYTES_PER_MS;
}

void connection_pace(struct http_connection *connection)
{
    connection_wait(connection, WAIT_TRANSFER, server_timeout_ms(connection->server));
    connection->is_paced = true;
    connection->moved = bytes_moved(connection);
}

/* As long as the request is being read the daemon has written nothing. */
static void cut_late(struct http_connection *connection)
{
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\n"
                               "Connection: close\r\nContent-Length: 0\r\n\r\n";
    const struct http_request *request = connection->request;
    if (request && request->phase <= PHASE_BODY)
        (void)send(connection->fd, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    connection_cut(connection);
}

static void on_timer(void *context)
{
    struct http_connection *connection = context;
    if (connection->wait == WAIT_HANDLER) {
        look_for_client(connection);
        return;
    }
    if (!keeps_pace(connection))
        cut_late(connection);
}

static void on_readable(void *context, unsigned ready)
{
    (void)ready;
    struct http_connection *connection = context;
    char byte;
    ssize_t count = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0) { /* the next request, sent before the answer to this one */
        loop_watch_set(connection->gone_watch, 0);
        loop_timer_start(connection->timer, PRESENCE_MS);
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        request_gone(connection->request);
    }
}

void connection_wait(struct http_connection *connection, enum connection_wait wait, uint64_t ms)
{
    connection->wait = wait;
    connection->since_ns = loop_now_ns();
    connection->is_paced = false;
    if (wait == WAIT_HANDLER) {
        loop_timer_stop(connection->timer);
        connection->gone_watch = loop_watch_new(connection->server->loop, connection->fd, LOOP_READ,
                                                on_readable, connection);
        return;
    }
    loop_watch_free(connection->gone_watch);
    connection->gone_watch = NULL;
    loop_timer_start(connection->timer, ms);
}

void connection_cut(struct http_connection *connection)
{
    loop_timer_stop(connection->timer);
    if (!connection->is_handed_over)
        (void)shutdown(connection->fd, SHUT_RDWR);
    server_run_soon(connection->server);
}

/* Nobody's share is asked for what has no whole head yet (http_share.c): whose it is may stand
 * there. So it must not be held for long. */
static bool may_be_cut(const struct http_connection *connection)
{
    const struct http_request *request = connection->request;
    uint64_t waited_ms = (loop_now_ns() - connection->since_ns) / NS_PER_MS;
    if (connection->wait == WAIT_REQUEST)
        return waited_ms >= IDLE_MIN_MS;
    return request && request->phase == PHASE_HEAD && waited_ms >= HEAD_MIN_MS;
}

void connection_make_room(struct http_server *server)
{
    struct http_connection *oldest = NULL;
    list_for_each (member, &server->connections) {
        struct http_connection *connection = CONTAINER_OF(member, struct http_connection, link);
        if (may_be_cut(connection) && (!oldest || connection->since_ns < oldest->since_ns))
            oldest = connection;
    }
    if (oldest)
        cut_late(oldest);
}

static struct http_connection *connection_new(struct http_server *server)
{
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    connection->server = server;
    connection->listener = server->accepting;
    connection->peer = server->accepting_peer;
    connection->fd = server->accepting_fd;
    connection->timer = loop_timer_new(server->loop, on_timer, connection);
    list_append(&server->connections, &connection->link);
    connection_wait(connection, WAIT_REQUEST, server_timeout_ms(server));
    return connection;
}

static void connection_free(struct http_connection *connection)
{
    if (connection->request) /* libmicrohttpd forgets to say so when it is short of memory */
        request_end(connection->request);
    loop_watch_free(connection->gone_watch);
    loop_timer_free(connection->timer);
    list_remove(&connection->link);
    free(connection);
}

/* A connection that there is no memory for has no deadline: it ends at once. */
void connection_notify(void *context, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    (void)mhd;
    struct http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        server->sockets++;
        *socket_context = connection_new(server);
        if (!*socket_context)
            (void)shutdown(server->accepting_fd, SHUT_RDWR);
        return;
    }
    struct http_connection *connection = *socket_context;
    bool handed_over = connection && connection->is_handed_over;
    bool parting =
        connection && !handed_over && needs_parting(connection) && parting_start(connection);
    if (connection)
        connection_free(connection);
    *socket_context = NULL;
    if (!parting && !handed_over)
        server_release_socket(server);
}
