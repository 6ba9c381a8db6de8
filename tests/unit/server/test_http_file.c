/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_fixture.h"

#define ETAG "\"9f86d081\""

static struct world {
    struct http_fixture http;
    struct http_request *waiting; /* answered by a timer */
    struct loop_timer *timer;
    uint64_t size;
    int fd; /* that was served last */
    atomic_bool closed;
} world;

/* "0123456789", or as many zeros as asked for. */
static int file_of(uint64_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_true(fd >= 0);
    if (size == 10)
        assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

static void serve(struct http_request *request, void *context)
{
    (void)context;
    http_add_header(request, "Content-Disposition", "attachment");
    world.fd = file_of(world.size);
    http_reply_file(request, "text/x-ten", ETAG, world.fd, world.size);
}

static void on_timer(void *context)
{
    serve(world.waiting, context);
}

static void serve_later(struct http_request *request, void *context)
{
    (void)context;
    world.waiting = request;
    loop_timer_start(world.timer, 5);
}

static const struct http_route routes[] = {
    {"GET", "/file", 0, serve, .access = HTTP_OPEN},
    {"GET", "/later", 0, serve_later, .access = HTTP_OPEN},
    {0},
};

static int set_up(void **state)
{
    (void)state;
    world = (struct world){.size = 10};
    world.http.config.timeout_s = 1;
    http_fixture_start(&world.http, routes, &world);
    world.timer = loop_timer_new(world.http.loop, on_timer, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_timer_free(world.timer);
    http_fixture_stop(&world.http);
    return 0;
}

/* What a GET with these headers is answered. */
struct answer_row {
    const char *headers;
    int status;
    const char *body;
    const char *content_range;
};

static void check_answers(const struct answer_row *rows, size_t count)
{
    char value[256];
    for (size_t i = 0; i < count; i++) {
        const char *answer = http_fixture_get(&world.http, "GET /file", rows[i].headers);
        assert_int_equal(answer_status(answer), rows[i].status);
        assert_string_equal(answer_body(answer), rows[i].body);
        assert_string_equal(answer_header(answer, "Content-Range", value), rows[i].content_range);
        assert_string_equal(answer_header(answer, "ETag", value), ETAG);
        assert_string_equal(answer_header(answer, "X-Content-Type-Options", value), "nosniff");
        assert_string_equal(answer_header(answer, "Content-Disposition", value), "attachment");
        if (rows[i].status == 200 || rows[i].status == 206) {
            assert_string_equal(answer_header(answer, "Content-Type", value), "text/x-ten");
            assert_string_equal(answer_header(answer, "Accept-Ranges", value), "bytes");
        }
        answer = http_fixture_get(&world.http, "GET /later", rows[i].headers);
        assert_int_equal(answer_status(answer), rows[i].status);
        assert_string_equal(answer_body(answer), rows[i].body);
    }
}

static void a_range_is_a_part_of_a_file(void **state)
{
    static const struct answer_row rows[] = {
        {"", 200, "0123456789", ""},
        {"Range: bytes=0-0\r\n", 206, "0", "bytes 0-0/10"},
        {"Range: bytes=2-4\r\n", 206, "234", "bytes 2-4/10"},
        {"Range: bytes=0-\r\n", 206, "0123456789", "bytes 0-9/10"},
        {"Range: bytes=9-\r\n", 206, "9", "bytes 9-9/10"},
        {"Range: bytes=7-99\r\n", 206, "789", "bytes 7-9/10"},
        {"Range: bytes=7-99999999999999999999999\r\n", 206, "789", "bytes 7-9/10"},
        {"Range: bytes=-3\r\n", 206, "789", "bytes 7-9/10"},
        {"Range: bytes=-99\r\n", 206, "0123456789", "bytes 0-9/10"},
        {"Range: BYTES=1-1\r\n", 206, "1", "bytes 1-1/10"},
        {"Range: bytes=10-\r\n", 416, "", "bytes */10"},
        {"Range: bytes=10-12\r\n", 416, "", "bytes */10"},
        {"Range: bytes=99999999999999999999999-\r\n", 416, "", "bytes */10"},
        {"Range: bytes=-0\r\n", 416, "", "bytes */10"},
        /* what we do not understand is as if it were not there */
        {"Range: bytes=0-1,3-4\r\n", 200, "0123456789", ""},
        {"Range: bytes=4-2\r\n", 200, "0123456789", ""},
        {"Range: bytes=\r\n", 200, "0123456789", ""},
        {"Range: bytes=-\r\n", 200, "0123456789", ""},
        {"Range: bytes=--1\r\n", 200, "0123456789", ""},
        {"Range: bytes=1\r\n", 200, "0123456789", ""},
        {"Range: bytes=+1-2\r\n", 200, "0123456789", ""},
        {"Range: bytes= 1-2\r\n", 200, "0123456789", ""},
        {"Range: bytes=1-2x\r\n", 200, "0123456789", ""},
        {"Range: bytes=0x1-2\r\n", 200, "0123456789", ""},
        {"Range: lines=1-2\r\n", 200, "0123456789", ""},
        {"Range: \r\n", 200, "0123456789", ""},
    };
    (void)state;
    check_answers(rows, ARRAY_LEN(rows));
}

static void a_range_of_another_file_is_the_whole_one(void **state)
{
    static const struct answer_row rows[] = {
        {"Range: bytes=1-1\r\nIf-Range: " ETAG "\r\n", 206, "1", "bytes 1-1/10"},
        {"Range: bytes=1-1\r\nIf-Range: \"other\"\r\n", 200, "0123456789", ""},
        {"Range: bytes=1-1\r\nIf-Range: W/" ETAG "\r\n", 200, "0123456789", ""},
        {"Range: bytes=99-\r\nIf-Range: \"other\"\r\n", 200, "0123456789", ""},
        {"Range: bytes=1-1\r\nIf-Range: Sat, 29 Oct 1994 19:43:31 GMT\r\n", 200, "0123456789", ""},
    };
    (void)state;
    check_answers(rows, ARRAY_LEN(rows));
}

static void what_the_client_has_is_not_sent(void **state)
{
    static const struct answer_row rows[] = {
        {"If-None-Match: " ETAG "\r\n", 304, "", ""},
        {"If-None-Match: W/" ETAG "\r\n", 304, "", ""},
        {"If-None-Match: *\r\n", 304, "", ""},
        {"If-None-Match: \"a\", W/\"b,c\" ,, " ETAG "\r\n", 304, "", ""},
        {"If-None-Match: \"a\"\r\nIf-None-Match: " ETAG "\r\n", 304, "", ""},
        {"If-None-Match: " ETAG "\r\nRange: bytes=99-\r\n", 304, "", ""},
        {"If-None-Match: \"a\"\r\n", 200, "0123456789", ""},
        {"If-None-Match: 9f86d081\r\n", 200, "0123456789", ""},
        {"If-None-Match: \"9f86d081\r\n", 200, "0123456789", ""},
        {"If-None-Match: \"\"\r\n", 200, "0123456789", ""},
        {"If-None-Match: \r\n", 200, "0123456789", ""},
        {"If-None-Match: W/\r\n", 200, "0123456789", ""},
    };
    (void)state;
    check_answers(rows, ARRAY_LEN(rows));
}

static void a_head_is_the_whole_files(void **state)
{
    (void)state;
    char value[256];
    const char *answer = http_fixture_get(&world.http, "HEAD /file", "Range: bytes=1-2\r\n");
    assert_int_equal(answer_status(answer), 200);
    assert_string_equal(answer_body(answer), "");
    assert_string_equal(answer_header(answer, "Content-Length", value), "10");
    answer = http_fixture_get(&world.http, "HEAD /file", "If-None-Match: *\r\n");
    assert_int_equal(answer_status(answer), 304);
}

static void an_empty_file_has_no_parts(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } rows[] = {{"", 200}, {"Range: bytes=0-\r\n", 416}, {"Range: bytes=-5\r\n", 416}};
    (void)state;
    char value[256];
    world.size = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *answer = http_fixture_get(&world.http, "GET /file", rows[i].headers);
        assert_int_equal(answer_status(answer), rows[i].status);
        assert_string_equal(answer_header(answer, "Content-Length", value), "0");
    }
}

static void one_connection_takes_several_answers(void **state)
{
    (void)state;
    const char *answer = http_fixture_ask(
        &world.http, "GET /file HTTP/1.1\r\nHost: localhost\r\nRange: bytes=1-2\r\n\r\n"
                     "GET /file HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\n\r\n"
                     "GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_int_equal(answer_status(answer), 206);
    const char *second = strstr(answer + 1, "HTTP/1.1 ");
    assert_int_equal(answer_status(second), 304);
    const char *third = strstr(second + 1, "HTTP/1.1 ");
    assert_int_equal(answer_status(third), 200);
    assert_string_equal(answer_body(third), "0123456789");
}

struct reader {
    int buffer; /* the kernel's */
    size_t piece;
    unsigned pause_us;
    uint64_t until; /* bytes; then it leaves */
    uint64_t got;
};

static void read_slowly(int socket, void *context)
{
    static const char request[] = "GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char bytes[65536];
    struct reader *reader = context;
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &reader->buffer, sizeof reader->buffer);
    (void)client_send(socket, request, sizeof request - 1);
    while (reader->got < reader->until) {
        ssize_t count = recv(socket, bytes, reader->piece, 0);
        if (count <= 0)
            return;
        reader->got += (uint64_t)count;
        (void)usleep(reader->pause_us);
    }
}

static void a_client_that_goes_on_may_take_longer_than_the_timeout(void **state)
{
    (void)state;
    world.size = 64 * MIB;
    struct reader steady = {1 << 18, 16384, 50000, 900000, 0}; /* some 3 s */
    http_fixture_client(&world.http, read_slowly, &steady);
    assert_true(steady.got >= steady.until);
}

static void look_whether_it_is_closed(void *context)
{
    (void)context;
    if (fcntl(world.fd, F_GETFD) < 0)
        atomic_store(&world.closed, true);
    else
        loop_timer_start(world.timer, 50);
}

/* What is on its way in the kernel comes still, as slowly. */
static void read_until_it_is_closed(int socket, void *context)
{
    struct reader *reader = context;
    while (!atomic_load(&world.closed)) {
        reader->until = reader->got + 1;
        if (reader->got == 0)
            read_slowly(socket, reader);
        char bytes[600];
        ssize_t count = recv(socket, bytes, sizeof bytes, 0);
        reader->got += count > 0 ? (uint64_t)count : 0;
        (void)usleep(200000);
    }
}

static void a_client_that_hardly_takes_anything_is_cut(void **state)
{
    (void)state;
    world.size = 64 * MIB;
    world.fd = STDIN_FILENO;
    loop_timer_free(world.timer);
    world.timer = loop_timer_new(world.http.loop, look_whether_it_is_closed, NULL);
    loop_timer_start(world.timer, 50);
    struct reader slow = {8192, 600, 0, 1, 0}; /* 3 kB/s */
    uint64_t before = loop_now_ns();
    http_fixture_client(&world.http, read_until_it_is_closed, &slow);
    assert_true(slow.got > 0);
    assert_true(loop_now_ns() - before < 20 * NS_PER_S);
}

static void a_client_that_leaves_ends_it(void **state)
{
    (void)state;
    world.size = 64 * MIB;
    for (int i = 0; i < 5; i++) {
        struct reader hasty = {1 << 18, 65536, 0, 300000, 0};
        http_fixture_client(&world.http, read_slowly, &hasty);
        assert_true(hasty.got >= hasty.until);
    }
    world.size = 10;
    assert_int_equal(answer_status(http_fixture_get(&world.http, "GET /file", "")), 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_range_is_a_part_of_a_file),
        TEST(a_range_of_another_file_is_the_whole_one),
        TEST(what_the_client_has_is_not_sent),
        TEST(a_head_is_the_whole_files),
        TEST(an_empty_file_has_no_parts),
        TEST(one_connection_takes_several_answers),
        TEST(a_client_that_goes_on_may_take_longer_than_the_timeout),
        TEST(a_client_that_hardly_takes_anything_is_cut),
        TEST(a_client_that_leaves_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
