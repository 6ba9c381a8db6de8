/* SPDX-License-Identifier: MIT */
/* Whole requests, with any head and any body, to the dialects of a service that has keys: jobs,
 * runs, Socket.IO, logins and keys, over an executor and a store that are played. A form feed
 * stands between two steps:
 *
 *     r HEAD ⏎ ⏎ BODY     a request: its first line and headers, then its body
 *     w HEAD ⏎ ⏎ TEXTS    the same for a WebSocket, which then says each line
 *     p TEXT   e          the newest program prints; it ends
 *     x                   the newest client leaves
 *     f, g                the store's disk is full; it has room again
 *
 * In heads and bodies $K is a token, $A one of an administrator, and $C, $T, $N, $R, $J, $S the
 * cookie, ticket, new token, run, job and session that were answered last.
 *
 * What is asked is answered in HTTP, and not with 500. Who shows nothing that we gave out gets
 * no run and no key. In the end nothing runs. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/buf.h"
#include "dialect/access.h"
#include "dialect/interactive.h"
#include "dialect/jobs.h"
#include "dialect/request_access.h"
#include "dialect/runs.h"
#include "dialect/runs_recorder.h"
#include "fake_executor.h"
#include "fake_runs.h"
#include "fake_store.h"
#include "language/language.h"
#include "lines.h"
#include "loopback.h"
#include "server/engineio_http.h"
#include "server/rate_limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { CLIENTS_MAX = 6, STEPS_MAX = 24, RUNS_MAX = 64, ANSWER_MAX = 128, SAID_MAX = 64 * 1024 };
enum { OUR_KEYS = 2 };

static const char token[] = "rk_of_somebody";
static const char admin_token[] = "rk_of_an_administrator";

/* What an answer gives out, and by what it is known there. */
static struct given {
    char letter;
    const char *before;
    char end;
    char text[ANSWER_MAX];
} given[] = {
    {'C', "Set-Cookie: ", ';', ""},  {'T', "\"ticket\":\"", '"', ""},
    {'N', "\"token\":\"", '"', ""},  {'R', "\"id\":\"", '"', ""},
    {'J', "\"job_id\":\"", '"', ""}, {'S', "\n0{\"sid\":\"", '"', ""},
};

static struct world {
    struct loop *loop;
    struct store store;
    struct executor *executor;
    struct engine *engine;
    struct catalogue *catalogue;
    struct accounts *accounts;
    struct runs_recorder *recorder;
    struct jobs jobs;
    struct runs runs;
    struct access access;
    struct interactive interactive;
    struct request_access doors;
    struct list replays;
    size_t started; /* stages that were told so */
    bool knows_one; /* a secret of ours was in what was said */
    struct client clients[CLIENTS_MAX];
    size_t client_count;
} world;

/* ---- what is played ---- */

static struct fake_stage *stage(void)
{
    struct fake_stage *newest = fake_stage_newest(world.executor);
    return newest && !newest->ended && !newest->killed ? newest : NULL;
}

static bool go_on(void)
{
    size_t started = CONTAINER_OF(world.executor, struct fake_executor, executor)->stages_started;
    bool any = fake_runs_answer();
    any = fake_store_answer(&world.store) > 0 || any;
    if (started == world.started)
        return any;
    world.started = started;
    if (stage())
        fake_stage_start(stage());
    return true;
}

/* ---- clients ---- */

static void take_given(const struct client *client)
{
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        const char *at = strstr(client->text, given[i].before);
        at = at ? at + strlen(given[i].before) : NULL;
        size_t len = at ? strcspn(at, (char[]){given[i].end, '\r', '\0'}) : 0;
        if (len > 0 && len < ANSWER_MAX) {
            memcpy(given[i].text, at, len);
            given[i].text[len] = '\0';
        }
    }
}

static void look_at(const struct client *client)
{
    assert(client_status(client) != 500);
    take_given(client);
}

static void turn(void)
{
    loopback_turn();
    for (size_t i = 0; i < world.client_count; i++)
        look_at(&world.clients[i]);
    assert(world.knows_one || (world.store.count == OUR_KEYS && engine_running(world.engine) == 0 &&
                               engine_queued(world.engine) == 0));
}

static void leave(void)
{
    if (world.client_count == 0)
        return;
    client_leave(&world.clients[--world.client_count]);
    loopback_turn();
}

static struct client *come(void)
{
    if (world.client_count == CLIENTS_MAX)
        leave();
    client_come(&world.clients[world.client_count]);
    return &world.clients[world.client_count++];
}

/* ---- what they say ---- */

static const char *meaning(char letter)
{
    world.knows_one = world.knows_one || letter == 'K' || letter == 'A';
    if (letter == 'K' || letter == 'A')
        return letter == 'K' ? token : admin_token;
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        if (given[i].letter == letter)
            return given[i].text;
    }
    return NULL;
}

/* As it is written, or, in a head, with the ends of HTTP's lines. */
static void write_out(struct buf *out, struct slice text, bool is_head)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *means = text.at[i] == '$' && i + 1 < text.len ? meaning(text.at[i + 1]) : NULL;
        if (means) {
            buf_add_text(out, means);
            i++;
        } else if (is_head && text.at[i] == '\n') {
            buf_add_text(out, "\r\n");
        } else {
            buf_add_char(out, text.at[i]);
        }
    }
}

static void write_head(struct buf *out, struct slice head, size_t body_len)
{
    const char *end = memchr(head.at, '\n', head.len);
    size_t line = end ? (size_t)(end - head.at) : head.len;
    write_out(out, (struct slice){head.at, line}, true);
    buf_add_text(out, " HTTP/1.1\r\nHost: localhost\r\n");
    if (body_len > 0)
        buf_add_format(out, "Content-Length: %zu\r\n", body_len);
    if (line < head.len) {
        write_out(out, (struct slice){head.at + line + 1, head.len - line - 1}, true);
        buf_add_text(out, "\r\n");
    }
    buf_add_text(out, "\r\n");
}

static void say_lines(const struct client *client, struct slice text)
{
    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        struct slice line = {text.at, end ? (size_t)(end - text.at) : text.len};
        size_t taken = line.len + (end ? 1 : 0);
        client_say_frame(client, 1, line);
        text = (struct slice){text.at + taken, text.len - taken};
    }
}

static void say(struct slice text, bool is_socket)
{
    static const char between[] = "\n\n";
    const char *end = text.len > 0 ? memmem(text.at, text.len, between, 2) : NULL;
    struct slice head = {text.at, end ? (size_t)(end - text.at) : text.len};
    size_t taken = head.len + (end ? 2 : 0);
    struct slice rest = {text.at + taken, text.len - taken};
    auto_buf struct buf body;
    auto_buf struct buf out;
    buf_init(&body, SAID_MAX);
    buf_init(&out, SAID_MAX);
    write_out(&body, rest, false);
    write_head(&out, head, is_socket ? 0 : body.len);
    struct client *client = come();
    client_say(client, out.at, out.len);
    if (!is_socket)
        client_say(client, body.at, body.len);
    turn();
    if (!is_socket || client_status(client) != 101)
        return;
    say_lines(client, buf_slice(&body));
    turn();
}

static void take_step(char letter, struct slice rest)
{
    struct fake_stage *live = stage();
    if (letter == 'r' || letter == 'w')
        say(rest, letter == 'w');
    else if (letter == 'e' && live)
        fake_stage_exit(live, (int)(rest.len % 3));
    else if (letter == 'p' && live && !live->paused)
        fake_stage_print(live, rest.len % 2, rest);
    else if (letter == 'x')
        leave();
    else if (letter == 'f' || letter == 'g')
        fake_runs_fill_disk(letter == 'f');
    turn();
}

/* ---- the service ---- */

static void find_versions(void *context)
{
    (void)context;
}

static void make_engine(void)
{
    static const char language[] =
        "name = python\ntitle = Python\nextensions = py\nsource = main.py\n"
        "execute = /bin/sh {source} {args}\nrequires = /bin/sh\npackages = dash\n";
    struct err err = {0};
    world.executor = fake_executor_new(world.loop);
    world.recorder = runs_recorder_new(&world.runs);
    const struct engine_config config = {.concurrency = 4,
                                         .queue_length = 4,
                                         .keep_ms = 3600000,
                                         .recorder = {runs_recorder_ended, world.recorder}};
    world.engine = engine_new(world.loop, &config, world.executor, &err);
    world.catalogue = catalogue_new();
    int rc = catalogue_load_text(world.catalogue, "python.lang", slice_of(language), &err);
    assert(rc == 0 && world.engine && world.recorder);
}

/* With our keys and no other. */
static void make_accounts(void)
{
    const struct accounts_config config = {.secret = "any", .cookie_ms = 3600000};
    struct err err = {0};
    world.store.count = world.store.asked_count = 0;
    fake_store_add(&world.store, token, "somebody");
    fake_store_add(&world.store, admin_token, "administrator")->scopes |= STORE_SCOPE_ADMIN;
    world.accounts = accounts_new(world.loop, &world.store, &config, &err);
    assert(world.accounts && accounts_have_keys(world.accounts));
    world.doors.accounts = world.jobs.accounts = world.runs.accounts = world.access.accounts =
        world.accounts;
}

static void make_dialects(void)
{
    static const unsigned char secret[32] = "any";
    static const char *const dependencies[] = {"python:numpy", NULL};
    struct rate_limiter *limiter = rate_limiter_new(UINT32_MAX, 1000, 8);
    list_init(&world.replays);
    world.runs = (struct runs){.loop = world.loop,
                               .engine = world.engine,
                               .catalogue = world.catalogue,
                               .store = &world.store,
                               .why_no_hooks = "there are none",
                               .webhook_secret = secret,
                               .links = {.keys = {{"any", 3}}, .key_count = 1, .lifetime_ms = 1000},
                               .max_file_bytes = MIB,
                               .replays = &world.replays,
                               .find_versions = find_versions};
    world.jobs = (struct jobs){.engine = world.engine,
                               .catalogue = world.catalogue,
                               .limiter = limiter,
                               .dependencies = dependencies,
                               .analysis = JOBS_ANALYSIS_REFUSE};
    list_init(&world.jobs.followers);
    world.access = (struct access){NULL, &world.store, limiter, secret, 3600000};
    world.interactive = (struct interactive){world.engine, world.catalogue, limiter, false};
}

static void set_up(void)
{
    static struct http_mount mounts[4];
    static const struct engineio_config sessions = {.transport = &engineio_http_transport,
                                                    .owner = &interactive_ops,
                                                    .context = &world.interactive,
                                                    .max_sessions = 64};
    struct err err = {0};
    world.loop = loopback_loop();
    make_engine();
    make_dialects();
    mounts[0] = (struct http_mount){INTERACTIVE_NAME, engineio_http_routes,
                                    engineio_new(world.loop, &sessions, &err)};
    mounts[1] = (struct http_mount){JOBS_NAME, jobs_routes, &world.jobs};
    mounts[2] = (struct http_mount){RUNS_NAME, runs_routes, &world.runs};
    mounts[3] = (struct http_mount){ACCESS_NAME, access_routes, &world.access};
    const struct http_config config = {.mounts = mounts,
                                       .mount_count = ARRAY_LEN(mounts),
                                       .max_connections = 1024,
                                       .max_body = MIB,
                                       .timeout_s = 60,
                                       .authorize = request_authorize,
                                       .authorize_context = &world.doors};
    loopback_serve(&config, go_on);
}

/* ---- one input ---- */

struct all_runs {
    struct run *items[RUNS_MAX];
    size_t count;
};

static void note_run(void *context, struct run *run)
{
    struct all_runs *all = context;
    assert(all->count < RUNS_MAX);
    all->items[all->count++] = run;
}

static void end_runs(void)
{
    struct all_runs all = {.count = 0};
    engine_each(world.engine, note_run, &all);
    for (size_t i = 0; i < all.count; i++)
        run_cancel(all.items[i], "the input has ended");
    loopback_turn();
    runs_recorder_hurry(world.recorder);
    loopback_turn();
    all.count = 0;
    engine_each(world.engine, note_run, &all);
    for (size_t i = 0; i < all.count; i++) {
        assert(run_result(all.items[i]));
        run_forget(all.items[i]);
    }
    loopback_turn();
}

static void end_all(void)
{
    const struct fake_executor *executor =
        CONTAINER_OF(world.executor, struct fake_executor, executor);
    while (world.client_count > 0)
        leave();
    fake_runs_fill_disk(false);
    end_runs();
    fake_runs_clear();
    accounts_free(world.accounts);
    assert(engine_running(world.engine) == 0 && engine_queued(world.engine) == 0);
    assert(executor->stages_live == 0 && executor->workspaces == 0);
    assert(list_empty(&world.jobs.followers));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice left = {(const char *)bytes, size};
    struct slice step;
    if (!world.loop)
        set_up();
    make_accounts();
    world.knows_one = false;
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        given[i].text[0] = '\0';
    for (int steps = 0; steps < STEPS_MAX && fuzz_next_step(&left, &step); steps++) {
        if (step.len > 0)
            take_step(step.at[0], (struct slice){step.at + 1, step.len - 1});
    }
    end_all();
    return 0;
}
