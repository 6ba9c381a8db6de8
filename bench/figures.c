/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void figures_add(struct figures *figures, double value)
{
    if (figures->count < ROUNDS_MAX)
        figures->value[figures->count++] = value;
}

static int compare(const void *one, const void *two)
{
    double a = *(const double *)one;
    double b = *(const double *)two;
    return (a > b) - (a < b);
}

void figures_print(const char *what, struct figures *figures, const char *unit)
{
    size_t n = figures->count;
    if (n == 0)
        return;
    double middle = median(figures->value, n);
    (void)printf("| %s | %.2f%s | %.2f to %.2f |\n", what, middle, unit, figures->value[n / 4],
                 figures->value[n - 1 - n / 4]);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

unsigned number_of(const char *argument)
{
    char *end = NULL;
    unsigned long value = strtoul(argument, &end, 10);
    return *end != '\0' || value > INT_MAX ? 0 : (unsigned)value;
}
