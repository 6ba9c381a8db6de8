/* SPDX-License-Identifier: MIT */
#include "dialect/runs_event.h"

#include "codec/json_write.h"
#include "dialect/result_fields.h"
#include "dialect/result_output.h"
#include "engine/engine.h"

const char *const runs_verdicts[] = {
#define X(id, name, exit_status) name,
    VERDICT_TABLE(X)
#undef X
        NULL,
};
static const char *const type_words[] = {"state", "stdout", "stderr", "notice",
                                         "usage", "gap",    "end",    NULL};
static const char *const state_words[] = {"queued",  "preparing", "compiling", "running",
                                          "waiting", "finished",  NULL};

/* clang-format off */
static const struct schema_field event_fields[] = {
    {"n",    SCHEMA_NUMBER, .required = true, .help = "numbers them from 1, and rises; what was lost is a gap"},
    {"t",    SCHEMA_NUMBER, .required = true, .help = "milliseconds since the run was made"},
    {"type", SCHEMA_TEXT,   .required = true, .choices = type_words, .help = "what else it has"},
    {"state", SCHEMA_TEXT, .choices = state_words, .help = "state: the one it is in now"},
    {"attempt", SCHEMA_NUMBER,
     .help = "state: from the second time on that it is tried, because a worker was lost; what "
             "earlier ones said is void"},
    {"data", SCHEMA_TEXT, .help = "stdout, stderr, and notice, which is what a compiler says"},
    {"cpu_ms", SCHEMA_NUMBER, .help = "usage: until now"},
    {"memory_bytes", SCHEMA_NUMBER, .help = "usage: now"},
    {"lost_bytes", SCHEMA_NUMBER, .help = "gap: output that is not there any more"},
    RUNS_VERDICT_ROWS(false),
    {"usage", SCHEMA_OBJECT, .items = &result_usage_schema, .help = "end"},
    {"limits", SCHEMA_LIMITS_SET, .help = "end"},
    {"isolation", SCHEMA_TEXT, .help = "end"},
    {"limits_hit", SCHEMA_OBJECT, .items = &result_hits_schema, .help = "end"},
    {NULL},
};
/* clang-format on */
const struct schema runs_event_schema = {"Event", event_fields,
                                         "Something that happened in a run. `end` is the last."};

const char *runs_event_type(const struct event *event)
{
    static const char *const types[] = {
        [EVENT_STATE] = "state",   [EVENT_STDOUT] = "stdout", [EVENT_STDERR] = "stderr",
        [EVENT_NOTICE] = "notice", [EVENT_USAGE] = "usage",   [EVENT_GAP] = "gap",
        [EVENT_END] = "end",
    };
    return types[event->kind];
}

struct runs_outcome runs_outcome_of(const struct run *run, const struct engine *engine)
{
    return (struct runs_outcome){
        .result = run_result(run),
        .limits = run_limits(run),
        .isolation = engine_isolation(engine),
        .attempt = run_attempt(run),
        .worker = run_worker_name(run),
    };
}

void runs_write_verdict(struct json *json, const struct run_result *result)
{
    if (!result) {
        json_nothing(json, "verdict");
        json_nothing(json, "reason");
        json_nothing(json, "exit_code");
        json_nothing(json, "signal");
        return;
    }
    json_text(json, "verdict", verdict_name(result->verdict));
    json_text(json, "reason", result->reason);
    json_i64(json, "exit_code", result_exit_code(result));
    if (result->signal != 0)
        json_i64(json, "signal", result->signal);
    else
        json_nothing(json, "signal");
}

void runs_write_result(struct json *json, const struct runs_outcome *outcome)
{
    const struct run_result *result = outcome->result;
    runs_write_verdict(json, result);
    if (!result)
        return;
    result_usage_write(json, &result->usage);
    result_limits_write(json, outcome->limits, true);
    json_text(json, "isolation", outcome->isolation);
    result_hits_write(json, &result->hits);
}

void runs_event_write(struct buf *buf, const struct event *event,
                      const struct runs_outcome *outcome)
{
    struct json json = json_start(buf);
    json_open_object(&json, NULL);
    json_u64(&json, "n", event->number);
    json_u64(&json, "t", event->time_ms);
    json_text(&json, "type", runs_event_type(event));
    switch (event->kind) {
    case EVENT_STATE:
        json_text(&json, "state", run_state_name(event->state));
        if (event->attempt > 1)
            json_u64(&json, "attempt", event->attempt);
        break;
    case EVENT_STDOUT:
    case EVENT_STDERR:
    case EVENT_NOTICE:
        json_slice(&json, "data", event->bytes);
        break;
    case EVENT_USAGE:
        json_u64(&json, "cpu_ms", event->cpu_ms);
        json_u64(&json, "memory_bytes", event->memory_bytes);
        break;
    case EVENT_GAP:
        json_u64(&json, "lost_bytes", event->lost_bytes);
        break;
    case EVENT_END:
        runs_write_result(&json, outcome);
        break;
    }
    json_close_object(&json);
}
