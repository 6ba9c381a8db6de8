/* SPDX-License-Identifier: MIT */
#include "dialect/result_fields.h"

#include "codec/json_write.h"
#include "engine/engine.h"

/* clang-format off */
static const struct schema_field usage_fields[] = {
    {"wall_ms",           SCHEMA_NUMBER, .required = true, .help = "from the program's start to its end"},
    {"cpu_ms",            SCHEMA_NUMBER, .required = true, .help = "of all processes of all stages"},
    {"compile_ms",        SCHEMA_NUMBER, .required = true, .help = "from the compiler's start to its end"},
    {"memory_peak_bytes", SCHEMA_NUMBER, .required = true, .help = "the most that it used"},
    {"max_rss_mb",        SCHEMA_NUMBER, .required = true, .help = "the same in MiB, rounded up"},
    {"queued_ms",         SCHEMA_NUMBER, .required = true, .help = "how long it waited for a slot"},
    {NULL},
};
static const struct schema_field hits_fields[] = {
    {"processes",  SCHEMA_NUMBER, .required = true, .help = "processes that could not be started"},
    {"workspace",  SCHEMA_NUMBER, .required = true, .help = "1: its disk was full at the end"},
    {"file_size",  SCHEMA_NUMBER, .required = true, .help = "1: a file too large ended it"},
    {"open_files", SCHEMA_NUMBER, .required = true, .help = "0: the kernel does not count them"},
    {NULL},
};
/* clang-format on */
const struct schema result_usage_schema = {"Usage", usage_fields, "What a run used."};
const struct schema result_hits_schema = {"LimitHits", hits_fields,
                                          "How often a run met limits that do not end it."};

void result_usage_write(struct json *json, const struct run_usage *usage)
{
    json_open_object(json, "usage");
    json_u64(json, "wall_ms", usage->wall_ms);
    json_u64(json, "cpu_ms", usage->cpu_ms);
    json_u64(json, "compile_ms", usage->compile_ms);
    json_u64(json, "memory_peak_bytes", usage->memory_peak_bytes);
    json_u64(json, "max_rss_mb", (usage->memory_peak_bytes + MIB - 1) / MIB);
    json_u64(json, "queued_ms", usage->queued_ms);
    json_close_object(json);
}

static bool is_of_artifacts(enum limit limit)
{
    return limit == LIMIT_ARTIFACT_FILES || limit == LIMIT_ARTIFACT_BYTES;
}

void result_limits_write(struct json *json, const struct limits *limits, bool keeps_artifacts)
{
    json_open_object(json, "limits");
    for (int i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info((enum limit)i);
        uint64_t value = limits->value[i];
        if (value == 0 && !(keeps_artifacts && is_of_artifacts((enum limit)i)))
            continue;
        if (value % info->scale == 0)
            json_u64(json, info->json_name, value / info->scale);
        else
            json_milli(json, info->json_name,
                       value / info->scale * 1000 + value % info->scale * 1000 / info->scale);
    }
    json_close_object(json);
}

void result_hits_write(struct json *json, const struct limit_hits *hits)
{
    json_open_object(json, "limits_hit");
    json_u64(json, "processes", hits->processes);
    json_u64(json, "workspace", hits->workspace);
    json_u64(json, "file_size", hits->file_size);
    json_u64(json, "open_files", hits->open_files);
    json_close_object(json);
}

void result_refused_write(struct json *json, const struct run_artifact *artifacts, size_t count,
                          uint64_t unlisted)
{
    json_open_array(json, "artifacts_refused");
    for (size_t i = 0; i < count; i++) {
        if (!artifacts[i].refusal)
            continue;
        json_open_object(json, NULL);
        json_text(json, "name", artifacts[i].path);
        json_text(json, "reason", artifacts[i].refusal);
        json_close_object(json);
    }
    json_close_array(json);
    json_u64(json, "artifacts_unlisted", unlisted);
}

void result_fields_write(struct json *json, const struct run *run, const char *isolation)
{
    const struct run_result *result = run_result(run);
    result_usage_write(json, &result->usage);
    result_limits_write(json, run_limits(run), false);
    json_text(json, "isolation", isolation);
    result_hits_write(json, &result->hits);
}
