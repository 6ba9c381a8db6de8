/* SPDX-License-Identifier: MIT */
/* figures.h — medians and spreads of what was measured in rounds. */
#ifndef RUNNEL_BENCH_FIGURES_H
#define RUNNEL_BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>

enum { ROUNDS_MAX = 64 };

struct figures {
    double value[ROUNDS_MAX];
    size_t count;
};

void figures_add(struct figures *figures, double value);
/* "0.52 (0.50 to 0.55)": the median, and the quartiles. */
void figures_print(const char *what, struct figures *figures, const char *unit);
double median(double *values, size_t count); /* sorts them */
double now_ms(void);
unsigned number_of(const char *argument); /* 0: it is none, or negative, or too big */

#endif
