/* SPDX-License-Identifier: MIT */
/* A form of POST /v1/files through a real server, its disk and its store played. A letter, the
 * Content-Type up to a newline, the body. The letter: 'c' in chunks, 'H' by a disk that is
 * behind, 'F' by one that is full, 'S' by a store that refuses, 'L' by a client that leaves.
 * It is answered once, unless it left, and nothing stays that nobody knows of. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dialect/files.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "store/content.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { QUIET_TURNS = 10, FILE_MAX = 4096, HEARD_MAX = 4096, TYPE_MAX = 1024, CHUNK = 7 };

struct content_writer {
    const struct content_writer_events *events;
    void *context;
    uint64_t size;
    bool is_behind;
    bool is_finished;
};

static struct world {
    struct loop *loop;
    struct http_server *server;
    struct loop_task *turn;
    unsigned quiet; /* turns of the loop since something came */
    char letter;
    struct content_writer *writer;
    const struct store_file *row; /* that the store is asked to take */
    store_done_fn *done;
    void *done_context;
    unsigned stored; /* rows */
    int client;
    struct loop_watch *watch;
    char heard[HEARD_MAX + 1];
    size_t heard_len;
} world;

/* ---- the disk ---- */

/* NOLINTNEXTLINE(readability-function-size): the parameters are content.h's */
struct content_writer *content_writer_new(struct loop *loop, int folder, const char *id,
                                          uint64_t max_size,
                                          const struct content_writer_events *events, void *context,
                                          struct err *err)
{
    (void)loop, (void)folder, (void)err;
    assert(!world.writer && strncmp(id, "file_", 5) == 0 && max_size == FILE_MAX);
    world.writer = calloc(1, sizeof *world.writer);
    assert(world.writer);
    *world.writer = (struct content_writer){.events = events, .context = context};
    return world.writer;
}

bool content_writer_add(struct content_writer *writer, struct slice bytes)
{
    assert(writer == world.writer && !writer->is_finished);
    writer->size += bytes.len;
    assert(writer->size <= FILE_MAX);
    writer->is_behind = writer->is_behind || world.letter == 'H';
    return !writer->is_behind;
}

void content_writer_finish(struct content_writer *writer)
{
    assert(writer == world.writer && !writer->is_finished);
    writer->is_finished = true;
}

void content_writer_abort(struct content_writer *writer)
{
    assert(writer == world.writer);
    world.writer = NULL;
    free(writer);
}

int content_remove(int folder, const char *id)
{
    (void)folder, (void)id;
    return 0;
}

static bool disk_goes_on(void)
{
    struct content_writer *writer = world.writer;
    if (!writer || (!writer->is_behind && !writer->is_finished))
        return false;
    if (writer->is_behind) {
        writer->is_behind = false;
        writer->events->room(writer->context);
        return true;
    }
    struct err full;
    (void)err_set(&full, ERR_STORAGE_FULL, "the disk is full");
    const struct content content = {.size = writer->size};
    world.writer = NULL;
    writer->events->written(writer->context, &content, world.letter == 'F' ? &full : NULL);
    free(writer);
    return true;
}

/* ---- the store ---- */

int store_files_folder(const struct store *store)
{
    (void)store;
    return -1;
}

void store_file_add(struct store *store, const struct store_file *file, store_done_fn *done,
                    void *context)
{
    (void)store;
    assert(!world.row && file->size <= FILE_MAX && file->name[0]);
    world.row = file;
    world.done = done;
    world.done_context = context;
}

void store_file_remove(struct store *store, const char *id, store_done_fn *done, void *context)
{
    (void)store, (void)id, (void)done, (void)context;
    assert(world.stored == 1);
    world.stored--;
}

static bool store_goes_on(void)
{
    struct err refused;
    if (!world.row)
        return false;
    world.row = NULL;
    (void)err_set(&refused, ERR_UNAVAILABLE, "the store takes nothing");
    world.stored += world.letter != 'S';
    world.done(world.done_context, world.letter == 'S' ? &refused : NULL);
    return true;
}

/* ---- the client ---- */

static void on_turn(void *context)
{
    (void)context;
    if (disk_goes_on() || store_goes_on())
        world.quiet = 0;
    if (++world.quiet < QUIET_TURNS)
        loop_task_schedule(world.turn);
    else
        loop_stop(world.loop);
}

static void turn(void)
{
    world.quiet = 0;
    loop_task_schedule(world.turn);
    loop_run(world.loop);
}

static void on_readable(void *context, unsigned ready)
{
    (void)context, (void)ready;
    ssize_t got = recv(world.client, world.heard + world.heard_len, HEARD_MAX - world.heard_len,
                       MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* and so for ever */
        loop_watch_set(world.watch, 0);
        return;
    }
    world.quiet = 0;
    world.heard_len += (size_t)got;
}

static void come(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(world.server, 0)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger at_once = {1, 0}; /* or its port would rest for a minute */
    world.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = connect(world.client, (struct sockaddr *)&address, sizeof address);
    assert(rc == 0);
    (void)setsockopt(world.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    world.heard_len = 0;
    world.watch = loop_watch_new(world.loop, world.client, LOOP_READ, on_readable, NULL);
}

static void leave(void)
{
    loop_watch_free(world.watch);
    (void)close(world.client);
    turn();
}

static void say(const void *bytes, size_t len)
{
    (void)send(world.client, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say_head(struct slice type, size_t len)
{
    char head[TYPE_MAX + 256];
    bool chunked = world.letter == 'c';
    int size =
        snprintf(head, sizeof head,
                 "POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: %.*s\r\n"
                 "%s%zu\r\n\r\n",
                 (int)type.len, type.at,
                 chunked ? "Transfer-Encoding: chunked\r\nX-Length: " : "Content-Length: ", len);
    say(head, (size_t)size);
}

static void say_body(struct slice body)
{
    char size[16];
    if (world.letter != 'c') {
        say(body.at, world.letter == 'L' ? body.len / 2 : body.len);
        turn();
        return;
    }
    for (size_t at = 0; at < body.len; at += CHUNK) {
        size_t len = MIN(body.len - at, (size_t)CHUNK);
        say(size, (size_t)snprintf(size, sizeof size, "%zx\r\n", len));
        say(body.at + at, len);
        say("\r\n", 2);
    }
    say("0\r\n\r\n", 5);
    turn();
}

static void look_at_answer(void)
{
    world.heard[world.heard_len] = '\0';
    assert(strncmp(world.heard, "HTTP/1.1 ", MIN(world.heard_len, (size_t)9)) == 0);
    if (world.letter == 'L')
        return;
    int status = (int)strtol(world.heard + MIN(world.heard_len, (size_t)9), NULL, 10);
    assert(world.heard_len > 0 && status != 500);
    assert((status == 200) == (world.stored == 1));
}

/* ---- one input ---- */

static void ignore_line(const char *line, unsigned long len)
{
    (void)line, (void)len;
}

static void set_up(void)
{
    static const struct http_route routes[] = {
        {"POST", "/v1/files", MIB, NULL, NULL, HTTP_OPEN, &files_upload_ops}, {0}};
    static const struct http_listener listener = {"127.0.0.1", 0, NULL};
    static struct files files = {.max_bytes = FILE_MAX};
    static const struct http_mount mount = {FILES_NAME, routes, &files};
    static const struct http_config config = {.listeners = &listener,
                                              .listener_count = 1,
                                              .mounts = &mount,
                                              .mount_count = 1,
                                              .max_connections = 1024,
                                              .timeout_s = 60};
    struct err err = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    log_set_sink(ignore_line);
    world.loop = loop_new();
    files.loop = world.loop;
    world.server = http_server_new(world.loop, &config, &err);
    int rc = world.server ? http_server_start(world.server, &err) : -1;
    assert(rc == 0);
    world.turn = loop_task_new(world.loop, on_turn, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    const char *newline = size > 0 ? memchr(text, '\n', MIN(size, (size_t)TYPE_MAX)) : NULL;
    if (!newline || newline == text)
        return 0;
    if (!world.loop)
        set_up();
    struct slice body = {newline + 1, size - (size_t)(newline + 1 - text)};
    world.letter = text[0];
    world.stored = 0;
    come();
    say_head((struct slice){text + 1, (size_t)(newline - text - 1)}, body.len);
    say_body(body);
    look_at_answer();
    leave();
    assert(!world.writer && !world.row);
    return 0;
}
