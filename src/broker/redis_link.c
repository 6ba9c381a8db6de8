/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"
#include "broker/redis_private.h"

/* One connection: bytes out of a buffer, answers into the owner's hands. Of hiredis the
 * parser alone is used. Its asynchronous half ends the process with an assertion when a
 * server says what nobody asked for (async.c of 0.14: "the context *must* be subscribed"),
 * calls back from inside calls when it disconnects, moves the whole rest of what is to be
 * sent after each write, and bounds nothing. */

enum { READ_AT_ONCE = 64 * 1024, BUFFER_KEPT = 1024 * 1024 };

int redis_link_err(const struct redis_link *link, struct err *err, const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(what, sizeof what, format, args);
    va_end(args);
    for (char *at = what; len >= 0 && *at; at++) {
        if ((unsigned char)*at < ' ' || *at == '\x7f')
            *at = '?'; /* a server's words may hold anything */
    }
    return err_set(err, ERR_BROKER, "Redis at %.200s port %s: %s", link->url->host, link->url->port,
                   len < 0 ? "" : what);
}

/* --- connecting --- */

static void close_socket(struct redis_link *link)
{
    loop_watch_free(link->watch); /* before its descriptor */
    link->watch = NULL;
    if (link->fd >= 0)
        (void)close(link->fd);
    link->fd = -1;
}

static int begin_connect(struct redis_link *link, const struct addrinfo *address)
{
    int one = 1;
    link->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0)
        return -errno;
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int rc = connect(link->fd, address->ai_addr, address->ai_addrlen);
    if (rc < 0 && errno != EINPROGRESS) {
        rc = -errno;
        close_socket(link);
        return rc;
    }
    link->watch = loop_watch_new(link->loop, link->fd, LOOP_WRITE, link->on_ready, link->context);
    return 0;
}

/* `rc` is what the one before said. */
static int try_next(struct redis_link *link, int rc, struct err *err)
{
    while (link->address) {
        const struct addrinfo *address = link->address;
        link->address = address->ai_next;
        rc = begin_connect(link, address);
        if (rc == 0)
            return 0;
    }
    return redis_link_err(link, err, "%s", strerror(-rc));
}

static void on_flush(void *context)
{
    struct redis_link *link = context;
    link->on_ready(link->context, LOOP_WRITE);
}

int redis_link_open(struct redis_link *link, const struct addrinfo *addresses, struct err *err)
{
    link->state = LINK_CONNECTING;
    link->address = addresses;
    link->flush = loop_task_new(link->loop, on_flush, link);
    link->fd = -1;
    link->sent = 0;
    link->awaited = 0;
    link->greeting_count = 0;
    link->greeted = 0;
    buf_init(&link->out, 2 * REDIS_WAITING_MAX + REDIS_LINE_MAX);
    if (redis_answers_init(&link->answers) < 0)
        return redis_link_err(link, err, "no memory");
    return try_next(link, -EADDRNOTAVAIL, err);
}

void redis_link_close(struct redis_link *link)
{
    if (link->state == LINK_CLOSED)
        return;
    link->state = LINK_CLOSED;
    close_socket(link);
    loop_task_free(take_ptr(&link->flush));
    redis_answers_fini(&link->answers);
    buf_fini(&link->out);
}

/* --- introducing itself --- */

static void greet(struct redis_link *link, const char *what, size_t argc, const struct slice *argv)
{
    if (redis_link_send(link, 1, argc, argv) == 0)
        link->greetings[link->greeting_count++] = what;
}

#define GREET(link, what, ...)                                                                \
    greet((link), (what), sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice), \
          (const struct slice[]){__VA_ARGS__})

static const char PASSWORD[] = "the password";
static const char DATABASE[] = "the database";
static const char NAME[] = "the name";
static const char PING[] = "PING";

static void introduce(struct redis_link *link)
{
    const struct place *url = link->url;
    char name[64];
    (void)snprintf(name, sizeof name, "%s", link->name);
    for (char *at = name; *at; at++) {
        if (*at <= ' ' || *at > '~')
            *at = '-'; /* Redis takes no blanks */
    }
    if (url->user[0])
        GREET(link, PASSWORD, slice_of("AUTH"), slice_of(url->user), slice_of(url->password));
    else if (url->password[0])
        GREET(link, PASSWORD, slice_of("AUTH"), slice_of(url->password));
    if (url->path[0])
        GREET(link, DATABASE, slice_of("SELECT"), slice_of(url->path));
    GREET(link, NAME, slice_of("CLIENT"), slice_of("SETNAME"), slice_of(name));
    GREET(link, PING, slice_of("PING")); /* refused: no password given, still loading, … */
}

static int finish_connect(struct redis_link *link, struct err *err)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
        failure = errno;
    if (failure) {
        close_socket(link);
        return try_next(link, -failure, err);
    }
    link->state = LINK_GREETING;
    loop_watch_set(link->watch, LOOP_READ);
    introduce(link);
    return 0;
}

/* In the order in which they were sent; an unknown name does nobody harm. */
static int take_greeting(struct redis_link *link, const struct redis_reply *reply, struct err *err)
{
    const char *what = link->greetings[link->greeted++];
    if (reply->kind == REDIS_ERROR && what != NAME)
        return redis_link_err(link, err, "it refuses %s: %s", what, reply->text.at);
    if (reply->kind != REDIS_STRING && reply->kind != REDIS_ERROR)
        return redis_link_err(link, err, "an answer that is none, to %s", what);
    if (link->greeted == link->greeting_count)
        link->state = LINK_UP;
    return 1;
}

/* --- sending --- */

static void add_argument(struct buf *out, struct slice argument)
{
    buf_add_format(out, "$%zu\r\n", argument.len);
    buf_add_slice(out, argument);
    buf_add_text(out, "\r\n");
}

int redis_link_send(struct redis_link *link, size_t answers, size_t argc, const struct slice *argv)
{
    struct buf *out = &link->out;
    size_t before = out->len;
    size_t size = 0;
    for (size_t i = 0; i < argc; i++) {
        if (argv[i].len > REDIS_WAITING_MAX)
            return -1;
        size += argv[i].len + 32;
    }
    if (size + before - link->sent > REDIS_WAITING_MAX)
        return -1;
    buf_add_format(out, "*%zu\r\n", argc);
    for (size_t i = 0; i < argc; i++)
        add_argument(out, argv[i]);
    if (out->failed) { /* no memory: half a command must not go out */
        out->failed = false;
        out->len = before;
        return -1;
    }
    if (link->awaited == 0)
        link->heard_ns = loop_now_ns();
    link->awaited += answers;
    loop_task_schedule(link->flush);
    return 0;
}

static int flush(struct redis_link *link, struct err *err)
{
    struct buf *out = &link->out;
    size_t rest = out->len - link->sent;
    ssize_t sent = rest > 0 ? send(link->fd, out->at + link->sent, rest, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return redis_link_err(link, err, "%s", strerror(errno));
    link->sent += sent > 0 ? (size_t)sent : 0;
    if (link->sent == out->len) {
        link->sent = 0;
        buf_clear(out);
        if (out->room > BUFFER_KEPT)
            buf_fini(out);
        loop_watch_set(link->watch, LOOP_READ);
        return 0;
    }
    loop_watch_set(link->watch, LOOP_READ | LOOP_WRITE);
    if (link->sent > out->len / 2) { /* so that a byte is moved once on average */
        buf_consume(out, link->sent);
        link->sent = 0;
    }
    return 0;
}

void redis_link_last_words(struct redis_link *link)
{
    if (link->state == LINK_UP && link->out.len > link->sent)
        (void)!send(link->fd, link->out.at + link->sent, link->out.len - link->sent, MSG_NOSIGNAL);
}

/* --- receiving --- */

static int take(struct redis_link *link, const struct redis_reply *reply, struct err *err)
{
    bool is_greeting = link->state == LINK_GREETING;
    if (is_greeting && link->greeted == link->greeting_count)
        return redis_link_err(link, err, "an answer that nobody asked for");
    int rc = is_greeting ? take_greeting(link, reply, err) : link->take(link->context, reply, err);
    if (rc <= 0 || link->state == LINK_CLOSED)
        return rc;
    if (link->awaited == 0)
        return redis_link_err(link, err, "an answer that nobody asked for");
    link->awaited--;
    return 0;
}

static int take_all(struct redis_link *link, struct err *err)
{
    while (link->state != LINK_CLOSED) {
        struct redis_reply *reply = NULL;
        int rc = redis_answers_next(&link->answers, &reply, err);
        if (rc < 0) {
            char why[160];
            (void)snprintf(why, sizeof why, "%.159s", err->text);
            return redis_link_err(link, err, "%s", why);
        }
        if (rc == 0)
            return 0;
        rc = take(link, reply, err);
        redis_reply_free(reply);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int receive(struct redis_link *link, struct err *err)
{
    char bytes[READ_AT_ONCE];
    ssize_t got = recv(link->fd, bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got < 0)
        return redis_link_err(link, err, "%s", strerror(errno));
    if (got == 0)
        return redis_link_err(link, err, "it has closed the connection");
    link->heard_ns = loop_now_ns();
    if (redis_answers_feed(&link->answers, (struct slice){bytes, (size_t)got}, err) < 0)
        return redis_link_err(link, err, "no memory for an answer");
    return take_all(link, err);
}

int redis_link_ready(struct redis_link *link, unsigned ready, struct err *err)
{
    if (link->state == LINK_CONNECTING)
        return finish_connect(link, err);
    if (ready & LOOP_READ && receive(link, err) < 0)
        return -1;
    if (link->state != LINK_CLOSED && ready & LOOP_WRITE)
        return flush(link, err);
    return 0;
}

/* --- silence --- */

int redis_link_check(struct redis_link *link, uint64_t timeout_ms, struct err *err)
{
    uint64_t silent_ms = (loop_now_ns() - link->heard_ns) / NS_PER_MS;
    struct slice ping = slice_of(PING);
    char time[32];
    if (link->awaited > 0 && silent_ms >= timeout_ms)
        return redis_link_err(link, err, "no answer within %s",
                              format_duration(time, sizeof time, timeout_ms));
    if (link->awaited == 0 && silent_ms >= timeout_ms / 2)
        (void)redis_link_send(link, 1, 1, &ping);
    return 0;
}

uint64_t redis_link_check_ms(const struct redis_link *link, uint64_t timeout_ms)
{
    uint64_t silent_ms = (loop_now_ns() - link->heard_ns) / NS_PER_MS;
    uint64_t bound_ms = link->awaited > 0 ? timeout_ms : timeout_ms / 2;
    return MIN(silent_ms < bound_ms ? bound_ms - silent_ms : 0, timeout_ms / 4 + 1);
}
