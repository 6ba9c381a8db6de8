/* SPDX-License-Identifier: MIT */
#include "dialect/result_fields.h"

#include "codec/json_write.h"
#include "engine/engine.h"

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

void result_limits_write(struct json *json, const struct limits *limits)
{
    json_open_object(json, "limits");
    for (int i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info((enum limit)i);
        uint64_t value = limits->value[i];
        if (value == 0)
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

void result_fields_write(struct json *json, const struct run *run, const char *isolation)
{
    const struct run_result *result = run_result(run);
    result_usage_write(json, &result->usage);
    result_limits_write(json, run_limits(run));
    json_text(json, "isolation", isolation);
    result_hits_write(json, &result->hits);
}
