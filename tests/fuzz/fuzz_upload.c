/* SPDX-License-Identifier: MIT */
/* A form of POST /v1/files through a real server, its disk and its store played. A letter, the
 * Content-Type up to a newline, the body. The letter: 'c' in chunks, 'H' by a disk that is
 * behind, 'F' by one that is full, 'S' by a store that refuses, 'L' by a client that leaves.
 * It is answered once, unless it left, and nothing stays that nobody knows of. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/files.h"
#include "loopback.h"
#include "store/content.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FILE_MAX = 4096, TYPE_MAX = 1024, CHUNK = 7 };

struct content_writer {
    const struct content_writer_events *events;
    void *context;
    uint64_t size;
    bool is_behind;
    bool is_finished;
};

static struct world {
    bool is_up;
    char letter;
    struct content_writer *writer;
    const struct store_file *row; /* that the store is asked to take */
    store_done_fn *done;
    void *done_context;
    unsigned stored; /* rows */
    struct client client;
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

static bool go_on(void)
{
    return disk_goes_on() || store_goes_on();
}

/* ---- the client ---- */

static void say(const void *bytes, size_t len)
{
    client_say(&world.client, bytes, len);
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
        loopback_turn();
        return;
    }
    for (size_t at = 0; at < body.len; at += CHUNK) {
        size_t len = MIN(body.len - at, (size_t)CHUNK);
        say(size, (size_t)snprintf(size, sizeof size, "%zx\r\n", len));
        say(body.at + at, len);
        say("\r\n", 2);
    }
    say("0\r\n\r\n", 5);
    loopback_turn();
}

static bool is_answered(void)
{
    return client_status(&world.client) != 0;
}

static void look_at_answer(void)
{
    if (world.letter == 'L')
        return;
    loopback_await(is_answered);
    int status = client_status(&world.client);
    assert(status != 500);
    assert((status == 200) == (world.stored == 1));
}

static bool is_over(void)
{
    return !world.writer && !world.row;
}

/* ---- one input ---- */

static void set_up(void)
{
    static const struct http_route routes[] = {
        {"POST", "/v1/files", MIB, NULL, NULL, HTTP_OPEN, &files_upload_ops}, {0}};
    static struct files files = {.max_bytes = FILE_MAX};
    static const struct http_mount mount = {FILES_NAME, routes, &files};
    static const struct http_config config = {
        .mounts = &mount, .mount_count = 1, .max_connections = 1024, .timeout_s = 60};
    files.loop = loopback_loop();
    loopback_serve(&config, go_on);
    world.is_up = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    const char *newline = size > 0 ? memchr(text, '\n', MIN(size, (size_t)TYPE_MAX)) : NULL;
    if (!newline || newline == text)
        return 0;
    if (!world.is_up)
        set_up();
    struct slice body = {newline + 1, size - (size_t)(newline + 1 - text)};
    world.letter = text[0];
    world.stored = 0;
    client_come(&world.client);
    say_head((struct slice){text + 1, (size_t)(newline - text - 1)}, body.len);
    say_body(body);
    look_at_answer();
    client_leave(&world.client);
    loopback_await(is_over);
    return 0;
}
