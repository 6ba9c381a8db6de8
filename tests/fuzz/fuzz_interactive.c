/* SPDX-License-Identifier: MIT */
/* A Socket.IO client of the interactive dialect, one event a line: "e" and the argument of
 * execute-interactive, "i" that of input, "x" that of an event nobody knows, "t" lets the
 * programs go on, "f" fills the client's queue, "w" empties it. Its programs are played.
 * What it is told is JSON, and when it leaves nothing runs. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_read.h"
#include "dialect/interactive.h"
#include "fake_engine.h"
#include "loop/loop.h"
#include "server/rate_limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { TURNS = 4 };

static struct world {
    struct loop *loop;
    struct loop_task *turn;
    unsigned turns;
    struct engine engine;
    struct interactive interactive;
    bool is_full;
    bool is_left; /* we ended it */
} world;

/* ---- the session, and what the played engine lacks ---- */

int engineio_emit(struct engineio_session *session, const char *event, struct slice argument)
{
    assert(session == (void *)&world && event[0]);
    auto_json json_t *told = json_read_lenient_object(argument, NULL); /* a NUL may be told */
    assert(told);
    return world.is_full ? 0 : 1;
}

/* There is memory, as much as wanted. */
void engineio_break(struct engineio_session *session)
{
    (void)session;
    abort();
}

void engineio_disconnect(struct engineio_session *session)
{
    assert(session == (void *)&world && !world.is_left);
    world.is_left = true;
}

const char *engineio_client(const struct engineio_session *session)
{
    (void)session;
    return "192.0.2.1";
}

uint64_t engineio_key(const struct engineio_session *session)
{
    (void)session;
    return 0;
}

int run_write(struct run *run, struct slice bytes, struct err *err)
{
    (void)err;
    assert(run_id(run)[0] && bytes.len > 1 && bytes.at[bytes.len - 1] == '\n');
    return 0;
}

/* ---- the client ---- */

static void on_turn(void *context)
{
    (void)context;
    if (++world.turns < TURNS)
        loop_task_schedule(world.turn);
    else
        loop_stop(world.loop);
}

static void let_go_on(void)
{
    world.turns = 0;
    loop_task_schedule(world.turn);
    loop_run(world.loop);
}

static void say(void *client, const char *event, struct slice text)
{
    auto_json json_t *argument = json_read_lenient_object(text, NULL);
    auto_json json_t *other = argument ? NULL : json_read_lenient_array(text, NULL);
    interactive_ops.event(client, slice_of(event), argument ? argument : other);
}

static void take_step(void *client, struct slice line)
{
    struct slice rest = {line.at + 1, line.len - 1};
    switch (line.at[0]) {
    case 'e':
        say(client, "execute-interactive", rest);
        break;
    case 'i':
        say(client, "input", rest);
        break;
    case 'x':
        say(client, "nobody-knows", rest);
        break;
    case 'f':
        world.is_full = true;
        break;
    case 'w':
        world.is_full = false;
        interactive_ops.writable(client);
        break;
    default:
        let_go_on();
    }
}

static void set_up(void)
{
    world.loop = loop_new();
    world.turn = loop_task_new(world.loop, on_turn, NULL);
    world.engine.loop = world.loop;
    world.interactive = (struct interactive){.engine = &world.engine,
                                             .limiter = rate_limiter_new(UINT32_MAX, 1000, 8)};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *at = (const char *)bytes;
    const char *end = at + size;
    if (!world.loop)
        set_up();
    world.is_full = false;
    world.is_left = false;
    void *client = interactive_ops.connected(&world.interactive, (void *)&world);
    assert(client);
    while (at < end && !world.is_left) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct slice line = {at, (size_t)((newline ? newline : end) - at)};
        if (line.len > 0)
            take_step(client, line);
        at += line.len + 1;
    }
    if (!world.is_left)
        interactive_ops.closed(client);
    assert(world.engine.running == 0);
    return 0;
}
