/* SPDX-License-Identifier: MIT */
/* A front of a fleet, with its engine, between a Redis and a RabbitMQ that say what they like.
 * A form feed between the steps; those of fake_servers.h, and of its clients:
 *
 *     s KIND         a run: of kind 'b'atch, 'l'ive, or 'j'ob; the first is run_a, then run_b …
 *     a              somebody reads the newest
 *     w TEXT   e     … says something to its program; ends its input
 *     k   z   x      … sends a signal; resizes its terminal; ends it
 *     f ID           somebody looks for one
 *     u ID           one that a process before us had sent
 *     i              all that are known
 *
 * Whoever asks is answered, once; each run has one end; and nothing stays. */
#include <assert.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "fake_loop.h"
#include "fake_servers.h"
#include "fleet/front.h"
#include "language/language.h"
#include "lines.h"
#include "observe/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { RUNS_MAX = 16, ASKED_MAX = 64, STEPS_MAX = 128, END_MS = 40 * 1000 };

static struct catalogue *catalogue;
static struct world {
    struct loop *loop;
    struct fleet_front *front;
    struct engine *engine;
    struct run *newest; /* NULL: there is none */
    struct reader *reader;
    unsigned made;
    unsigned asked; /* and not yet answered */
    bool is_drained;
    uint64_t last_event;
} world;

/* ---- the clock ---- */

uint64_t __wrap_clock_unix_ms(void);

uint64_t __wrap_clock_unix_ms(void)
{
    return 1790000000000 + loop_now_ns() / NS_PER_MS;
}

/* ---- its clients ---- */

static const struct language *language(void)
{
    return catalogue_at(catalogue, 0);
}

static void stop_reading(void)
{
    reader_free(world.reader);
    world.reader = NULL;
}

static void on_ready(void *context)
{
    struct event event;
    (void)context;
    while (world.reader && reader_next(world.reader, &event) > 0) {
        assert(event.number > world.last_event || event.kind == EVENT_GAP);
        world.last_event = event.number;
        if (event.kind == EVENT_END)
            assert(run_result(world.newest));
    }
}

static void read_newest(void)
{
    if (!world.newest || world.reader)
        return;
    world.last_event = 0;
    world.reader = run_attach(world.newest, 0, READER_TEXT, on_ready, NULL, NULL);
}

static void submit(char kind)
{
    static const enum profile profiles[] = {PROFILE_RUNS, PROFILE_LIVE, PROFILE_JOBS};
    char id[] = "run_a";
    struct err err;
    if (world.made == RUNS_MAX)
        return;
    id[4] = (char)('a' + world.made++);
    size_t which = kind == 'l' ? 1 : kind == 'j' ? 2 : 0;
    const struct run_spec spec = {.language = language(),
                                  .profile = profiles[which],
                                  .source = slice_of("print(1)"),
                                  .streaming = which == 1,
                                  .input_stays_open = which == 1,
                                  .ends_unattended = which == 1,
                                  .tenant = 1,
                                  .note = slice_of("note"),
                                  .id = id};
    struct run *run =
        engine_find(world.engine, id) ? NULL : engine_submit(world.engine, &spec, &err);
    if (!run)
        return;
    stop_reading();
    world.newest = run;
    read_newest();
}

static void take_found(void *context, struct run *run)
{
    (void)context;
    assert(world.asked-- > 0 && (!run || run_id(run)[0]));
}

static void take_ids(void *context, const char *ids, size_t count)
{
    (void)context;
    assert(world.asked-- > 0);
    for (; count > 0; count--)
        ids += strlen(ids) + 1;
}

static void take_lost(void *context, const char *id)
{
    (void)context;
    assert(id[0]);
}

static void ask_for(char letter, struct slice rest)
{
    char id[RUN_ID_SIZE];
    (void)servers_line(rest, id, sizeof id);
    const struct run_spec spec = {
        .id = id, .language = language(), .profile = PROFILE_RUNS, .note = slice_of("note")};
    if (world.asked == ASKED_MAX || (letter != 'i' && !id[0]))
        return;
    if (letter == 'u') {
        if (!engine_find(world.engine, id))
            (void)engine_resume(world.engine, &spec, 1000, take_lost, NULL);
        return;
    }
    world.asked++;
    if (letter == 'f')
        engine_look_up(world.engine, id, take_found, NULL);
    else
        engine_list(world.engine, RUNS_MAX, take_ids, NULL);
}

static void say_to_run(char letter, struct slice rest)
{
    if (!world.newest)
        return;
    if (letter == 'w')
        (void)run_write(world.newest, rest, NULL);
    else if (letter == 'e')
        run_close_input(world.newest);
    else if (letter == 'k')
        run_signal(world.newest, SIGINT);
    else if (letter == 'z')
        run_resize(world.newest, 80, 24);
    else
        run_cancel(world.newest, "the client stopped it");
}

static void take_step(char letter, struct slice rest)
{
    if (fake_servers_step(world.loop, letter, rest))
        return;
    if (letter == 's')
        submit(rest.len > 0 ? rest.at[0] : 'b');
    else if (letter == 'a')
        read_newest();
    else if (letter && strchr("fui", letter))
        ask_for(letter, rest);
    else if (letter && strchr("wekzx", letter))
        say_to_run(letter, rest);
    fake_servers_settle(world.loop);
    if (world.newest)
        (void)run_expected_wait_ms(world.newest);
}

/* ---- one input ---- */

static void refused(void *context, const struct err *err)
{
    (void)context;
    assert(err->text[0]);
}

static void ignore_line(const char *line, unsigned long len)
{
    (void)line, (void)len;
}

static void set_up(void)
{
    static const char text[] = "name = python\ntitle = Python\nextensions = py\nsource = main.py\n"
                               "execute = /bin/sh {source}\nrequires = /bin/sh\npackages = dash\n";
    struct err err = {0};
    log_set_sink(ignore_line);
    catalogue = catalogue_new();
    int rc = catalogue_load_text(catalogue, "python.lang", slice_of(text), &err);
    assert(rc == 0);
}

static void begin(void)
{
    struct err err = {0};
    world = (struct world){.loop = loop_new()};
    world.front = fleet_front_new(&(struct fleet_front_config){.loop = world.loop,
                                                               .catalogue = catalogue,
                                                               .broker = "amqp://broker",
                                                               .stream = "redis://stream",
                                                               .node_name = "front-1",
                                                               .queue_length = RUNS_MAX,
                                                               .foreign_workers = true,
                                                               .refused = refused},
                                  &err);
    assert(world.front);
    const struct engine_config config = {.concurrency = RUNS_MAX,
                                         .queue_length = RUNS_MAX,
                                         .keep_ms = 24 * 3600 * 1000,
                                         .carrier = fleet_front_carrier(world.front)};
    world.engine = engine_new(world.loop, &config, NULL, &err);
    assert(world.engine);
    int rc = fleet_front_start(world.front, world.engine, &err);
    assert(rc == 0);
    fake_servers_settle(world.loop);
}

static void on_drained(void *context)
{
    (void)context;
    world.is_drained = true;
}

static void end(void)
{
    stop_reading();
    engine_drain(world.engine, 0, on_drained, NULL);
    fake_loop_advance(world.loop, END_MS);
    assert(world.is_drained && engine_running(world.engine) == 0);
    engine_free(world.engine);
    fleet_front_free(world.front);
    assert(world.asked == 0 && fake_stream_is_gone() && fake_broker_is_gone());
    assert(fake_loop_objects(world.loop) == 0);
    loop_free(world.loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice left = {(const char *)bytes, size};
    struct slice step;
    if (!catalogue)
        set_up();
    begin();
    for (int steps = 0; steps < STEPS_MAX && fuzz_next_step(&left, &step); steps++) {
        if (step.len > 0)
            take_step(step.at[0], (struct slice){step.at + 1, step.len - 1});
    }
    end();
    return 0;
}
