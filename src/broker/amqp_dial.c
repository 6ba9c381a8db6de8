/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/amqp_private.h"

/* librabbitmq would connect itself, but nobody could stop it then. */

static int connect_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

/* 0 or an errno. */
static int wait_connected(struct line *line, int fd, uint64_t until_ns)
{
    while (loop_now_ns() < until_ns && !relay_ends(line->relay)) {
        if (relay_wait(line->relay, fd, POLLOUT, until_ns))
            return connect_error(fd);
    }
    return ETIMEDOUT;
}

/* A descriptor, or -errno. */
static int dial_one(struct line *line, const struct addrinfo *address, uint64_t until_ns)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, address->ai_addr, address->ai_addrlen) < 0 ? errno : 0;
    if (error == EINPROGRESS)
        error = wait_connected(line, fd, until_ns);
    if (error != 0) {
        (void)close(fd);
        return -error;
    }
    const int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

/* Of what is left, for the first of so many. */
static uint64_t share_until_ns(uint64_t until_ns, const struct addrinfo *addresses)
{
    uint64_t now_ns = loop_now_ns();
    uint64_t count = 1;
    while ((addresses = addresses->ai_next) != NULL)
        count++;
    return now_ns + (until_ns - MIN(now_ns, until_ns)) / count;
}

int line_dial(struct line *line, uint64_t until_ns, struct err *err)
{
    struct addrinfo *found = NULL;
    if (lookup_place(line->relay, line->place, until_ns, &found, err) < 0)
        return -1;
    found = place_turn(found, &line->first);
    int fd = -EHOSTUNREACH;
    for (const struct addrinfo *one = found; one && fd < 0; one = one->ai_next)
        fd = dial_one(line, one, share_until_ns(until_ns, one));
    freeaddrinfo(found);
    if (fd < 0) {
        (void)err_sys(err, -fd, "cannot connect to the broker at %s:%s", line->place->host,
                      line->place->port);
        err->code = ERR_BROKER;
        return -1;
    }
    return fd;
}
