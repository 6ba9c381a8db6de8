/* SPDX-License-Identifier: MIT */
/* serve_counts.c — what becomes of runs, in the log and in figures. Never of what a
 * program said, nor of its source. */
#include "cli/process.h"
#include "cli/serve_private.h"
#include "cli/versions.h"
#include "loop/loop.h"
#include "observe/log.h"

enum { STEP_MS = 10 * 1000 };

static uint64_t now_ms(void)
{
    return loop_now_ns() / NS_PER_MS;
}

/* Nothing changes them without the observer's being told. */
static void note_levels(struct service *service)
{
    const struct engine *engine = service->wiring->engine;
    history_levels(&service->stats.history, now_ms(), engine_queued(engine),
                   engine_running(engine));
}

static void count_ended(struct stats *stats, const struct run *run)
{
    const struct run_result *result = run_result(run);
    tally_add(&stats->verdicts, verdict_name(result->verdict));
    tally_add(&stats->languages, run_language(run)->name);
    latency_add(&stats->queued, result->usage.queued_ms);
    latency_add(&stats->wall, result->usage.wall_ms);
    histogram_add(&stats->queued_all, result->usage.queued_ms);
    histogram_add(&stats->wall_all, result->usage.wall_ms);
    history_ended(&stats->history, now_ms(), result->usage.wall_ms);
}

void service_observe(void *context, const struct run *run)
{
    struct service *service = context;
    note_levels(service);
    if (run_state(run) != RUN_FINISHED)
        return;
    process_log_run(run);
    count_ended(&service->stats, run);
}

void service_start_counts(struct service *service)
{
    const struct wiring *wiring = service->wiring;
    service->stats.engine = wiring->engine;
    service->stats.store = service->store;
    service->stats.version = RUNNEL_VERSION;
    service->stats.slots = wiring_concurrency(&wiring->config);
    service->stats.queue_length = wiring->config.queue_length;
    service->stats.memory_bytes = wiring_memory_bytes(&wiring->config);
    service->stats.started_ns = loop_now_ns();
    history_init(&service->stats.history, STEP_MS, now_ms());
}
