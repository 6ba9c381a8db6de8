/* SPDX-License-Identifier: MIT */
/* execute_result.h — what a run said and how it ended, in the words of
 * `POST /execute`. */
#ifndef RUNNEL_DIALECT_EXECUTE_RESULT_H
#define RUNNEL_DIALECT_EXECUTE_RESULT_H

#include "base/buf.h"
#include "base/util.h"

struct event;
struct run;
struct run_result;

/* The answer is one piece of memory, so a run may not ask for more output. */
#define EXECUTE_OUTPUT_MAX (4 * MIB)
/* What is not UTF-8 becomes three bytes; a control character becomes six, and
 * each of two streams is there twice, merged and apart: 24 for one. */
#define EXECUTE_STREAM_MAX (3 * EXECUTE_OUTPUT_MAX)
#define EXECUTE_RESULT_MAX (24 * EXECUTE_OUTPUT_MAX + 64 * KIB)

struct execute_output {
    struct buf merged; /* both streams, in the order of the log */
    struct buf out;
    struct buf err;
};

void execute_output_init(struct execute_output *output);
void execute_output_fini(struct execute_output *output);
void execute_output_add(struct execute_output *output, const struct event *event);

/* The exit status as these clients know it: 124 for the limits of time, 128 and
 * the signal for what a signal ended, else the program's. */
int execute_exit_code(const struct run_result *result);
/* The run must have its result. */
void execute_write_result(struct buf *body, const struct run *run,
                          const struct execute_output *output, const char *isolation);

#endif
