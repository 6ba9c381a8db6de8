/* SPDX-License-Identifier: MIT */
/* histogram.h — how long all of many things took, since the start: how many took up to each
 * of a few bounds. For those who ask again and again and look at what was added; where only
 * the last ones count, see latency.h.
 */
#ifndef RUNNEL_OBSERVE_HISTOGRAM_H
#define RUNNEL_OBSERVE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 14 };

extern const uint64_t histogram_bounds_ms[HISTOGRAM_BOUNDS]; /* rising */

struct histogram {                         /* zeroed: nothing yet */
    uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* above the bound before, up to this one; last: more */
    uint64_t sum_ms;
};

void histogram_add(struct histogram *histogram, uint64_t ms);

#endif
