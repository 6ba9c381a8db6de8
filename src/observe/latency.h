/* SPDX-License-Identifier: MIT */
/* latency.h — how long the last of many things took: their quantiles, in bounded memory.
 *
 *     struct latency latency = {0};
 *     latency_add(&latency, 12);
 *     latency_quantiles(&latency).p95_ms
 *
 * The newest LATENCY_SAMPLES count. A quantile is a value that was there (nearest rank),
 * so that one slow thing among few is not averaged away.
 */
#ifndef RUNNEL_OBSERVE_LATENCY_H
#define RUNNEL_OBSERVE_LATENCY_H

#include <stddef.h>
#include <stdint.h>

enum { LATENCY_SAMPLES = 1024 };

struct latency { /* zeroed: nothing yet */
    uint64_t samples_ms[LATENCY_SAMPLES];
    size_t count;
    size_t next;
};

struct latency_quantiles {
    size_t count; /* of what; the others are 0 when it is */
    uint64_t p50_ms;
    uint64_t p95_ms;
    uint64_t p99_ms;
};

void latency_add(struct latency *latency, uint64_t ms);
void latency_clear(struct latency *latency);
struct latency_quantiles latency_quantiles(const struct latency *latency);

#endif
