/* SPDX-License-Identifier: MIT */
#include "observe/histogram.h"

/* From a warm echo to the longest that a run may take by default. */
const uint64_t histogram_bounds_ms[HISTOGRAM_BOUNDS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 600000,
};

void histogram_add(struct histogram *histogram, uint64_t ms)
{
    size_t i = 0;
    while (i < HISTOGRAM_BOUNDS && ms > histogram_bounds_ms[i])
        i++;
    histogram->counts[i]++;
    histogram->sum_ms += ms;
}
