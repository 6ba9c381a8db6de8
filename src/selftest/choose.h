/* SPDX-License-Identifier: MIT */
/* choose.h — which rows are run, and why the others are not. */
#ifndef RUNNEL_SELFTEST_CHOOSE_H
#define RUNNEL_SELFTEST_CHOOSE_H

#include "selftest/selftest.h"

/* The rows that were asked for, as ROW_WAITS or, with the reason, ROW_SKIPPED. The caller
 * frees the results and their reasons. ERR_INVALID when none was. */
int choose_rows(const struct selftest_spec *spec, struct row_result **ret_results,
                size_t *ret_count, struct err *err);

/* Limits that the ceiling makes lower than the row has them otherwise, a bit for each; of those
 * that bear on what a program does. */
unsigned choose_cut_limits(const struct corpus_row *row, const struct language *language,
                           const struct limits *ceiling);

#endif
