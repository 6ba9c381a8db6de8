/* SPDX-License-Identifier: MIT */
/* A worker of a fleet, with its engine over an executor that is played, between a Redis and a
 * RabbitMQ that say what they like. A form feed between the steps; those of fake_servers.h, and:
 *
 *     p TEXT   E DIGIT   the newest program prints; it ends
 *     D, G               the worker drains; at once
 *
 * A delivery is settled once at most; what was begun ends; and nothing stays. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "fake_executor.h"
#include "fake_loop.h"
#include "fake_servers.h"
#include "fleet/worker.h"
#include "language/language.h"
#include "lines.h"
#include "observe/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SLOTS = 2, STEPS_MAX = 128, GRACE_MS = 10 * 1000, END_MS = 40 * 1000 };

static struct catalogue *catalogue;
static struct world {
    struct loop *loop;
    struct executor *executor;
    struct fleet_worker *worker;
    struct engine *engine;
    size_t started; /* stages that were told so */
    bool drains;
    bool is_drained;
    bool has_ended; /* the engine */
} world;

/* ---- the clock ---- */

uint64_t __wrap_clock_unix_ms(void);

uint64_t __wrap_clock_unix_ms(void)
{
    return 1790000000000 + loop_now_ns() / NS_PER_MS;
}

/* ---- the program ---- */

static struct fake_stage *stage(void)
{
    struct fake_stage *newest = fake_stage_newest(world.executor);
    return newest && !newest->ended && !newest->killed ? newest : NULL;
}

static void start_stage(void)
{
    size_t started = CONTAINER_OF(world.executor, struct fake_executor, executor)->stages_started;
    if (started == world.started || !stage())
        return;
    world.started = started;
    fake_stage_start(stage());
    fake_servers_settle(world.loop);
}

static void on_drained(void *context)
{
    (void)context;
    world.is_drained = true;
}

static void drain(uint64_t grace_ms)
{
    world.drains = true;
    fleet_worker_drain(world.worker, grace_ms, on_drained, NULL);
}

static void take_step(char letter, struct slice rest)
{
    struct fake_stage *live = stage();
    if (fake_servers_step(world.loop, letter, rest)) {
        start_stage();
        return;
    }
    if (letter == 'p' && live && !live->paused)
        fake_stage_print(live, rest.len % 2, rest);
    else if (letter == 'E' && live)
        fake_stage_exit(live, rest.len > 0 ? rest.at[0] & 7 : 0);
    else if (letter == 'D' || letter == 'G')
        drain(letter == 'D' ? GRACE_MS : 0);
    fake_servers_settle(world.loop);
    start_stage();
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
    static const char *const texts[] = {
        "name = python\ntitle = Python\nextensions = py\nsource = main.py\n"
        "execute = /bin/sh {source}\nrequires = /bin/sh\npackages = dash\n",
        "name = rare\ntitle = Rare\nextensions = rr\nsource = main.rr\n"
        "execute = /nowhere {source}\nrequires = /nowhere\npackages = nowhere\n"};
    struct err err = {0};
    log_set_sink(ignore_line);
    catalogue = catalogue_new();
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int rc = catalogue_load_text(catalogue, i == 0 ? "python.lang" : "rare.lang",
                                     slice_of(texts[i]), &err);
        assert(rc == 0);
    }
}

static void begin(void)
{
    static const char *const dependencies[] = {"python:numpy", NULL};
    struct err err = {0};
    world = (struct world){.loop = loop_new()};
    world.executor = fake_executor_new(world.loop);
    world.worker = fleet_worker_new(&(struct fleet_worker_config){.loop = world.loop,
                                                                  .catalogue = catalogue,
                                                                  .broker = "amqp://broker",
                                                                  .stream = "redis://stream",
                                                                  .node_name = "box-1",
                                                                  .slots = SLOTS,
                                                                  .dependencies = dependencies,
                                                                  .refused = refused},
                                    &err);
    assert(world.worker);
    const struct engine_config config = {.concurrency = SLOTS,
                                         .queue_length = WORKER_QUEUE * SLOTS,
                                         .keep_ms = 1000,
                                         .recorder = fleet_worker_recorder(world.worker)};
    world.engine = engine_new(world.loop, &config, world.executor, &err);
    assert(world.engine);
    int rc = fleet_worker_start(world.worker, world.engine, &err);
    assert(rc == 0);
    fake_servers_settle(world.loop);
}

static void on_ended(void *context)
{
    (void)context;
    world.has_ended = true;
}

static void end(void)
{
    if (!world.drains) /* else once is enough */
        drain(0);
    fake_loop_advance(world.loop, END_MS);
    assert(world.is_drained);
    engine_drain(world.engine, 0, on_ended, NULL);
    fake_loop_advance(world.loop, END_MS);
    assert(world.has_ended && engine_running(world.engine) == 0);
    engine_free(world.engine);
    fleet_worker_free(world.worker);
    assert(fake_stream_is_gone() && fake_broker_is_gone());
    world.executor->ops->executor_free(world.executor);
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
