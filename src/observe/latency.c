/* SPDX-License-Identifier: MIT */
#include "observe/latency.h"

#include <stdlib.h>
#include <string.h>

void latency_add(struct latency *latency, uint64_t ms)
{
    latency->samples_ms[latency->next] = ms;
    latency->next = (latency->next + 1) % LATENCY_SAMPLES;
    if (latency->count < LATENCY_SAMPLES)
        latency->count++;
}

void latency_clear(struct latency *latency)
{
    latency->count = 0;
    latency->next = 0;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The smallest that at least so many of a hundred are not above. */
static uint64_t rank(const uint64_t *sorted, size_t count, size_t percent)
{
    return sorted[(count * percent + 99) / 100 - 1];
}

struct latency_quantiles latency_quantiles(const struct latency *latency)
{
    uint64_t sorted[LATENCY_SAMPLES];
    size_t count = latency->count;
    if (count == 0)
        return (struct latency_quantiles){0};
    memcpy(sorted, latency->samples_ms, count * sizeof sorted[0]);
    qsort(sorted, count, sizeof sorted[0], compare);
    return (struct latency_quantiles){
        .count = count,
        .p50_ms = rank(sorted, count, 50),
        .p95_ms = rank(sorted, count, 95),
        .p99_ms = rank(sorted, count, 99),
    };
}
