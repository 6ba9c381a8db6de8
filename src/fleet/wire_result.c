/* SPDX-License-Identifier: MIT */
/* wire_result.c — a run's end, and with it, of a run whose output is bounded, all that it
 * said: events as they go over the stream, one after the other. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/wire_private.h"

/* One row per number, so that none can be written and not read. */
static const struct number {
    const char *name;
    size_t at; /* in a run_result */
} numbers[] = {
#define AT(member) offsetof(struct run_result, member)
    {"wall_ms", AT(usage.wall_ms)},          {"cpu_ms", AT(usage.cpu_ms)},
    {"compile_ms", AT(usage.compile_ms)},    {"memory_peak_bytes", AT(usage.memory_peak_bytes)},
    {"queued_ms", AT(usage.queued_ms)},      {"hit_processes", AT(hits.processes)},
    {"hit_workspace", AT(hits.workspace)},   {"hit_file_size", AT(hits.file_size)},
    {"hit_open_files", AT(hits.open_files)}, {"artifacts_unlisted", AT(artifacts_unlisted)},
#undef AT
};

/* Signals and exit codes, as Linux has them. */
enum { SIGNAL_MAX = 64, EXIT_CODE_MAX = 255 };

/* --- to text --- */

static void write_event(struct json *json, const struct carried_event *event, struct buf *scratch)
{
    buf_clear(scratch);
    event_encode(event, scratch);
    wire_write_bytes(json, NULL, buf_slice(scratch));
    json->buf->failed = json->buf->failed || scratch->failed;
}

static void write_events(struct json *json, const struct job_result *result)
{
    auto_buf struct buf scratch;
    buf_init(&scratch, json->buf->max);
    json_open_array(json, "events");
    for (size_t i = 0; i < result->event_count; i++)
        write_event(json, &result->events[i], &scratch);
    json_close_array(json);
}

static void write_artifacts(struct json *json, const struct job_result *result)
{
    json_open_array(json, "artifacts");
    for (size_t i = 0; i < result->artifact_count; i++) {
        const struct run_artifact *artifact = &result->artifacts[i];
        json_open_object(json, NULL);
        wire_write_bytes(json, "path", slice_of(artifact->path));
        wire_write_u64(json, "size", artifact->size);
        if (artifact->refusal)
            json_text(json, "refusal", artifact->refusal);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_end(struct json *json, const struct run_result *end)
{
    json_text(json, "verdict", verdict_name(end->verdict));
    json_text(json, "reason", end->reason);
    json_bool(json, "compile_stage", end->compile_stage);
    json_i64(json, "exit_code", end->exit_code);
    json_i64(json, "signal", end->signal);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        wire_write_u64(json, numbers[i].name,
                       *(const uint64_t *)((const char *)end + numbers[i].at));
}

int result_encode(const struct job_result *result, bool events, struct buf *text)
{
    struct json json = json_start(text);
    json_open_object(&json, NULL);
    wire_write_version(&json);
    json_text(&json, "id", result->id);
    json_text(&json, "worker", result->worker);
    json_u64(&json, "attempt", result->attempt);
    write_end(&json, &result->result);
    wire_write_u64(&json, "last_event", result->last_event);
    if (result->artifact_count > 0)
        write_artifacts(&json, result);
    if (events)
        write_events(&json, result);
    json_close_object(&json);
    return text->failed ? -1 : 0;
}

/* --- from text --- */

static int read_events(const json_t *tree, struct wire_space *space, struct job_result *result,
                       struct err *err)
{
    const json_t *array;
    int found = wire_read_array(tree, "events", &array, err);
    if (found <= 0)
        return found;
    size_t count = json_array_size(array);
    result->events = wire_space_take(space, count + 1, sizeof *result->events, err);
    if (!result->events)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct slice text = {0};
        if (wire_take_bytes(json_array_get(array, i), "events", space, &text, err) < 0 ||
            event_decode(text, &result->events[i], err) < 0)
            return err_wrap(err, "event %zu", i + 1);
    }
    result->event_count = count;
    return 1;
}

/* The path is a copy, because run_artifact's is not const. */
static int read_artifact(const json_t *item, struct wire_space *space,
                         struct run_artifact *artifact, struct err *err)
{
    const char *path = NULL;
    struct slice refusal = {0};
    *artifact = (struct run_artifact){.fd = -1};
    if (wire_read_text(item, "path", space, &path, err) < 0 ||
        wire_read_u64(item, "size", UINT64_MAX, &artifact->size, err) < 0 ||
        json_read_text(item, "refusal", &refusal, err) < 0)
        return -1;
    if (!path)
        return err_field(err, "artifacts", "one has no path");
    artifact->path = wire_space_take(space, strlen(path) + 1, 1, err);
    if (!artifact->path)
        return -1;
    memcpy(artifact->path, path, strlen(path) + 1);
    artifact->refusal = refusal.at;
    return 0;
}

static int read_artifacts(const json_t *tree, struct wire_space *space, struct job_result *result,
                          struct err *err)
{
    const json_t *array;
    int found = wire_read_array(tree, "artifacts", &array, err);
    if (found <= 0)
        return found;
    size_t count = json_array_size(array);
    result->artifacts = wire_space_take(space, count + 1, sizeof *result->artifacts, err);
    if (!result->artifacts)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (read_artifact(json_array_get(array, i), space, &result->artifacts[i], err) < 0)
            return -1;
    }
    result->artifact_count = count;
    return 1;
}

/* -1 is a number here: no stage ended the run. */
static int read_exit(const json_t *tree, struct run_result *end, struct err *err)
{
    const json_t *code = json_object_get(tree, "exit_code");
    uint64_t signal = 0;
    end->exit_code = -1;
    if (wire_read_u64(tree, "signal", SIGNAL_MAX, &signal, err) < 0)
        return -1;
    end->signal = (int)signal;
    if (!code || json_is_null(code))
        return 0;
    json_int_t number = json_integer_value(code);
    if (!json_is_integer(code) || number < -1 || number > EXIT_CODE_MAX)
        return err_field(err, "exit_code", "exit_code must be from -1 to %d", EXIT_CODE_MAX);
    end->exit_code = (int)number;
    return 1;
}

static int read_verdict(const json_t *tree, enum verdict *ret_verdict, struct err *err)
{
    const char *names[VERDICT_COUNT + 1] = {0};
    unsigned verdict = 0;
    for (enum verdict i = 0; i < VERDICT_COUNT; i++)
        names[i] = verdict_name(i);
    int found = wire_read_word(tree, "verdict", names, &verdict, err);
    if (found == 0)
        return err_field(err, "verdict", "verdict is missing");
    *ret_verdict = (enum verdict)verdict;
    return found;
}

static int read_end(const json_t *tree, struct run_result *end, struct err *err)
{
    if (read_verdict(tree, &end->verdict, err) < 0 ||
        wire_read_sentence(tree, "reason", end->reason, sizeof end->reason, err) < 0 ||
        json_read_bool(tree, "compile_stage", &end->compile_stage, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint64_t *number = (uint64_t *)((char *)end + numbers[i].at);
        if (wire_read_u64(tree, numbers[i].name, UINT64_MAX, number, err) < 0)
            return -1;
    }
    return read_exit(tree, end, err);
}

static int read_result(const json_t *tree, struct wire_space *space, struct job_result *result,
                       struct err *err)
{
    int id = wire_read_name(tree, "id", result->id, sizeof result->id, err);
    if (id == 0)
        return err_field(err, "id", "id is missing");
    if (id < 0 || wire_read_name(tree, "worker", result->worker, sizeof result->worker, err) < 0 ||
        wire_read_unsigned(tree, "attempt", &result->attempt, err) < 0 ||
        wire_read_u64(tree, "last_event", UINT64_MAX, &result->last_event, err) < 0 ||
        read_end(tree, &result->result, err) < 0 || read_artifacts(tree, space, result, err) < 0)
        return -1;
    return read_events(tree, space, result, err);
}

int result_decode(struct slice text, struct job_result *ret_result, struct err *err)
{
    struct job_result result = {0};
    struct wire_space space;
    result.tree = wire_read_object(text, RESULT_MAX_BYTES, err);
    if (result.tree) {
        size_t size = wire_array_size(result.tree, "events", sizeof *result.events) +
                      wire_array_size(result.tree, "artifacts", sizeof *result.artifacts);
        /* Twice: a path is decoded, and copied. */
        result.arrays = wire_space_make(&space, size, 2 * text.len, err);
    }
    if (!result.arrays || read_result(result.tree, &space, &result, err) < 0) {
        result_fini(&result);
        return err_wrap(err, "not a result");
    }
    *ret_result = result;
    return 0;
}

void result_fini(struct job_result *result)
{
    json_decref(result->tree);
    free(result->arrays);
    *result = (struct job_result){0};
}
