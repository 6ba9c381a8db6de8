/* SPDX-License-Identifier: MIT */
#include "observe/history.h"

#include <assert.h>

#include "base/util.h"

static void begin(struct history *history, uint64_t start_ms)
{
    latency_clear(&history->latency);
    history->now = (struct history_point){
        .start_ms = start_ms,
        .queued = history->queued,
        .running = history->running,
    };
}

static void finish(struct history *history)
{
    struct latency_quantiles quantiles = latency_quantiles(&history->latency);
    history->now.p50_ms = quantiles.p50_ms;
    history->now.p95_ms = quantiles.p95_ms;
    history->points[history->next] = history->now;
    history->next = (history->next + 1) % HISTORY_POINTS;
    if (history->count < HISTORY_POINTS)
        history->count++;
}

/* Ends the steps that are over by now. After a long silence, those alone that are kept. */
static void advance(struct history *history, uint64_t now_ms)
{
    uint64_t start_ms = history->now.start_ms;
    uint64_t steps = now_ms > start_ms ? (now_ms - start_ms) / history->step_ms : 0;
    if (steps > HISTORY_POINTS) {
        finish(history);
        begin(history, start_ms + (steps - HISTORY_POINTS) * history->step_ms);
        steps = HISTORY_POINTS;
    }
    for (; steps > 0; steps--) {
        finish(history);
        begin(history, history->now.start_ms + history->step_ms);
    }
}

void history_init(struct history *history, uint64_t step_ms, uint64_t now_ms)
{
    assert(step_ms > 0);
    *history = (struct history){.step_ms = step_ms};
    begin(history, now_ms);
}

void history_levels(struct history *history, uint64_t now_ms, uint64_t queued, uint64_t running)
{
    advance(history, now_ms);
    history->queued = queued;
    history->running = running;
    history->now.queued = MAX(history->now.queued, queued);
    history->now.running = MAX(history->now.running, running);
}

void history_ended(struct history *history, uint64_t now_ms, uint64_t ms)
{
    advance(history, now_ms);
    latency_add(&history->latency, ms);
    history->now.ended++;
}

size_t history_count(struct history *history, uint64_t now_ms)
{
    advance(history, now_ms);
    return history->count;
}

struct history_point history_at(const struct history *history, size_t index)
{
    assert(index < history->count);
    size_t oldest = history->next + HISTORY_POINTS - history->count;
    return history->points[(oldest + index) % HISTORY_POINTS];
}
