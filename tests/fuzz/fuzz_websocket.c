/* SPDX-License-Identifier: MIT */
/* A client and an owner of a WebSocket that do anything in any order, over a real
 * socket and on a clock that the input moves. Each step is a letter, a byte that
 * says how many, and for some of them so many bytes. What comes back must be frames
 * as RFC 6455 has them, with nothing after a Close. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/utf8.h"
#include "fake_loop.h"
#include "server/http_private.h"
#include "server/websocket_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { MESSAGE_MAX = 300, HEARD_MAX = 1024 * 1024 };

/* ---- what stands in for the rest of the server ---- */

struct loop_watch {
    int fd;
    unsigned events;
    loop_watch_fn *fn;
    void *context;
};

static struct world {
    struct http_server server;
    struct websocket *socket; /* as its owner knows it; NULL after `closed` or an abandon */
    struct loop_watch *watch; /* the one that there is */
    unsigned places;          /* among the server's sockets */
    int client;               /* the other end; -1 when it has gone */
    bool calling;             /* into the module */
    bool told;                /* by `closed` */
    bool abandoned;
    bool waits; /* websocket_send said to */
    bool echoes;
    bool closes;   /* at the next message */
    bool abandons; /* likewise */
    bool saw_close;
    size_t heard_len;
} world;

static uint8_t heard[HEARD_MAX]; /* by the client, and not yet looked at */

struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned events, loop_watch_fn *fn,
                                  void *context)
{
    (void)loop;
    assert(!world.watch);
    world.watch = malloc(sizeof *world.watch);
    assert(world.watch);
    *world.watch = (struct loop_watch){fd, events, fn, context};
    return world.watch;
}

void loop_watch_set(struct loop_watch *watch, unsigned events)
{
    assert(watch == world.watch);
    watch->events = events;
}

void loop_watch_free(struct loop_watch *watch)
{
    assert(watch == world.watch);
    world.watch = NULL;
    free(watch);
}

void server_release_socket(struct http_server *server)
{
    assert(server == &world.server && world.places == 1);
    world.places = 0;
}

/* ---- the owner ---- */

static void send_some(enum websocket_kind kind, size_t len)
{
    static const char letters[64 * 1024] = "some of it, and then zeros";
    bool calling = world.calling;
    world.calling = true;
    world.waits = !websocket_send(world.socket, kind, (struct slice){letters, len});
    world.calling = calling;
}

static void close_it(uint16_t code)
{
    bool calling = world.calling;
    world.calling = true;
    websocket_close(world.socket, code, "that is all");
    world.calling = calling;
}

static void abandon_it(void)
{
    bool calling = world.calling;
    struct websocket *socket = world.socket;
    world.socket = NULL;
    world.abandoned = true;
    world.calling = true;
    websocket_abandon(socket, WEBSOCKET_GOING_AWAY, "");
    world.calling = calling;
}

static void on_message(void *context, enum websocket_kind kind, struct slice payload)
{
    assert(context == &world && world.socket && !world.calling && !world.told);
    assert(payload.len <= MESSAGE_MAX);
    assert(kind != WEBSOCKET_TEXT || utf8_valid(payload));
    if (world.echoes)
        send_some(kind, payload.len);
    if (world.closes)
        close_it(WEBSOCKET_DONE);
    if (world.abandons)
        abandon_it();
}

static void on_drained(void *context)
{
    assert(context == &world && world.socket && !world.calling && world.waits);
    world.waits = false;
}

static void on_closed(void *context)
{
    assert(context == &world && world.socket && !world.calling && !world.told);
    world.told = true;
    world.socket = NULL;
}

/* ---- the client ---- */

static void client_send(const void *bytes, size_t len)
{
    if (world.client >= 0)
        (void)send(world.client, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Masked, and as long as it says. */
static void client_send_frame(uint8_t first, const uint8_t *payload, size_t len)
{
    static const uint8_t mask[4] = {0x11, 0x80, 0x0f, 0xc3};
    uint8_t frame[14 + MESSAGE_MAX * 4] = {first};
    size_t head = 2;
    assert(len <= MESSAGE_MAX * 4);
    if (len < 126) {
        frame[1] = (uint8_t)(0x80 | len);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(len >> 8);
        frame[3] = (uint8_t)len;
        head = 4;
    }
    memcpy(frame + head, mask, sizeof mask);
    head += sizeof mask;
    for (size_t i = 0; i < len; i++)
        frame[head + i] = payload[i] ^ mask[i % sizeof mask];
    client_send(frame, head + len);
}

static void look_at_close(const uint8_t *payload, size_t len)
{
    assert(len != 1 &&
           utf8_valid((struct slice){(const char *)payload + 2, len < 2 ? 0 : len - 2}));
    unsigned code = len < 2 ? 1000 : (unsigned)payload[0] << 8 | payload[1];
    assert(code >= 1000 && code < 5000 && code != 1004 && code != 1005 && code != 1006);
    world.saw_close = true;
}

/* The length of the frame at `at`, of which the payload begins at *ret_payload; 0
 * when it is not all there. */
static size_t measure(const uint8_t *at, size_t have, size_t *ret_payload)
{
    if (have < 2)
        return 0;
    uint64_t len = at[1];
    size_t head = len < 126 ? 2 : len == 126 ? 4 : 10;
    assert(len < 128); /* a server masks nothing */
    if (have < head)
        return 0;
    if (head > 2)
        len = 0;
    for (size_t i = 2; i < head; i++)
        len = len << 8 | at[i];
    *ret_payload = head;
    return len <= have - head ? head + (size_t)len : 0;
}

static void look_at_frames(void)
{
    size_t at = 0;
    size_t payload = 0;
    for (size_t len; (len = measure(heard + at, world.heard_len - at, &payload)) > 0; at += len) {
        uint8_t opcode = heard[at] & 0x0f;
        assert(!world.saw_close);           /* nothing follows a Close */
        assert((heard[at] & 0xf0) == 0x80); /* whole, and nothing reserved */
        assert(opcode == 1 || opcode == 2 || (opcode >= 8 && opcode <= 10));
        assert(opcode < 8 || len - payload <= 125);
        if (opcode == 8)
            look_at_close(heard + at + payload, len - payload);
    }
    world.heard_len -= at;
    memmove(heard, heard + at, world.heard_len);
    assert(!world.saw_close || world.heard_len == 0);
}

static void client_read(void)
{
    ssize_t count = 1;
    while (world.client >= 0 && count > 0) {
        count =
            recv(world.client, heard + world.heard_len, HEARD_MAX - world.heard_len, MSG_DONTWAIT);
        world.heard_len += count > 0 ? (size_t)count : 0;
        look_at_frames();
        assert(world.heard_len < HEARD_MAX);
    }
}

static void client_leave(void)
{
    if (world.client >= 0)
        (void)close(world.client);
    world.client = -1;
}

/* ---- steps ---- */

/* As the loop does it, once. */
static void turn(void)
{
    if (!world.watch)
        return;
    struct pollfd fd = {.fd = world.watch->fd};
    fd.events = (short)((world.watch->events & LOOP_READ ? POLLIN : 0) |
                        (world.watch->events & LOOP_WRITE ? POLLOUT : 0));
    if (world.watch->events == 0 || poll(&fd, 1, 0) <= 0)
        return;
    bool broken = fd.revents & (POLLERR | POLLHUP);
    unsigned ready = (broken || fd.revents & POLLIN ? LOOP_READ : 0U) |
                     (broken || fd.revents & POLLOUT ? LOOP_WRITE : 0U);
    world.watch->fn(world.watch->context, ready & world.watch->events);
}

static void client_step(uint8_t letter, uint8_t count, const uint8_t *bytes)
{
    static const uint8_t zeros[MESSAGE_MAX * 4];
    switch (letter) {
    case 'r': /* whatever it is */
        client_send(bytes, count);
        break;
    case 'f': /* a frame of the first byte's kind */
        if (count > 0)
            client_send_frame(bytes[0], bytes + 1, count - 1U);
        break;
    case 'F': /* a long one */
        client_send_frame(0x82, zeros, count * 4U);
        break;
    case 'd':
        client_read();
        break;
    case 'h':
        if (world.client >= 0)
            (void)shutdown(world.client, SHUT_WR);
        break;
    case 'x':
        client_leave();
        break;
    default:
        break;
    }
}

static void owner_step(uint8_t letter, uint8_t count)
{
    switch (letter) {
    case 's':
        send_some(WEBSOCKET_TEXT, count);
        break;
    case 'S':
        send_some(WEBSOCKET_BINARY, count * 256U);
        break;
    case 'c':
        close_it((uint16_t)(count < 12 ? 1000 : 3000 + count));
        break;
    case 'a':
        abandon_it();
        break;
    default:
        break;
    }
}

static void step(uint8_t letter, uint8_t count, const uint8_t *bytes)
{
    switch (letter) {
    case 't':
        turn();
        break;
    case 'T':
        fake_loop_advance(world.server.loop, count * 1000U);
        break;
    case 'E':
        world.echoes = !world.echoes;
        break;
    case 'C':
        world.closes = !world.closes;
        break;
    case 'A':
        world.abandons = !world.abandons;
        break;
    default:
        client_step(letter, count, bytes);
        if (world.socket)
            owner_step(letter, count);
        break;
    }
}

static bool takes_bytes(uint8_t letter)
{
    return letter == 'r' || letter == 'f';
}

/* The first bytes come with the handshake. */
static void open_socket(const uint8_t *early, size_t len)
{
    static const struct websocket_ops ops = {on_message, on_drained, on_closed};
    int ends[2];
    int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
    assert(rc == 0);
    world.client = ends[1];
    world.places = 1;
    world.socket = websocket_new(
        &world.server,
        &(struct websocket_config){.message_max = MESSAGE_MAX, .ops = &ops, .context = &world},
        NULL, 0);
    assert(world.socket);
    websocket_open(world.socket, ends[0], (struct slice){(const char *)early, len});
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    world = (struct world){.server.loop = loop_new(), .client = -1};
    list_init(&world.server.websockets);
    size_t at = size > 0 ? 1 : 0;
    size_t early = size > 0 ? MIN(size - 1, (size_t)bytes[0]) : 0;
    open_socket(bytes + at, early);
    for (at += early; at + 1 < size;) {
        uint8_t letter = bytes[at];
        size_t count = bytes[at + 1];
        at += 2;
        if (takes_bytes(letter))
            count = MIN(count, size - at);
        step(letter, (uint8_t)count, bytes + at);
        at += takes_bytes(letter) ? count : 0;
    }
    websockets_free_all(&world.server);
    assert(world.told != world.abandoned); /* one or the other, and neither twice */
    assert(!world.socket && !world.watch && world.places == 0);
    assert(fake_loop_objects(world.server.loop) == 0);
    client_read();
    client_leave();
    loop_free(world.server.loop);
    return 0;
}
