/* SPDX-License-Identifier: MIT */
/* Clients of a program that runs: the real server, dialects and engine, over an executor that
 * is played. A step a line:
 *
 *     s BODY      POST /session             a         a socket at the newest run, as a session's
 *     n BODY      a run of our own          o, b      … as a run's: text, or bytes
 *     i ID, f N   the run's events, from a  t, B, r   a text, some bytes, or anything at all, into
 *                 Last-Event-ID, or ?from=            the newest socket
 *     p TEXT      the program prints        e         it ends
 *     x           the newest client leaves
 *
 * What is asked is answered, and not with 500; numbers of events rise, from the one that was
 * asked for; in the end nothing runs. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/runs.h"
#include "dialect/session.h"
#include "fake_executor.h"
#include "language/language.h"
#include "loopback.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { CLIENTS_MAX = 6, RUNS_MAX = 4, HEAD_MAX = 8192, STEPS_MAX = 64 };

struct asker {
    struct client client;
    bool wants_events;
};

static struct world {
    struct loop *loop;
    struct executor *executor;
    struct engine *engine;
    struct catalogue *catalogue;
    struct session_dialect session;
    struct runs runs;
    size_t started; /* stages that were told so */
    struct run *made[RUNS_MAX];
    size_t made_count;
    struct asker askers[CLIENTS_MAX];
    size_t asker_count;
} world;

/* ---- the program ---- */

static struct fake_stage *stage(void)
{
    struct fake_stage *newest = fake_stage_newest(world.executor);
    return newest && !newest->ended && !newest->killed ? newest : NULL;
}

static bool start_stage(void)
{
    size_t started = CONTAINER_OF(world.executor, struct fake_executor, executor)->stages_started;
    if (started == world.started)
        return false;
    world.started = started;
    if (stage())
        fake_stage_start(stage());
    return true;
}

/* ---- clients ---- */

/* The numbers in "id: N" lines, each behind the one before. */
static void look_at_events(const struct client *client)
{
    uint64_t before = 0;
    const char *at = strstr(client->text, "\r\n\r\n");
    while (at && (at = strstr(at + 1, "\nid: "))) {
        uint64_t number = strtoull(at + 5, NULL, 10);
        assert(number > before);
        before = number;
    }
}

static int look_at_answer(const struct asker *asker)
{
    int status = client_status(&asker->client);
    assert(status != 500);
    if (asker->wants_events && status == 200)
        look_at_events(&asker->client);
    return status;
}

static bool newest_is_answered(void)
{
    return client_status(&world.askers[world.asker_count - 1].client) != 0;
}

static void leave(void)
{
    struct asker *asker = &world.askers[--world.asker_count];
    (void)look_at_answer(asker);
    client_leave(&asker->client);
    loopback_turn();
}

static struct asker *come(void)
{
    if (world.asker_count == CLIENTS_MAX)
        leave();
    struct asker *asker = &world.askers[world.asker_count++];
    asker->wants_events = false;
    client_come(&asker->client);
    return asker;
}

/* ---- what they ask for ---- */

static const char *newest_run(void)
{
    return run_id(world.made[world.made_count - 1]);
}

static void note_run(void *context, struct run *run)
{
    (void)context;
    for (size_t i = 0; i < world.made_count; i++)
        if (world.made[i] == run)
            return;
    assert(world.made_count < RUNS_MAX);
    world.made[world.made_count++] = run;
}

static void post_session(struct slice body)
{
    char head[256];
    if (world.made_count == RUNS_MAX)
        return;
    size_t before = world.made_count;
    struct asker *asker = come();
    int len = snprintf(head, sizeof head,
                       "POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n"
                       "Content-Type: application/json\r\n\r\n",
                       body.len);
    client_say(&asker->client, head, (size_t)len);
    client_say(&asker->client, body.at, body.len);
    loopback_await(newest_is_answered);
    engine_each(world.engine, note_run, NULL);
    int status = look_at_answer(asker);
    assert(status == (world.made_count > before ? 200 : 400));
    leave();
}

static void new_run(struct slice source)
{
    struct err err;
    const struct run_spec spec = {.language = catalogue_at(world.catalogue, 0),
                                  .profile = PROFILE_LIVE,
                                  .source = source,
                                  .input_stays_open = true,
                                  .streaming = true,
                                  .tty = source.len > 0 && source.at[0] == 't'};
    if (world.made_count == RUNS_MAX)
        return;
    world.made[world.made_count] = engine_submit(world.engine, &spec, &err);
    assert(world.made[world.made_count]);
    world.made_count++;
    loopback_turn();
}

static void open_socket(const char *path, const char *end, const char *header)
{
    char head[512];
    struct asker *asker = come();
    int len = snprintf(head, sizeof head,
                       "GET %s%s%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                       path, newest_run(), end, header);
    client_say(&asker->client, head, (size_t)len);
    loopback_turn();
}

/* As the request's line, or its header; what is no HTTP any more is refused. */
static void ask_for_events(bool by_header, struct slice where)
{
    char head[HEAD_MAX];
    struct asker *asker = come();
    int len = snprintf(head, sizeof head,
                       "GET /v1/runs/%s/events%s%.*s HTTP/1.1\r\nHost: localhost\r\n%s%.*s%s\r\n",
                       newest_run(), by_header ? "" : "?from=", by_header ? 0 : (int)where.len,
                       where.at, by_header ? "Last-Event-ID: " : "", by_header ? (int)where.len : 0,
                       where.at, by_header ? "\r\n" : "");
    if (len < 0 || len >= (int)sizeof head)
        return;
    asker->wants_events = true;
    client_say(&asker->client, head, (size_t)len);
    loopback_turn();
}

/* ---- steps ---- */

static void program_step(char letter, struct slice rest)
{
    struct fake_stage *live = stage();
    if (!live)
        return;
    if (letter == 'e')
        fake_stage_exit(live, (int)(rest.len % 3));
    else if (!live->paused)
        fake_stage_print(live, rest.len % 2, rest);
    loopback_turn();
}

static void socket_step(char letter, struct slice rest)
{
    if (world.asker_count == 0)
        return;
    if (letter == 't' || letter == 'B') {
        client_say_frame(&world.askers[world.asker_count - 1].client, letter == 't' ? 1 : 2, rest);
        loopback_turn();
        return;
    }
    if (letter == 'x') {
        leave();
        return;
    }
    client_say(&world.askers[world.asker_count - 1].client, rest.at, rest.len);
    loopback_turn();
}

static void take_step(char letter, struct slice rest)
{
    if (world.made_count == 0 && strchr("aobif", letter))
        return; /* of runs that the engine has not, the store would be asked */
    switch (letter) {
    case 's':
        post_session(rest);
        break;
    case 'n':
        new_run(rest);
        break;
    case 'a':
        open_socket("/ws/session/", "", "");
        break;
    case 'o':
    case 'b':
        open_socket("/v1/runs/", "/stream",
                    letter == 'b' ? "Sec-WebSocket-Protocol: runnel.bytes\r\n" : "");
        break;
    case 'i':
    case 'f':
        ask_for_events(letter == 'i', rest);
        break;
    case 'p':
    case 'e':
        program_step(letter, rest);
        break;
    default:
        socket_step(letter, rest);
    }
}

/* ---- one input ---- */

static void make_engine(void)
{
    static const char language[] =
        "name = python\ntitle = Python\nextensions = py\nsource = main.py\n"
        "execute = /bin/sh {source} {args}\nrequires = /bin/sh\npackages = dash\n";
    const struct engine_config config = {
        .concurrency = RUNS_MAX, .queue_length = RUNS_MAX, .keep_ms = 3600000};
    struct err err = {0};
    world.executor = fake_executor_new(world.loop);
    world.engine = engine_new(world.loop, &config, world.executor, &err);
    world.catalogue = catalogue_new();
    int rc = catalogue_load_text(world.catalogue, "python.lang", slice_of(language), &err);
    assert(rc == 0 && world.engine);
    world.session = (struct session_dialect){world.engine, world.catalogue};
    world.runs =
        (struct runs){.loop = world.loop, .engine = world.engine, .catalogue = world.catalogue};
}

static void set_up(void)
{
    static const struct http_mount mounts[] = {{SESSION_NAME, session_routes, &world.session},
                                               {RUNS_NAME, runs_routes, &world.runs}};
    static const struct http_config config = {
        .mounts = mounts, .mount_count = 2, .max_connections = 1024, .timeout_s = 60};
    world.loop = loopback_loop();
    make_engine();
    loopback_serve(&config, start_stage);
}

static void end_all(void)
{
    const struct fake_executor *executor =
        CONTAINER_OF(world.executor, struct fake_executor, executor);
    while (world.asker_count > 0)
        leave();
    for (size_t i = 0; i < world.made_count; i++)
        run_cancel(world.made[i], "the input has ended");
    loopback_turn();
    while (world.made_count > 0) {
        assert(run_result(world.made[world.made_count - 1]));
        run_forget(world.made[--world.made_count]);
    }
    loopback_turn();
    assert(engine_running(world.engine) == 0 && engine_queued(world.engine) == 0);
    assert(executor->stages_live == 0 && executor->workspaces == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *at = (const char *)bytes;
    const char *end = at + size;
    if (!world.loop)
        set_up();
    for (int steps = 0; at < end && steps < STEPS_MAX; steps++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct slice line = {at, (size_t)((newline ? newline : end) - at)};
        if (line.len > 0)
            take_step(line.at[0], (struct slice){line.at + 1, line.len - 1});
        at += line.len + 1;
    }
    end_all();
    return 0;
}
