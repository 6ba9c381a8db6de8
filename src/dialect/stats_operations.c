/* SPDX-License-Identifier: MIT */
#include "dialect/stats_operations.h"

/* clang-format off */
static const struct schema_field store_fields[] = {
    {"bytes",      SCHEMA_NUMBER, .required = true, .help = "of all runs and files"},
    {"free_bytes", SCHEMA_NUMBER, .required = true, .help = "of the disk"},
    {"runs",       SCHEMA_NUMBER, .required = true, .help = "that are stored"},
    {"files",      SCHEMA_NUMBER, .required = true, .help = "uploads and artifacts"},
    {NULL},
};
static const struct schema store_schema = {.fields = store_fields};

static const struct schema_field worker_fields[] = {
    {"name",            SCHEMA_TEXT,    .required = true},
    {"host",            SCHEMA_TEXT,    .required = true},
    {"version",         SCHEMA_TEXT,    .required = true},
    {"slots",           SCHEMA_NUMBER,  .required = true, .help = "runs at once"},
    {"running",         SCHEMA_NUMBER,  .required = true},
    {"memory_mb",       SCHEMA_NUMBER,  .required = true, .help = "that may be promised to boxes; 0: not bounded"},
    {"promised_mb",     SCHEMA_NUMBER,  .required = true, .help = "that is"},
    {"load",            SCHEMA_MILLI,   .required = true, .help = "of its machine, over a minute"},
    {"service_ms",      SCHEMA_NUMBER,  .required = true, .help = "how long a run holds a slot, of late"},
    {"last_seen_ms",    SCHEMA_NUMBER,  .required = true, .help = "ago"},
    {"draining",        SCHEMA_BOOL,    .required = true, .help = "takes no more runs"},
    {NULL},
};
static const struct schema worker_schema = {.fields = worker_fields};

static const struct schema_field ended_fields[] = {
    {"total",     SCHEMA_NUMBER, .required = true, .help = "runs that ended since the start"},
    {"verdicts",  SCHEMA_COUNTS, .required = true, .help = "how many by verdict"},
    {"languages", SCHEMA_COUNTS, .required = true, .help = "how many by language"},
    {NULL},
};
static const struct schema ended_schema = {.fields = ended_fields};

static const struct schema_field quantile_fields[] = {
    {"p50", SCHEMA_NUMBER, .required = true, .help = "the median"},
    {"p95", SCHEMA_NUMBER, .required = true, .help = "of 95 in 100"},
    {"p99", SCHEMA_NUMBER, .required = true, .help = "of 99 in 100"},
    {NULL},
};
static const struct schema quantile_schema = {.fields = quantile_fields};

static const struct schema_field latency_fields[] = {
    {"runs",      SCHEMA_NUMBER, .required = true, .help = "the last ones, that these are of"},
    {"queued_ms", SCHEMA_OBJECT, .required = true, .nullable = true, .items = &quantile_schema, .help = "until they got a slot"},
    {"wall_ms",   SCHEMA_OBJECT, .required = true, .nullable = true, .items = &quantile_schema, .help = "of the program"},
    {NULL},
};
static const struct schema latency_schema = {.fields = latency_fields};

static const struct schema_field point_fields[] = {
    {"t",           SCHEMA_NUMBER, .required = true, .help = "its beginning, in milliseconds since 1970"},
    {"queued",      SCHEMA_NUMBER, .required = true, .help = "the most that waited"},
    {"running",     SCHEMA_NUMBER, .required = true, .help = "the most that ran"},
    {"ended",       SCHEMA_NUMBER, .required = true, .help = "runs that ended in it"},
    {"p50_wall_ms", SCHEMA_NUMBER, .required = true, .nullable = true, .help = "of those"},
    {"p95_wall_ms", SCHEMA_NUMBER, .required = true, .nullable = true, .help = "of those"},
    {NULL},
};
static const struct schema point_schema = {.fields = point_fields};

static const struct schema_field history_fields[] = {
    {"step_ms", SCHEMA_NUMBER,  .required = true, .help = "from one point to the next"},
    {"points",  SCHEMA_OBJECTS, .required = true, .items = &point_schema, .help = "of the last hour, oldest first"},
    {NULL},
};
static const struct schema history_schema = {.fields = history_fields};

static const struct schema_field stats_fields[] = {
    {"version",      SCHEMA_TEXT,   .required = true, .help = "of the service"},
    {"isolation",    SCHEMA_TEXT,   .required = true, .help = "of every run"},
    {"uptime_s",     SCHEMA_NUMBER, .required = true, .help = "since it started"},
    {"slots",        SCHEMA_NUMBER, .required = true, .help = "runs at once; where there is a broker those of all workers"},
    {"running",      SCHEMA_NUMBER, .required = true, .help = "now"},
    {"queued",       SCHEMA_NUMBER, .required = true, .help = "now"},
    {"queued_by_priority", SCHEMA_COUNTS, .required = true, .help = "now"},
    {"queue_length", SCHEMA_NUMBER, .required = true, .help = "runs that may wait"},
    {"memory_promised_bytes", SCHEMA_NUMBER, .required = true, .help = "to runs that have a slot; 0 where it is not bounded"},
    {"memory_bytes", SCHEMA_NUMBER, .required = true, .help = "that they may be promised together; 0 is any"},
    {"workers",      SCHEMA_OBJECTS, .items = &worker_schema, .help = "that carry runs out, where there is a broker"},
    {"store",        SCHEMA_OBJECT, .required = true, .items = &store_schema},
    {"ended",        SCHEMA_OBJECT, .required = true, .items = &ended_schema},
    {"latency",      SCHEMA_OBJECT, .required = true, .items = &latency_schema},
    {"history",      SCHEMA_OBJECT, .required = true, .items = &history_schema},
    {NULL},
};
static const struct schema stats_schema = {"Stats", stats_fields, "What the service does, and did lately."};
/* clang-format on */

const struct operation stats_operations[] = {
    {
        .method = "GET",
        .path = "/v1/stats",
        .id = "get_stats",
        .tag = OPERATION_SYSTEM,
        .summary = "What the service does, and did lately",
        .answers = {{200, "The figures.", &stats_schema}},
    },
    {0},
};
