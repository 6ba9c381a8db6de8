/* SPDX-License-Identifier: MIT */
/* A file that is sent and fetched, as a service does it: memory does not grow with it.
 *
 *     test_server_http_bulk 1024     MiB; prints what it took
 */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "http_fixture.h"
#include "os/fd.h"
#include "store/content.h"

#define GROWTH_MAX (16 * MIB)
#define ID "file_bulk"

static uint64_t size = 64 * MIB;

static struct world {
    struct http_fixture http;
    char path[32];
    int folder;
    struct http_request *request;
    struct content_writer *writer;
    uint64_t fetched;
} world;

/* --- the service --- */

static void on_room(void *context)
{
    (void)context;
    http_upload_resume(world.request);
}

static void on_written(void *context, const struct content *content, const struct err *err)
{
    (void)context;
    world.writer = NULL;
    if (err)
        http_reply_err(world.request, err);
    else
        http_reply(world.request, content->size == size ? 201 : 500, NULL, (struct slice){0});
}

static void *on_begin(struct http_request *request, void *context)
{
    static const struct content_writer_events events = {on_room, on_written};
    struct err err;
    world.request = request;
    world.writer =
        content_writer_new(world.http.loop, world.folder, ID, size, &events, context, &err);
    if (world.writer)
        return &world;
    http_reply_err(request, &err);
    return NULL;
}

static bool on_data(void *upload, struct slice bytes)
{
    (void)upload;
    return content_writer_add(world.writer, bytes);
}

static void on_end(void *upload)
{
    (void)upload;
    content_writer_finish(world.writer);
}

static void on_gone(void *upload)
{
    (void)upload;
    content_writer_abort(world.writer);
}

static const struct http_upload_ops ops = {on_begin, on_data, on_end, on_gone};

static void fetch(struct http_request *request, void *context)
{
    (void)context;
    http_reply_file(request, "application/octet-stream", "\"x\"", content_open(world.folder, ID),
                    size);
}

static const struct http_route routes[] = {
    {"POST", "/file", SIZE_MAX / 2, .access = HTTP_OPEN, .upload = &ops},
    {"GET", "/file", 0, fetch, .access = HTTP_OPEN},
    {0},
};

/* --- the client --- */

static void send_file(int socket, void *context)
{
    static char bytes[65536];
    struct buf *answer = context;
    char head[128];
    (void)snprintf(head, sizeof head,
                   "POST /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   "Content-Length: %llu\r\n\r\n",
                   (unsigned long long)size);
    (void)client_send(socket, head, strlen(head));
    for (uint64_t sent = 0; sent < size; sent += sizeof bytes)
        (void)client_send(socket, bytes, sizeof bytes);
    client_read(socket, answer);
}

static void fetch_file(int socket, void *context)
{
    static const char head[] = "GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static char bytes[65536];
    (void)context;
    (void)client_send(socket, head, sizeof head - 1);
    for (ssize_t count = 1; count > 0; world.fetched += count > 0 ? (uint64_t)count : 0)
        count = read(socket, bytes, sizeof bytes);
}

/* --- */

/* The most that was ever resident. */
static uint64_t resident_peak(void)
{
    char text[4096];
    assert_true(fd_read_text_at(AT_FDCWD, "/proc/self/status", text, sizeof text) > 0);
    const char *line = strstr(text, "VmHWM:");
    assert_non_null(line);
    return strtoull(line + strlen("VmHWM:"), NULL, 10) * KIB;
}

static void say(const char *what, uint64_t started_ns, uint64_t peak)
{
    double seconds = (double)(loop_now_ns() - started_ns) / (double)NS_PER_S;
    print_message("# %s: %llu MiB in %.2f s, %.0f MB/s, resident +%llu KiB\n", what,
                  (unsigned long long)(size / MIB), seconds, (double)size / 1e6 / seconds,
                  (unsigned long long)((resident_peak() - peak) / KIB));
}

static void a_file_goes_in_and_out_in_constant_memory(void **state)
{
    (void)state;
    (void)snprintf(world.path, sizeof world.path, "/tmp/runnel-bulk.XXXXXX");
    assert_non_null(mkdtemp(world.path));
    world.folder = open(world.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    http_fixture_start(&world.http, routes, &world);
    uint64_t peak = resident_peak();
    uint64_t started_ns = loop_now_ns();
    http_fixture_client(&world.http, send_file, &world.http.answer);
    assert_int_equal(answer_status(buf_text(&world.http.answer)), 201);
    say("upload", started_ns, peak);
    started_ns = loop_now_ns();
    http_fixture_client(&world.http, fetch_file, NULL);
    assert_true(world.fetched > size && world.fetched < size + KIB); /* and its head */
    say("download", started_ns, peak);
#ifndef RUNNEL_SANITIZED /* which keeps what is freed */
    assert_true(resident_peak() - peak < GROWTH_MAX);
#endif
    http_fixture_stop(&world.http);
    assert_int_equal(content_remove(world.folder, ID), 0);
    (void)close(world.folder);
    assert_int_equal(rmdir(world.path), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_goes_in_and_out_in_constant_memory),
    };
    uint64_t mib;
    if (argc > 1 && parse_u64(argv[1], &mib) == 0)
        size = mib * MIB;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
