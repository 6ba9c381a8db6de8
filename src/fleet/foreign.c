/* SPDX-License-Identifier: MIT */
/* foreign.c — names and topology, and the small messages: results and lines. */
#include "fleet/foreign.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_read.h"
#include "codec/json_write.h"

/* --- names --- */

static const struct {
    const char *ours;
    const char *theirs;
} names[] = {{"javascript", "nodejs"}};

const char *foreign_language(const struct language *language)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(language->name, names[i].ours) == 0)
            return names[i].theirs;
    }
    return language->name;
}

static struct fleet_key key_of(const char *prefix, const char *name)
{
    struct fleet_key key;
    (void)snprintf(key.text, sizeof key.text, "%s%s", prefix, name);
    return key;
}

struct fleet_key foreign_job_key(const struct language *language)
{
    return key_of("jobs.", foreign_language(language));
}

struct fleet_key foreign_result_key(const struct language *language)
{
    return key_of("results.", foreign_language(language));
}

struct fleet_key foreign_channel(const char *id)
{
    return key_of(FOREIGN_CHANNEL_PREFIX, id);
}

/* --- topology --- */

#define JOBS_OF(key_)                                                                 \
    {                                                                                 \
        .exchange = FOREIGN_JOBS_EXCHANGE, .queue = FOREIGN_JOBS_QUEUE, .key = (key_) \
    }

static const struct amqp_declaration rows_of_all[] = {
    {.exchange = FOREIGN_JOBS_EXCHANGE, .type = "topic", .durable = true},
    {.exchange = FOREIGN_RESULTS_EXCHANGE, .type = "topic", .durable = true},
    {.queue = FOREIGN_JOBS_QUEUE, .durable = true},
    JOBS_OF("jobs.python"),
    JOBS_OF("jobs.nodejs"),
    JOBS_OF("jobs.go"),
    JOBS_OF("jobs.rust"),
    JOBS_OF("jobs.java"),
};
static const struct amqp_declaration rows_of_results[] = {
    {.queue = FOREIGN_RESULTS_QUEUE, .durable = true},
    {.exchange = FOREIGN_RESULTS_EXCHANGE, .queue = FOREIGN_RESULTS_QUEUE, .key = "results.*"},
};
_Static_assert(ARRAY_LEN(rows_of_all) + ARRAY_LEN(rows_of_results) == FOREIGN_TOPOLOGY_MAX,
               "the rows have their room");

bool foreign_has_language(const struct language *language)
{
    struct fleet_key key = foreign_job_key(language);
    for (size_t i = 0; i < ARRAY_LEN(rows_of_all); i++) {
        if (rows_of_all[i].key && strcmp(rows_of_all[i].key, key.text) == 0)
            return true;
    }
    return false;
}

size_t foreign_topology(bool reads_results, struct amqp_declaration rows[FOREIGN_TOPOLOGY_MAX])
{
    memcpy(rows, rows_of_all, sizeof rows_of_all);
    if (reads_results)
        memcpy(rows + ARRAY_LEN(rows_of_all), rows_of_results, sizeof rows_of_results);
    return ARRAY_LEN(rows_of_all) + (reads_results ? ARRAY_LEN(rows_of_results) : 0);
}

/* --- a result --- */

void foreign_result_set_end(struct foreign_result *result, const struct run_result *end)
{
    bool succeeded = end->verdict == VERDICT_SUCCEEDED;
    result->exit_code = verdict_job_status(end->verdict, end->exit_code, end->signal);
    result->error = succeeded ? NULL : end->reason;
    result->has_duration = true;
    result->duration_ms = end->usage.compile_ms + end->usage.wall_ms;
}

struct run_result foreign_result_end(const struct foreign_result *result)
{
    bool succeeded = result->exit_code == 0;
    struct run_result end = {
        .verdict = succeeded ? VERDICT_SUCCEEDED : VERDICT_FAILED,
        .exit_code = result->exit_code,
        .usage.wall_ms = result->duration_ms,
    };
    const char *reason = succeeded ? "it exited with status 0" : result->error;
    if (reason)
        (void)snprintf(end.reason, sizeof end.reason, "%s", reason);
    else
        (void)snprintf(end.reason, sizeof end.reason, "it exited with status %d",
                       result->exit_code);
    return end;
}

int foreign_result_encode(const struct foreign_result *result, struct buf *text)
{
    struct json json = json_start(text);
    json_open_object(&json, NULL);
    json_text(&json, "job_id", result->id);
    json_text(&json, "workspace_id", result->workspace_id);
    json_slice(&json, "output", result->output);
    if (result->error)
        json_text(&json, "error", result->error);
    json_i64(&json, "exit_code", result->exit_code);
    if (result->has_duration)
        json_u64(&json, "duration", result->duration_ms);
    json_close_object(&json);
    return text->failed ? -1 : 0;
}

/* A text, or NULL: what is of another type is as if it were not there. */
static const char *text_of(const json_t *tree, const char *field)
{
    return json_whole_text(json_object_get(tree, field));
}

/* Their runners write whole numbers, floats, or what Go calls a Duration. */
static void read_duration(const json_t *tree, struct foreign_result *result)
{
    double duration = json_number_value(json_object_get(tree, "duration"));
    result->has_duration = duration > 0 && duration < (double)(1ULL << 53);
    if (result->has_duration)
        result->duration_ms = (uint64_t)duration;
}

static int read_result(const json_t *tree, struct foreign_result *result, struct err *err)
{
    const json_t *code = json_object_get(tree, "exit_code");
    result->id = text_of(tree, "job_id");
    result->workspace_id = text_of(tree, "workspace_id");
    result->error = json_string_value(json_object_get(tree, "error")); /* up to a NUL */
    result->output = (struct slice){"", 0};
    if (!result->id || !*result->id)
        return err_field(err, "job_id", "job_id is missing");
    if (!json_is_integer(code) || json_integer_value(code) < INT_MIN ||
        json_integer_value(code) > INT_MAX)
        return err_field(err, "exit_code", "exit_code must be a whole number");
    result->exit_code = (int)json_integer_value(code);
    if (result->error && !*result->error)
        result->error = NULL;
    read_duration(tree, result);
    return json_read_text(tree, "output", &result->output, err) < 0 ? -1 : 0;
}

int foreign_result_decode(struct slice text, struct foreign_result *ret_result, struct err *err)
{
    struct foreign_result result = {0};
    if (!text.at || text.len > FOREIGN_RESULT_MAX_BYTES)
        return err_set(err, ERR_TOO_LARGE, "not a result: it is too long");
    result.tree = json_read_lenient_object(text, err); /* programs print NUL, too */
    if (!result.tree || read_result(result.tree, &result, err) < 0) {
        foreign_result_fini(&result);
        return err_wrap(err, "not a result");
    }
    *ret_result = result;
    return 0;
}

void foreign_result_fini(struct foreign_result *result)
{
    json_decref(result->tree);
    *result = (struct foreign_result){0};
}

struct amqp_message foreign_result_message(const struct fleet_key *key, const char *id,
                                           struct slice body)
{
    return (struct amqp_message){
        .exchange = FOREIGN_RESULTS_EXCHANGE,
        .key = key->text,
        .body = body,
        .content_type = "application/json",
        .message_id = id,
        .persistent = true,
    };
}

/* --- a line --- */

void foreign_line_encode(const struct foreign_line *line, struct buf *text)
{
    char time[TIME_TEXT_SIZE];
    struct json json = json_start(text);
    json_open_object(&json, NULL);
    json_text(&json, "job_id", line->id);
    json_slice(&json, "line", line->line);
    json_text(&json, "stream", line->is_stderr ? "stderr" : "stdout");
    json_text(&json, "timestamp", format_time(time, line->unix_ms));
    json_close_object(&json);
}

static int read_line(const json_t *tree, struct foreign_line *line, struct err *err)
{
    const char *stream = text_of(tree, "stream");
    const char *time = text_of(tree, "timestamp");
    line->id = text_of(tree, "job_id");
    if (!line->id || !*line->id)
        return err_field(err, "job_id", "job_id is missing");
    int found = json_read_text(tree, "line", &line->line, err);
    if (found == 0)
        return err_field(err, "line", "line is missing");
    line->is_stderr = stream && strcmp(stream, "stderr") == 0;
    if (!time || parse_time(time, &line->unix_ms) < 0)
        line->unix_ms = 0;
    return MIN(found, 0);
}

int foreign_line_decode(struct slice text, struct foreign_line *ret_line, struct err *err)
{
    struct foreign_line line = {0};
    line.tree = json_read_lenient_object(text, err);
    if (!line.tree || read_line(line.tree, &line, err) < 0) {
        foreign_line_fini(&line);
        return err_wrap(err, "not a line");
    }
    *ret_line = line;
    return 0;
}

void foreign_line_fini(struct foreign_line *line)
{
    json_decref(line->tree);
    *line = (struct foreign_line){0};
}
