/* SPDX-License-Identifier: MIT */
/* run_usage.c — what a program uses while it runs, as events for those who look
 * on: of a streaming run, as long as it has readers. The result's figures are
 * not made of these. */
#include <string.h>

#include "engine/engine_private.h"

enum { SAMPLE_MS = 500 };

static bool is_wanted(const struct run *run)
{
    return run->log.ring && run->stage && run->started && !run->killed &&
           !run->facts.in_compile_stage;
}

static void on_timer(void *context)
{
    struct run *run = context;
    if (!is_wanted(run))
        return;
    loop_timer_start(run->usage.timer, SAMPLE_MS);
    if (list_empty(&run->log.cursors))
        return;
    run->usage.is_asked = true;
    run->stage->executor->ops->stage_sample(run->stage);
}

void run_usage_start(struct run *run)
{
    if (!is_wanted(run))
        return;
    if (!run->usage.timer)
        run->usage.timer = loop_timer_new(run->engine->loop, on_timer, run);
    loop_timer_start(run->usage.timer, SAMPLE_MS);
}

/* What has not changed is not told again. */
void run_usage_sampled(struct run *run, const struct stage_usage *usage)
{
    struct log_usage now = {
        .cpu_ms = usage->cpu_ns / NS_PER_MS,
        .memory_bytes = usage->memory_bytes,
    };
    if (!run->usage.is_asked)
        return;
    run->usage.is_asked = false;
    if (memcmp(&now, &run->usage.last, sizeof now) == 0)
        return;
    run->usage.last = now;
    if (output_log_add(&run->log, EVENT_USAGE, (struct slice){(const char *)&now, sizeof now},
                       run_time_ms(run)) == 0)
        run_tell_readers(run);
}

void run_usage_free(struct run *run)
{
    loop_timer_free(run->usage.timer);
    run->usage.timer = NULL;
}
