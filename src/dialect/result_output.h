/* SPDX-License-Identifier: MIT */
/* result_output.h — what a run said, gathered for an answer that tells all of it
 * at once, and its exit status as clients of such answers know it. */
#ifndef RUNNEL_DIALECT_RESULT_OUTPUT_H
#define RUNNEL_DIALECT_RESULT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/util.h"

struct event;
struct json;
struct run_result;

/* The answer is one piece of memory, so a run may not ask for more output. */
#define RESULT_OUTPUT_MAX (4 * MIB)
/* What is not UTF-8 becomes three bytes; a control character becomes six, and
 * each of two streams is there twice, merged and apart: 24 for one. What is kept of a run
 * may be longer than an answer: both streams apart, all of it escaped, and the rest. */
#define RESULT_STREAM_MAX (3 * RESULT_OUTPUT_MAX)
#define RESULT_BODY_MAX (12 * RESULT_STREAM_MAX + 16 * MIB)

struct result_output {
    unsigned attempt;  /* whose output it is: what came before a later one is void */
    struct buf merged; /* both streams, in the order of the log */
    struct buf out;
    struct buf err;
    bool is_cut;         /* some of it is not there, and was no more when it was gathered */
    uint64_t lost_bytes; /* that many, as far as it is known */
};

void result_output_init(struct result_output *output);
void result_output_fini(struct result_output *output);
/* Takes what is output, and counts what a gap says is none; an event of a new attempt begins
 * it anew. */
void result_output_add(struct result_output *output, const struct event *event);

/* Not all of it is there: it is too long for an answer, or (starved) memory was short. */
bool result_output_failed(const struct result_output *output);
bool result_output_starved(const struct result_output *output);

/* "lost_bytes", as an event's, when it is cut; else nothing. */
void result_output_write_lost(struct json *json, const struct result_output *output);

/* The exit status as these clients know it: 124 for the limits of time, 128 and
 * the signal for what a signal ended, else the program's. */
int result_exit_code(const struct run_result *result);

#endif
