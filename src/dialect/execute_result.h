/* SPDX-License-Identifier: MIT */
/* execute_result.h — what a run said and how it ended, in the words of
 * `POST /execute`. */
#ifndef RUNNEL_DIALECT_EXECUTE_RESULT_H
#define RUNNEL_DIALECT_EXECUTE_RESULT_H

#include "dialect/result_output.h"

struct run;

/* The run must have its result. */
void execute_write_result(struct buf *body, const struct run *run,
                          const struct result_output *output, const char *isolation);

#endif
