/* SPDX-License-Identifier: MIT */
/* history.h — the last hour in steps: how much waited and went on, how much ended and
 * how long it took. For pictures; in bounded memory.
 *
 *     history_init(&history, 10000, now_ms);
 *     history_levels(&history, now_ms, 3, 2);
 *     history_ended(&history, now_ms, 120);
 *     for (size_t i = 0; i < history_count(&history, now_ms); i++)
 *         point = history_at(&history, i);
 *
 * now_ms is of any clock that does not go back. A level stays until another is said.
 */
#ifndef RUNNEL_OBSERVE_HISTORY_H
#define RUNNEL_OBSERVE_HISTORY_H

#include "observe/latency.h"

enum { HISTORY_POINTS = 360 };

struct history_point {
    uint64_t start_ms;
    uint64_t queued;  /* the most at once */
    uint64_t running; /* the most at once */
    uint64_t ended;
    uint64_t p50_ms; /* of the newest that ended; 0 when none did */
    uint64_t p95_ms;
};

struct history {
    uint64_t step_ms;
    struct history_point points[HISTORY_POINTS]; /* a ring of steps that are over */
    size_t count;
    size_t next;
    struct history_point now; /* the step that goes on */
    struct latency latency;   /* of it */
    uint64_t queued;
    uint64_t running;
};

void history_init(struct history *history, uint64_t step_ms, uint64_t now_ms);
void history_levels(struct history *history, uint64_t now_ms, uint64_t queued, uint64_t running);
void history_ended(struct history *history, uint64_t now_ms, uint64_t ms);
/* Of the steps that are over; at 0 is the oldest. */
size_t history_count(struct history *history, uint64_t now_ms);
struct history_point history_at(const struct history *history, size_t index);

#endif
