/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_fixture.h"

#define MAX_BODY (4 * MIB)

enum refuse { NEVER, IN_BEGIN, IN_DATA, WHILE_HELD };

/* What takes the uploads, and what it was told. */
static struct world {
    struct http_fixture http;
    struct http_request *request;
    struct loop_timer *timer;
    struct loop_task *soon;
    enum refuse refuse;
    uint64_t hold_every; /* bytes; 0: never */
    bool holds_forever;
    bool answers_late;
    uint64_t begun;
    uint64_t bytes;
    uint64_t held;
    uint64_t ended;
    uint64_t gone;
    uint64_t gone_ns;
    bool is_wrong; /* other bytes than were sent, or calls out of order */
} world;

static char byte_at(uint64_t i)
{
    return (char)('a' + i % 23);
}

static void refuse(struct http_request *request)
{
    struct err err;
    (void)err_set(&err, ERR_STORAGE_FULL, "no room");
    http_add_header(request, "Retry-After", "9");
    http_reply_err(request, &err);
}

static void *on_begin(struct http_request *request, void *context)
{
    assert_ptr_equal(context, &world);
    world.request = request;
    world.begun++;
    if (world.refuse != IN_BEGIN)
        return &world;
    refuse(request);
    return NULL;
}

static bool on_data(void *upload, struct slice bytes)
{
    assert_ptr_equal(upload, &world);
    world.is_wrong |= bytes.len == 0 || world.ended || world.gone;
    uint64_t before = world.bytes;
    for (size_t i = 0; i < bytes.len; i++)
        world.is_wrong |= bytes.at[i] != byte_at(world.bytes++);
    if (world.refuse == IN_DATA && world.bytes > 100000) {
        refuse(world.request);
        return true;
    }
    if (world.holds_forever)
        return false;
    if (world.hold_every == 0 || before / world.hold_every == world.bytes / world.hold_every)
        return true;
    world.held++;
    loop_task_schedule(world.soon);
    return false;
}

static void answer(void)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)world.bytes);
    http_reply(world.request, 200, "text/plain", (struct slice){text, (size_t)len});
}

static void on_end(void *upload)
{
    assert_ptr_equal(upload, &world);
    world.ended++;
    if (world.answers_late)
        loop_timer_start(world.timer, 20);
    else
        answer();
}

static void on_gone(void *upload)
{
    assert_ptr_equal(upload, &world);
    world.gone++;
    world.gone_ns = loop_now_ns();
    loop_timer_stop(world.timer);
    loop_task_unschedule(world.soon);
}

static void on_timer(void *context)
{
    (void)context;
    answer();
}

static void on_soon(void *context)
{
    (void)context;
    if (world.refuse == WHILE_HELD)
        refuse(world.request);
    else
        http_upload_resume(world.request);
}

static const struct http_upload_ops ops = {on_begin, on_data, on_end, on_gone};

static void hello(struct http_request *request, void *context)
{
    (void)context;
    http_reply(request, 200, "text/plain", slice_of("hello"));
}

static const struct http_route routes[] = {
    {"POST", "/upload", MAX_BODY, .access = HTTP_OPEN, .upload = &ops},
    {"PUT", "/upload", MAX_BODY, .access = HTTP_OPEN, .upload = &ops},
    {"GET", "/hello", 0, hello, .access = HTTP_OPEN},
    {0},
};

static int set_up(void **state)
{
    (void)state;
    world = (struct world){0};
    world.http.config.timeout_s = 1;
    world.http.config.max_body = 1000; /* not for uploads */
    http_fixture_start(&world.http, routes, &world);
    world.timer = loop_timer_new(world.http.loop, on_timer, NULL);
    world.soon = loop_task_new(world.http.loop, on_soon, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_false(world.is_wrong);
    http_server_free(world.http.server); /* first: it still tells of uploads */
    world.http.server = NULL;
    loop_timer_free(world.timer);
    loop_task_free(world.soon);
    http_fixture_stop(&world.http);
    return 0;
}

static void turn_loop_stop(void *context)
{
    loop_stop(context);
}

/* Lets the server see what the client did last. */
static void turn_loop(uint64_t ms)
{
    struct loop_timer *timer = loop_timer_new(world.http.loop, turn_loop_stop, world.http.loop);
    loop_timer_start(timer, ms);
    loop_run(world.http.loop);
    loop_timer_free(timer);
}

struct sender {
    const char *method;
    uint64_t size;
    uint64_t sends; /* of it; then it leaves; 0: all */
    size_t piece;
    unsigned pause_us;
    bool chunked;
    bool expects; /* "100 Continue", before it sends the body */
    bool is_cut;  /* the server ended before it was all sent */
    bool went_on; /* it was told to */
    struct buf answer;
};

static bool was_told_to_go_on(int socket, struct buf *answer)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char bytes[sizeof go_on - 1];
    size_t got = 0;
    while (got < sizeof bytes) {
        ssize_t count = read(socket, bytes + got, sizeof bytes - got);
        if (count <= 0)
            break;
        got += (size_t)count;
        if (memcmp(bytes, go_on, got) != 0)
            break;
    }
    if (got == sizeof bytes && memcmp(bytes, go_on, got) == 0)
        return true;
    buf_add(answer, bytes, got);
    return false;
}

static bool send_piece(int socket, const struct sender *sender, const char *piece, size_t len)
{
    char size[32];
    if (!sender->chunked)
        return client_send(socket, piece, len);
    (void)snprintf(size, sizeof size, "%zx\r\n", len);
    return client_send(socket, size, strlen(size)) && client_send(socket, piece, len) &&
           client_send(socket, "\r\n", 2);
}

static bool send_body(int socket, const struct sender *sender)
{
    char *piece = malloc(sender->piece + 1);
    uint64_t sends = sender->sends ? sender->sends : sender->size;
    bool sent = piece != NULL;
    for (uint64_t at = 0; at < sends && sent;) {
        size_t len = (size_t)MIN(sends - at, sender->piece);
        for (size_t i = 0; i < len; i++)
            piece[i] = byte_at(at + i);
        at += len;
        sent = send_piece(socket, sender, piece, len);
        if (sender->pause_us)
            (void)usleep(sender->pause_us);
    }
    free(piece);
    return sent;
}

static void upload(int socket, void *context)
{
    struct sender *sender = context;
    char head[256];
    char length[64] = "Transfer-Encoding: chunked\r\n";
    if (!sender->chunked)
        (void)snprintf(length, sizeof length, "Content-Length: %llu\r\n",
                       (unsigned long long)sender->size);
    (void)snprintf(head, sizeof head,
                   "%s /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s\r\n",
                   sender->method ? sender->method : "POST", length,
                   sender->expects ? "Expect: 100-continue\r\n" : "");
    (void)client_send(socket, head, strlen(head));
    sender->went_on = !sender->expects || was_told_to_go_on(socket, &sender->answer);
    if (sender->went_on)
        sender->is_cut = !send_body(socket, sender);
    if (sender->sends)
        return;
    if (sender->chunked && !sender->is_cut && sender->went_on)
        (void)client_send(socket, "0\r\n\r\n", 5);
    client_read(socket, &sender->answer);
}

static void run(struct sender *sender)
{
    buf_init(&sender->answer, MIB);
    world.begun = world.bytes = world.held = world.ended = world.gone = 0;
    http_fixture_client(&world.http, upload, sender);
}

static void assert_answer(struct sender *sender, int status, const char *body)
{
    assert_int_equal(answer_status(buf_text(&sender->answer)), status);
    if (body)
        assert_string_equal(answer_body(buf_text(&sender->answer)), body);
    buf_fini(&sender->answer);
}

static void every_byte_arrives_once_in_order(void **state)
{
    static const struct sender rows[] = {
        {.size = 0, .piece = 1},
        {.size = 0, .piece = 1, .chunked = true},
        {.size = 1, .piece = 1},
        {.size = 300, .piece = 1, .chunked = true},
        {.size = 100000, .piece = 1000},
        {.size = 100000, .piece = 7, .chunked = true},
        {.size = MAX_BODY, .piece = 65536},
        {.size = MAX_BODY, .piece = 65536, .chunked = true},
        {.size = 500000, .piece = 5000, .method = "PUT"},
        {.size = 500000, .piece = 5000, .expects = true},
        {.size = 500000, .piece = 5000, .expects = true, .chunked = true},
    };
    static const uint64_t holds[] = {0, 1, 1000, 100000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(holds) * 2; i++) {
        struct sender sender = rows[i / 2 / ARRAY_LEN(holds)];
        world.hold_every = holds[i / 2 % ARRAY_LEN(holds)];
        world.answers_late = i % 2;
        run(&sender);
        char body[32];
        (void)snprintf(body, sizeof body, "%llu", (unsigned long long)sender.size);
        assert_true(sender.went_on);
        assert_answer(&sender, 200, body);
        assert_int_equal(world.begun, 1);
        assert_int_equal(world.ended, 1);
        assert_int_equal(world.gone, 0);
        assert_true(world.hold_every == 0 || world.held > 0 || sender.size < world.hold_every);
    }
}

static void a_connection_goes_on_after_an_upload(void **state)
{
    (void)state;
    const char *both = http_fixture_ask(
        &world.http, "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
                     "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_int_equal(answer_status(both), 200);
    assert_non_null(strstr(both, "\r\n\r\n3HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(both, "\r\n\r\nhello"));
}

static void what_is_declared_too_large_never_begins(void **state)
{
    (void)state;
    for (int expects = 0; expects < 2; expects++) {
        struct sender sender = {
            .size = MAX_BODY + 1, .piece = 65536, .sends = 0, .expects = expects == 1};
        run(&sender);
        assert_int_equal(sender.went_on, expects == 0);
        assert_answer(&sender, 413, NULL);
        assert_int_equal(world.begun, 0);
    }
}

static void what_turns_out_too_large_is_told_at_once(void **state)
{
    (void)state;
    for (uint64_t hold = 0; hold <= 100000; hold += 100000) {
        struct sender sender = {.size = 3 * MAX_BODY, .piece = 65536, .chunked = true};
        world.hold_every = hold;
        run(&sender);
        assert_true(strstr(buf_text(&sender.answer), "over the limit of 4194304 bytes"));
        assert_answer(&sender, 413, NULL);
        assert_int_equal(world.gone, 1);
        assert_int_equal(world.ended, 0);
        assert_true(world.bytes <= MAX_BODY);
    }
}

static void an_upload_is_refused_at_any_moment(void **state)
{
    static const struct sender rows[] = {
        {.size = 150000, .piece = 1000},
        {.size = 150000, .piece = 1000, .chunked = true},
        {.size = MAX_BODY, .piece = 65536},
        {.size = MAX_BODY, .piece = 65536, .chunked = true},
        {.size = 150000, .piece = 1000, .expects = true},
    };
    (void)state;
    char value[256];
    world.hold_every = 100000;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (world.refuse = IN_BEGIN; world.refuse <= WHILE_HELD; world.refuse++) {
            struct sender sender = rows[i];
            run(&sender);
            assert_string_equal(answer_header(buf_text(&sender.answer), "Retry-After", value), "9");
            assert_string_equal(answer_header(buf_text(&sender.answer), "Connection", value),
                                "close");
            assert_answer(&sender, 507, "{\"error\":\"no room\",\"code\":\"storage_full\"}");
            assert_int_equal(world.begun, 1);
            assert_int_equal(world.ended + world.gone, 0);
        }
    }
    turn_loop(20);
    world.refuse = NEVER;
    struct sender next = {.size = 10, .piece = 10};
    run(&next);
    assert_answer(&next, 200, "10");
}

static void who_takes_it_learns_that_the_client_left(void **state)
{
    static const struct {
        bool chunked;
        bool holds_forever;
        bool answers_late;
        uint64_t size;
        uint64_t sends;
    } rows[] = {
        {false, false, false, 1000, 500},    {true, false, false, 1000, 500},
        {false, true, false, 1000, 500},     {true, true, false, MAX_BODY, 30000},
        {false, true, false, 100000, 50000}, {false, false, true, 1000, 1000},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sender sender = {.size = rows[i].size,
                                .sends = rows[i].sends,
                                .piece = 10000,
                                .chunked = rows[i].chunked};
        world.holds_forever = rows[i].holds_forever;
        world.answers_late = rows[i].answers_late;
        run(&sender);
        turn_loop(1500); /* who is held is looked after once a second */
        assert_int_equal(world.begun, 1);
        assert_int_equal(world.gone, 1);
        buf_fini(&sender.answer);
    }
}

static void a_slow_body_is_cut_and_a_steady_one_is_not(void **state)
{
    (void)state;
    struct sender slow = {.size = 100000, .piece = 500, .pause_us = 200000};
    uint64_t before = loop_now_ns();
    run(&slow);
    assert_answer(&slow, 408, NULL);
    assert_int_equal(world.gone, 1);
    assert_true(loop_now_ns() - before < 10 * NS_PER_S);
    struct sender steady = {.size = 300000, .piece = 5000, .pause_us = 50000}; /* 3 s */
    run(&steady);
    assert_answer(&steady, 200, "300000");
    steady.chunked = true;
    world.hold_every = 100000;
    run(&steady);
    assert_answer(&steady, 200, "300000");
}

static void a_held_client_is_not_called_slow(void **state)
{
    (void)state;
    world.holds_forever = true;
    struct sender sender = {.size = 1000, .piece = 1000, .sends = 999, .pause_us = 2500000};
    uint64_t before = loop_now_ns();
    run(&sender);
    turn_loop(1500);
    assert_int_equal(world.gone, 1); /* when it left */
    assert_true(world.gone_ns - before > 2400 * NS_PER_MS);
    buf_fini(&sender.answer);
}

static void malformed_chunks_end_it(void **state)
{
    static const char *const rows[] = {"x\r\nabc\r\n", "3\r\nabcd\r\n0\r\n\r\n",
                                       "fffffffffffffffff\r\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char request[256];
        (void)snprintf(request, sizeof request,
                       "POST /upload HTTP/1.1\r\nHost: localhost\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n%s",
                       rows[i]);
        world.gone = world.ended = world.bytes = 0;
        int status = answer_status(http_fixture_ask(&world.http, request));
        assert_true(status == 400 || status == 413);
        turn_loop(20);
        assert_int_equal(world.gone, 1);
    }
}

static int connected(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(world.http.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void the_end_of_the_server_ends_uploads(void **state)
{
    static const char half[] = "POST /upload HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Length: 6\r\n\r\nabc";
    (void)state;
    for (int held = 0; held < 2; held++) {
        int fd = connected();
        world.gone = world.bytes = 0;
        world.holds_forever = held;
        assert_true(client_send(fd, half, sizeof half - 1));
        turn_loop(50);
        assert_int_equal(world.bytes, 3);
        assert_int_equal(world.gone, 0);
        assert_int_equal(tear_down(NULL), 0);
        assert_int_equal(world.gone, 1);
        (void)close(fd);
        (void)set_up(NULL);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_byte_arrives_once_in_order),
        TEST(a_connection_goes_on_after_an_upload),
        TEST(what_is_declared_too_large_never_begins),
        TEST(what_turns_out_too_large_is_told_at_once),
        TEST(an_upload_is_refused_at_any_moment),
        TEST(who_takes_it_learns_that_the_client_left),
        TEST(a_slow_body_is_cut_and_a_steady_one_is_not),
        TEST(a_held_client_is_not_called_slow),
        TEST(malformed_chunks_end_it),
        TEST(the_end_of_the_server_ends_uploads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
