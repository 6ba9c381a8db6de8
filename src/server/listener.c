/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http_private.h"

#define BACKLOG 1024
/* How many are accepted before those that are there get their turn. */
#define ACCEPT_BATCH 32
/* What cannot be accepted, for want of a descriptor, memory or room, stays in
 * the backlog, and the watch would fire for ever. */
#define ACCEPT_AGAIN_MS 100
/* A client whose packets stop cannot even say that it is gone, and while it waits for an
 * answer nobody but the kernel can ask: after so much silence, so often, so many times.
 * That is what WebSockets get by their pings. */
#define SILENCE_S 25
#define ASK_EVERY_S 5
#define ASK_TIMES 5

union socket_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

static int make_address(const struct http_listener *wanted, union socket_address *ret_address,
                        socklen_t *ret_size)
{
    memset(ret_address, 0, sizeof *ret_address);
    if (inet_pton(AF_INET, wanted->address, &ret_address->ipv4.sin_addr) == 1) {
        ret_address->ipv4.sin_family = AF_INET;
        ret_address->ipv4.sin_port = htons(wanted->port);
        *ret_size = sizeof ret_address->ipv4;
        return 0;
    }
    if (inet_pton(AF_INET6, wanted->address, &ret_address->ipv6.sin6_addr) == 1) {
        ret_address->ipv6.sin6_family = AF_INET6;
        ret_address->ipv6.sin6_port = htons(wanted->port);
        *ret_size = sizeof ret_address->ipv6;
        return 0;
    }
    return -EINVAL;
}

/* Another program may end, and an interface may yet get its address: that is worth another
 * start, which a mistake of the operator's is not. */
static int cannot_listen(const struct listener *listener, struct err *err)
{
    bool temporary = errno == EADDRINUSE || errno == EADDRNOTAVAIL;
    (void)err_sys(err, errno, "cannot listen on %s", listener->name);
    if (err)
        err->code = temporary ? ERR_ADDRESS : ERR_CONFIG;
    return -1;
}

static int set_options(int fd, int family)
{
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        return -1;
    /* [::]:80 and 0.0.0.0:80 are two listeners, each with its own rules. */
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
        return -1;
    return 0;
}

static uint16_t bound_port(int fd)
{
    union socket_address bound = {0};
    socklen_t size = sizeof bound;
    if (getsockname(fd, &bound.any, &size) < 0)
        return 0;
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.ipv6.sin6_port : bound.ipv4.sin_port);
}

int listener_bind(struct listener *listener, const struct http_listener *wanted, struct err *err)
{
    bool ipv6 = strchr(wanted->address, ':');
    if (snprintf(listener->name, sizeof listener->name, ipv6 ? "[%s]:%u" : "%s:%u", wanted->address,
                 (unsigned)wanted->port) >= (int)sizeof listener->name)
        return err_set(err, ERR_CONFIG, "cannot listen on '%.60s': not an address",
                       wanted->address);
    union socket_address address;
    socklen_t size;
    if (make_address(wanted, &address, &size) < 0)
        return err_set(err, ERR_CONFIG, "cannot listen on '%s': not an address", wanted->address);
    struct address own;
    listener->loopback = address_from_socket(&address.any, &own) && address_is_loopback(&own);
    listener->dialect = wanted->dialect;
    listener->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || set_options(listener->fd, address.any.sa_family) < 0 ||
        bind(listener->fd, &address.any, size) < 0)
        return cannot_listen(listener, err);
    listener->port = bound_port(listener->fd);
    return 0;
}

static void pause_accepting(struct http_server *server)
{
    server->accept_paused = true;
    for (size_t i = 0; i < server->listener_count; i++)
        if (server->listeners[i].watch)
            loop_watch_set(server->listeners[i].watch, 0);
    loop_timer_start(server->accept_again, ACCEPT_AGAIN_MS);
}

void listeners_resume(struct http_server *server)
{
    if (!server->accept_paused)
        return;
    server->accept_paused = false;
    for (size_t i = 0; i < server->listener_count; i++)
        if (server->listeners[i].watch)
            loop_watch_set(server->listeners[i].watch, LOOP_READ);
}

/* Some errors belong to the connection that was to be accepted: accept(2) lists
 * them. The rest are ours. */
static bool is_transient(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM;
}

/* None of it is needed for an answer. */
static void set_up_accepted(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, SILENCE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, ASK_EVERY_S},
        {IPPROTO_TCP, TCP_KEEPCNT, ASK_TIMES},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        /* The kernel does not ask while bytes of ours are on their way. */
        {IPPROTO_TCP, TCP_USER_TIMEOUT, (SILENCE_S + ASK_EVERY_S * ASK_TIMES) * 1000},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
}

/* False when there is nothing more to accept for now. */
static bool accept_one(struct listener *listener)
{
    struct http_server *server = listener->server;
    if (server->sockets >= server->config.max_connections) {
        connection_make_room(server);
        pause_accepting(server); /* those in the backlog wait; a closed one resumes */
        return false;
    }
    union socket_address peer = {0};
    socklen_t size = sizeof peer;
    int fd = accept4(listener->fd, &peer.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (is_transient(errno))
            return true;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            pause_accepting(server);
        return false;
    }
    if (!address_from_socket(&peer.any, &server->accepting_peer)) {
        (void)close(fd);
        return true;
    }
    set_up_accepted(fd);
    server->accepting = listener;
    server->accepting_fd = fd;
    /* Calls connection_notify before it returns, and closes fd if it fails. */
    (void)MHD_add_connection(server->daemon, fd, &peer.any, size);
    return true;
}

static void on_ready(void *context, unsigned ready)
{
    (void)ready;
    struct listener *listener = context;
    for (int i = 0; i < ACCEPT_BATCH && accept_one(listener); i++)
        ;
    server_run_soon(listener->server);
}

int listener_start(struct listener *listener, struct err *err)
{
    if (listen(listener->fd, BACKLOG) < 0)
        return cannot_listen(listener, err);
    listener->watch =
        loop_watch_new(listener->server->loop, listener->fd, LOOP_READ, on_ready, listener);
    return 0;
}

void listener_close(struct listener *listener)
{
    loop_watch_free(listener->watch);
    listener->watch = NULL;
    if (listener->fd >= 0)
        (void)close(listener->fd);
    listener->fd = -1;
}
