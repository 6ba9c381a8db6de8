/* SPDX-License-Identifier: MIT */
/* runs_event.h — a run's events as /v1 tells them, over WebSocket and SSE alike:
 *
 *     {"n":1,"t":12,"type":"state","state":"running"}
 *     {"n":2,"t":13,"type":"stdout","data":"text"}        stderr, notice
 *     {"n":3,"t":13,"type":"gap","lost_bytes":123}
 *     {"n":9,"t":700,"type":"end","verdict":"succeeded", …}
 *
 * n numbers them from 1, t is milliseconds since the run was submitted.
 */
#ifndef RUNNEL_DIALECT_RUNS_EVENT_H
#define RUNNEL_DIALECT_RUNS_EVENT_H

#include "base/buf.h"
#include "base/util.h"
#include "dialect/request_schema.h"

struct engine;
struct event;
struct json;
struct limits;
struct run;
struct run_result;

/* An event's bytes are at most a block of the log; escaped, six times as many. */
#define RUNS_EVENT_MAX MIB

/* What is told of the end; result is NULL until then. */
struct runs_outcome {
    const struct run_result *result;
    const struct limits *limits;
    const char *isolation;
    unsigned attempt;
    const char *worker; /* NULL: as run_worker_name */
};
struct runs_outcome runs_outcome_of(const struct run *run, const struct engine *engine);

const char *runs_event_type(const struct event *event);
void runs_event_write(struct buf *buf, const struct event *event,
                      const struct runs_outcome *outcome);

/* verdict, reason, exit_code, signal: all null while there is no result. */
void runs_write_verdict(struct json *json, const struct run_result *result);
/* The fields of a result: verdict, reason, exit_code, signal, usage, limits …
 * Before the end the first four are there, and null. */
void runs_write_result(struct json *json, const struct runs_outcome *outcome);

/* An event as it is sent. */
extern const struct schema runs_event_schema;

/* The rows of runs_write_verdict; in an event only `end` has them. */
extern const char *const runs_verdicts[];
/* clang-format off */
#define RUNS_VERDICT_ROWS(always_) \
    {"verdict",   SCHEMA_TEXT,   .required = always_, .nullable = true, .choices = runs_verdicts, \
     .help = "why it ended; null until then"}, \
    {"reason",    SCHEMA_TEXT,   .required = always_, .nullable = true, .help = "the same in a sentence"}, \
    {"exit_code", SCHEMA_NUMBER, .required = always_, .nullable = true, \
     .help = "the program's; of one that was ended, as a shell says it"}, \
    {"signal",    SCHEMA_NUMBER, .required = always_, .nullable = true, .help = "that ended it"}
/* clang-format on */

#endif
