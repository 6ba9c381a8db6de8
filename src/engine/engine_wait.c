/* SPDX-License-Identifier: MIT */
/* engine_wait.c — how long waiting for a slot takes: the slot times of the runs before, in as
 * many rows as runs have slots now, each by what runs of its lane took of late. An estimate:
 * for people, for Retry-After, and to turn a run away at once that would wait in vain. */
#include "engine/engine_private.h"

enum { RETRY_AFTER_MAX_S = 600, SLOT_TIMES_ENOUGH = 8 };

void engine_note_slot_time(struct engine *engine, enum lane lane, uint64_t ns)
{
    const enum lane rows[] = {lane, LANES};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slot_times *times = &engine->slot_times[rows[i]];
        uint64_t *oldest = &times->ns[times->count++ % SLOT_TIMES_KEPT];
        times->sum_ns += ns - *oldest;
        *oldest = ns;
    }
}

static uint64_t mean_ns(const struct slot_times *times)
{
    size_t known = MIN(times->count, (size_t)SLOT_TIMES_KEPT);
    return known > 0 ? times->sum_ns / known : 0;
}

/* Of a lane in which none has ended: as of all. Before any has: by what the oldest that
 * runs took until now, it is no less. */
static uint64_t slot_ns(const struct engine *engine, enum lane lane)
{
    uint64_t ns = mean_ns(&engine->slot_times[lane]);
    if (ns == 0)
        ns = mean_ns(&engine->slot_times[LANES]);
    if (ns > 0 || list_empty(&engine->active))
        return ns;
    return loop_now_ns() - CONTAINER_OF(engine->active.next, struct run, place)->slot_ns;
}

/* Until somebody who has so many before him gets a slot, when there is none free. */
static uint64_t wait_ms(const struct engine *engine, const size_t before[LANES])
{
    size_t rows = MAX(engine->active_count, (size_t)1);
    uint64_t first_ns = 0;
    uint64_t ns = 0;
    for (enum lane lane = 0; lane < LANES; lane++) {
        first_ns += engine->active_in[lane] * slot_ns(engine, lane);
        ns += before[lane] * slot_ns(engine, lane);
    }
    return (first_ns / rows + ns) / rows / NS_PER_MS;
}

size_t engine_free_slots(const struct engine *engine)
{
    const struct run *first = queue_first(&engine->queue);
    bool held = first && !engine_has_memory(engine, first);
    return held ? 0 : engine->config.concurrency - engine->active_count;
}

uint64_t run_expected_wait_ms(const struct run *run)
{
    const struct cargo *cargo = run->carried.cargo;
    if (run->carried.is)
        return cargo && run->state == RUN_QUEUED ? cargo->ops->wait_ms(cargo) : 0;
    if (!run->in_queue)
        return 0;
    struct queue_place place = queue_place(&run->engine->queue, run);
    if (place.position <= engine_free_slots(run->engine))
        return 0;
    return wait_ms(run->engine, place.before);
}

int engine_check_wait(const struct engine *engine, const struct run *run, struct err *err)
{
    uint64_t limit_ms = run->limits.value[LIMIT_QUEUE];
    if (limit_ms == 0 || engine->queue.len < 2 ||
        engine->slot_times[LANES].count < SLOT_TIMES_ENOUGH)
        return 0;
    uint64_t expected_ms = run_expected_wait_ms(run);
    if (expected_ms <= limit_ms)
        return 0;
    return err_set(err, ERR_BUSY,
                   "a slot is expected in %llu ms, and the run waits no longer than "
                   "%llu ms",
                   (unsigned long long)expected_ms, (unsigned long long)limit_ms);
}

unsigned engine_retry_after_s(const struct engine *engine)
{
    if (engine->config.carrier)
        return (unsigned)MIN(1 + carried_wait_ms(engine) / 1000, (uint64_t)RETRY_AFTER_MAX_S);
    if (engine->queue.len < engine_free_slots(engine))
        return 1;
    uint64_t seconds = 1 + wait_ms(engine, engine->queue.turns.len) / 1000;
    return (unsigned)MIN(seconds, (uint64_t)RETRY_AFTER_MAX_S);
}
