/* SPDX-License-Identifier: MIT */
/* How long a silent client is kept. Linked so that loop_timer_start is ours (meson.build):
 * once a socket is open, the times run faster; the sockets and the loop are the real ones. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "http_fixture.h"
#include "server/websocket.h"

enum {
    FASTER = 25,
    SILENCE_MS = 25000 / FASTER, /* until the ping, and from there to the end */
    PATIENCE_S = 20,             /* ten times what any of it takes */
    PINGS_MAX = 3,
};

/* Opcodes, with the bit of a last frame. */
enum { TEXT = 0x81, CLOSE = 0x88, PING = 0x89, PONG = 0x8A };

static struct world {
    struct http_fixture http;
    struct websocket *socket;
    bool is_fast;
    bool closes;   /* at the first message, … */
    uint16_t code; /* … with this; 0: with none */
    int messages;
    int closed;
} world;

void __real_loop_timer_start(struct loop_timer *timer, uint64_t ms);
void __wrap_loop_timer_start(struct loop_timer *timer, uint64_t ms);

void __wrap_loop_timer_start(struct loop_timer *timer, uint64_t ms)
{
    __real_loop_timer_start(timer, world.is_fast ? ms / FASTER : ms);
}

/* --- the server's side --- */

static void on_message(void *context, enum websocket_kind kind, struct slice payload)
{
    (void)context;
    (void)kind;
    (void)payload;
    world.messages++;
    if (world.closes)
        websocket_close(world.socket, world.code, "");
}

static void on_closed(void *context)
{
    (void)context;
    world.closed++;
}

static void open_socket(struct http_request *request, void *context)
{
    static const struct websocket_ops ops = {.message = on_message, .closed = on_closed};
    (void)context;
    world.is_fast = true;
    world.socket =
        websocket_accept(request, &(struct websocket_config){.message_max = 1000, .ops = &ops});
}

static const struct http_route routes[] = {
    {"GET", "/socket", 0, open_socket, .access = HTTP_OPEN},
    {0},
};

static int set_up(void **state)
{
    (void)state;
    world = (struct world){0};
    http_fixture_start(&world.http, routes, &world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_fixture_stop(&world.http);
    return 0;
}

/* --- the client's --- */

struct visit {
    unsigned char answer; /* to each ping; 0: none */
    bool speaks;          /* first, a message */
    int pings;
    bool was_told; /* a Close came, … */
    size_t told;   /* … with so many bytes */
    bool is_cut;   /* the server ended it */
    uint64_t ms;
};

static bool get(int socket, void *bytes, size_t size)
{
    return size == 0 || recv(socket, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

/* An empty one. Those of clients are masked, with nothing here. */
static void put_frame(int socket, unsigned char opcode)
{
    const unsigned char frame[] = {opcode, 0x80, 0, 0, 0, 0};
    (void)client_send(socket, frame, sizeof frame);
}

static bool shake_hands(int socket)
{
    static const char request[] =
        "GET /socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    static const char end[] = "\r\n\r\n";
    size_t seen = 0;
    char byte = 0;
    (void)client_send(socket, request, sizeof request - 1);
    while (seen < sizeof end - 1 && get(socket, &byte, 1))
        seen = byte == end[seen] ? seen + 1 : byte == end[0];
    return seen == sizeof end - 1;
}

static void be_visitor(int socket, void *context)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct visit *visit = context;
    unsigned char head[2];
    unsigned char payload[125];
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    uint64_t before = loop_now_ns();
    if (!shake_hands(socket))
        return;
    if (visit->speaks)
        put_frame(socket, TEXT);
    while (visit->pings < PINGS_MAX) {
        ssize_t got = recv(socket, head, sizeof head, MSG_WAITALL);
        visit->is_cut = got == 0;
        visit->ms = (loop_now_ns() - before) / NS_PER_MS;
        if (got != sizeof head || !get(socket, payload, head[1]))
            return;
        visit->was_told |= head[0] == CLOSE;
        visit->told += head[0] == CLOSE ? head[1] : 0;
        visit->pings += head[0] == PING;
        if (head[0] == PING && visit->answer)
            put_frame(socket, visit->answer);
    }
}

/* --- the tests --- */

static void who_answers_no_ping_is_cut_off(void **state)
{
    (void)state;
    struct visit visit = {0};
    http_fixture_client(&world.http, be_visitor, &visit);
    assert_int_equal(visit.pings, 1);
    assert_true(visit.is_cut);
    assert_in_range(visit.ms, 2 * SILENCE_MS - 100, 1000 * PATIENCE_S);
    assert_int_equal(world.closed, 1);
}

static void who_answers_stays(void **state)
{
    (void)state;
    static const unsigned char answers[] = {PONG, PING, TEXT};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct visit visit = {.answer = answers[i]};
        world.is_fast = false;
        http_fixture_client(&world.http, be_visitor, &visit);
        assert_int_equal(visit.pings, PINGS_MAX);
        assert_false(visit.is_cut);
    }
    assert_in_range(world.messages, PINGS_MAX - 1, PINGS_MAX);
}

static void who_answers_no_close_is_cut_off(void **state)
{
    (void)state;
    static const uint16_t codes[] = {WEBSOCKET_DONE, 0};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct visit visit = {.speaks = true};
        world.is_fast = false;
        world.closes = true;
        world.code = codes[i];
        http_fixture_client(&world.http, be_visitor, &visit);
        assert_true(visit.was_told);
        assert_int_equal(visit.told, codes[i] != 0 ? sizeof codes[i] : 0);
        assert_true(visit.is_cut);
        assert_int_equal(visit.pings, 0);
        assert_int_equal(world.closed, i + 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_answers_no_ping_is_cut_off),
        TEST(who_answers_stays),
        TEST(who_answers_no_close_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
