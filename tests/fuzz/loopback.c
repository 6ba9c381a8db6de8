/* SPDX-License-Identifier: MIT */
#include "loopback.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "observe/log.h"

enum { QUIET_TURNS = 10, AWAITED_S = 60 };

static struct loopback {
    struct loop *loop;
    struct http_server *server;
    struct loop_task *turn;
    bool (*goes_on)(void);
    unsigned quiet; /* turns of the loop since something came */
} loopback;

/* --- the loop's turns --- */

/* The server is on this loop: what it has to do for us it does in its turns. */
static void on_turn(void *context)
{
    (void)context;
    if (loopback.goes_on && loopback.goes_on())
        loopback.quiet = 0;
    if (++loopback.quiet < QUIET_TURNS)
        loop_task_schedule(loopback.turn);
    else
        loop_stop(loopback.loop);
}

void loopback_turn(void)
{
    loopback.quiet = 0;
    loop_task_schedule(loopback.turn);
    loop_run(loopback.loop);
}

void loopback_await(bool (*is_so)(void))
{
    static const struct timespec moment = {.tv_nsec = 1000 * 1000};
    uint64_t until_ns = loop_now_ns() + AWAITED_S * NS_PER_S;
    for (loopback_turn(); !is_so(); loopback_turn()) {
        assert(loop_now_ns() < until_ns);
        (void)nanosleep(&moment, NULL);
    }
}

static void ignore_line(const char *line, unsigned long len)
{
    (void)line, (void)len;
}

struct loop *loopback_loop(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    log_set_sink(ignore_line);
    loopback.loop = loop_new();
    loopback.turn = loop_task_new(loopback.loop, on_turn, NULL);
    return loopback.loop;
}

void loopback_serve(const struct http_config *config, bool (*goes_on)(void))
{
    static const struct http_listener listener = {"127.0.0.1", 0, NULL};
    struct http_config with_listener = *config;
    struct err err = {0};
    with_listener.listeners = &listener;
    with_listener.listener_count = 1;
    loopback.goes_on = goes_on;
    loopback.server = http_server_new(loopback.loop, &with_listener, &err);
    int rc = loopback.server ? http_server_start(loopback.server, &err) : -1;
    assert(rc == 0);
}

/* --- clients --- */

static void on_readable(void *context, unsigned ready)
{
    struct client *client = context;
    char rest[16 * 1024];
    size_t room = HEARD_MAX - client->heard;
    (void)ready;
    ssize_t got = room > 0 ? recv(client->fd, client->text + client->heard, room, MSG_DONTWAIT)
                           : recv(client->fd, rest, sizeof rest, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* and so for ever */
        loop_watch_set(client->watch, 0);
        return;
    }
    loopback.quiet = 0;
    client->heard += room > 0 ? (size_t)got : 0;
    client->text[client->heard] = '\0';
}

/* A signal of the fuzzer's may come while a busy machine still shakes hands: that goes on. */
static void come_to(int fd, const struct sockaddr_in *address)
{
    int error = 0;
    socklen_t size = sizeof error;
    struct pollfd there = {.fd = fd, .events = POLLOUT};
    int rc = connect(fd, (const struct sockaddr *)address, sizeof *address);
    while (rc < 0 && errno == EINTR)
        rc = poll(&there, 1, -1) == 1 ? getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) : -1;
    if (rc < 0 || error != 0)
        perror("connect");
    assert(rc == 0 && error == 0);
}

void client_come(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(loopback.server, 0)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger at_once = {1, 0}; /* or its port would rest for a minute */
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->heard = 0;
    client->text[0] = '\0';
    come_to(client->fd, &address);
    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    client->watch = loop_watch_new(loopback.loop, client->fd, LOOP_READ, on_readable, client);
}

void client_say(const struct client *client, const void *bytes, size_t len)
{
    (void)send(client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void client_say_frame(const struct client *client, unsigned char opcode, struct slice payload)
{
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)};
    size_t len = 2;
    if (payload.len < 126) {
        head[1] = (uint8_t)(0x80 | payload.len);
    } else {
        head[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            head[2 + i] = (uint8_t)((uint64_t)payload.len >> (56 - 8 * i));
        len = 10;
    }
    client_say(client, head, len + 4); /* with a mask of zeros */
    client_say(client, payload.at, payload.len);
}

void client_leave(struct client *client)
{
    loop_watch_free(client->watch);
    (void)close(client->fd);
}

int client_status(const struct client *client)
{
    static const char version[] = "HTTP/1.1 ";
    size_t len = sizeof version - 1;
    assert(strncmp(client->text, version, MIN(client->heard, len)) == 0);
    return client->heard < len + sizeof "200" - 1 ? 0 : (int)strtol(client->text + len, NULL, 10);
}
