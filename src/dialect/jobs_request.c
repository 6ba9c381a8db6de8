/* SPDX-License-Identifier: MIT */
#include "dialect/jobs_request.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_write.h"
#include "dialect/jobs.h"
#include "dialect/request_answer.h"
#include "dialect/request_fields.h"
#include "dialect/request_schema.h"
#include "language/language.h"

#define DEFAULT_TIMEOUT_MS 30000
#define ERR_BODY_MAX (8 * KIB)

enum { NAME_BYTES_MAX = 255, DEPENDENCIES_MAX = 64, PRIORITY_MAX = 9 };

/* --- refusals --- */

static const char *const refusals[] = {
    [JOBS_MISSING] = "{\"error\":\"Missing required fields\","
                     "\"required\":[\"language\",\"source_code\"]}",
    [JOBS_LANGUAGE] = "{\"error\":\"Unsupported language\","
                      "\"supported\":[\"python\",\"nodejs\",\"go\",\"rust\",\"java\"]}",
    [JOBS_TOO_LARGE] = "{\"error\":\"Source code too large\",\"max_size\":\"100KB\"}",
    [JOBS_ENTRY_POINT] = "{\"error\":\"Invalid entry point format\"}",
    [JOBS_DANGEROUS] = "{\"error\":\"Code contains potentially dangerous operations\"}",
};

void jobs_answer_refusal(struct http_request *request, enum jobs_refusal refusal)
{
    http_reply(request, 400, ANSWER_JSON, slice_of(refusals[refusal]));
}

void jobs_answer_err(struct http_request *request, const struct jobs *jobs, const struct err *err)
{
    auto_buf struct buf body;
    buf_init(&body, ERR_BODY_MAX);
    request_add_retry_after(request, jobs->engine, err);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "error", "Execution failed");
    json_text(&json, "message", err->text);
    json_text(&json, "code", err_code_name(err->code));
    if (err->field[0])
        json_text(&json, "field", err->field);
    json_close_object(&json);
    http_reply_take(request, err_http_status(err->code), ANSWER_JSON, &body);
}

/* --- the fields --- */

/* As JavaScript asks `!value`. */
static bool is_missing(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) == 0;
    if (json_is_number(value))
        return json_number_value(value) == 0;
    return !value || json_is_null(value) || json_is_false(value);
}

static size_t utf16_units(struct slice text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        units += byte >= 0xf0 ? 2 : (byte & 0xc0) != 0x80;
    }
    return units;
}

/* Letters and digits of ASCII, and . _ - between; not one of these three alone. */
static bool is_entry_point(struct slice text)
{
    bool has_letter = false;
    for (size_t i = 0; i < text.len; i++) {
        bool letter = isascii(text.at[i]) && isalnum((unsigned char)text.at[i]);
        has_letter = has_letter || letter;
        if (!letter && (text.at[i] == '\0' || !strchr("._-", text.at[i])))
            return false;
    }
    return has_letter && text.at[0] != '-' && text.len <= NAME_BYTES_MAX;
}

static int read_entry_point(const json_t *body, struct slice *ret_name)
{
    const json_t *value = json_object_get(body, "entry_point");
    if (!value || json_is_null(value))
        return 0;
    *ret_name = (struct slice){json_string_value(value), json_string_length(value)};
    return ret_name->at && is_entry_point(*ret_name) ? 0 : -1;
}

/* Seconds, perhaps with a fraction. */
static int read_seconds(const json_t *body, const char *field, uint64_t most_s, uint64_t *ret_ms,
                        struct err *err)
{
    const json_t *value = json_object_get(body, field);
    if (!value || json_is_null(value))
        return 0;
    double ms = json_is_number(value) ? json_number_value(value) * 1000 : -1;
    if (!(ms >= 1 && ms <= (double)most_s * 1000))
        return err_field(err, field, "%s must be a number of seconds from 0.001 to %u", field,
                         (unsigned)most_s);
    *ret_ms = (uint64_t)(ms + 0.5);
    return 0;
}

/* The lane of each number, 0 to 9. */
static enum lane lane_of(uint64_t number)
{
    if (number >= 7)
        return LANE_HIGH;
    return number >= 4 ? LANE_NORMAL : LANE_LOW;
}

static int read_priority(const json_t *body, enum lane *ret_lane, struct err *err)
{
    const json_t *value = json_object_get(body, "priority");
    uint64_t number = 0;
    if (!value || json_is_null(value))
        return 0;
    for (enum lane lane = 0; json_is_string(value) && lane < LANES; lane++) {
        if (strcmp(json_string_value(value), lane_name(lane)) == 0) {
            *ret_lane = lane;
            return 0;
        }
    }
    if (!json_is_number(value) || json_read_u64(body, "priority", &number, NULL) < 0 ||
        number > PRIORITY_MAX)
        return err_field(err, "priority", "priority must be low, normal, high, or 0 to %d",
                         PRIORITY_MAX);
    *ret_lane = lane_of(number);
    return 0;
}

/* --- dependencies --- */

/* Splits LANGUAGE:NAME. */
static const char *name_of(const char *entry, struct slice *ret_language)
{
    const char *colon = strchr(entry, ':');
    if (!colon || colon == entry || colon[1] == '\0')
        return NULL;
    *ret_language = (struct slice){entry, (size_t)(colon - entry)};
    return colon + 1;
}

int jobs_check_dependencies(const struct jobs *jobs, struct err *err)
{
    for (const char *const *at = jobs->dependencies; at && *at; at++) {
        struct slice language = {0};
        if (!name_of(*at, &language))
            return err_config(err, "dependencies",
                              "dependencies: '%.80s': write LANGUAGE:NAME, as in python:numpy",
                              *at);
        if (!catalogue_find(jobs->catalogue, language))
            return err_config(err, "dependencies",
                              "dependencies: '%.80s': there is no language '%.*s' ('runnel "
                              "languages' lists them)",
                              *at, (int)MIN(language.len, 40), language.at);
    }
    return 0;
}

static bool is_there(const struct jobs *jobs, const struct language *language, const char *wanted)
{
    for (const char *const *at = jobs->dependencies; at && *at; at++) {
        struct slice of = {0};
        const char *name = name_of(*at, &of);
        if (strcmp(name, wanted) == 0 && catalogue_find(jobs->catalogue, of) == language)
            return true;
    }
    return false;
}

static int check_dependencies(const struct jobs *jobs, const struct jobs_request *request,
                              struct err *err)
{
    for (const char **at = request->dependencies; at && *at; at++) {
        if (!is_there(jobs, request->language, *at))
            return err_field(err, "dependencies",
                             "the package %.100s is not on this server for %s; nothing is "
                             "installed for a job",
                             *at, request->language->title);
    }
    return 0;
}

/* --- all of it --- */

/* clang-format off */
#define AT(member) SCHEMA_AT(struct jobs_request, member)
static const struct schema_field optional_fields[] = {
    {"workspace_id", SCHEMA_TEXT,   AT(workspace_id), .largest = NAME_BYTES_MAX},
    {"memory_limit", SCHEMA_NUMBER, AT(memory_mb), .smallest = 4, .largest = 1048576},
    {"dependencies", SCHEMA_TEXTS,  AT(dependencies), .largest = DEPENDENCIES_MAX},
    {NULL},
};
/* clang-format on */

static int read_optional(const struct jobs *jobs, const json_t *body, struct jobs_request *request,
                         struct err *err)
{
    if (schema_read(optional_fields, body, request, err) < 0 ||
        read_seconds(body, "timeout", JOBS_TIMEOUT_MAX_S, &request->timeout_ms, err) < 0 ||
        read_seconds(body, "queue_timeout", JOBS_QUEUE_MAX_S, &request->queue_timeout_ms, err) <
            0 ||
        read_priority(body, &request->lane, err) < 0)
        return -1;
    return check_dependencies(jobs, request, err);
}

enum jobs_refusal jobs_request_read(const struct jobs *jobs, const json_t *body,
                                    struct jobs_request *request, struct err *err)
{
    const json_t *language = json_object_get(body, "language");
    const json_t *source = json_object_get(body, "source_code");
    *request = (struct jobs_request){
        .workspace_id = slice_of("default"),
        .timeout_ms = DEFAULT_TIMEOUT_MS,
        .lane = LANE_NORMAL,
    };
    if (is_missing(language) || is_missing(source))
        return JOBS_MISSING;
    request->language_name =
        (struct slice){json_string_value(language), json_string_length(language)};
    if (!request->language_name.at || !catalogue_find(jobs->catalogue, request->language_name))
        return JOBS_LANGUAGE;
    if (json_read_text(body, "source_code", &request->source, err) < 0)
        return JOBS_OTHER;
    if (utf16_units(request->source) > JOBS_SOURCE_MAX)
        return JOBS_TOO_LARGE;
    if (read_entry_point(body, &request->entry_point) < 0)
        return JOBS_ENTRY_POINT;
    if (request_find_language(jobs->catalogue, request->language_name, &request->language, err) <
            0 ||
        read_optional(jobs, body, request, err) < 0)
        return JOBS_OTHER;
    return JOBS_TAKEN;
}

void jobs_request_fini(struct jobs_request *request)
{
    schema_fini(optional_fields, request);
}

/* --- forms --- */

static json_t *number_of(const char *text)
{
    uint64_t number = 0;
    uint64_t milli = 0;
    if (parse_u64(text, &number) == 0 && number <= INT64_MAX)
        return json_integer((json_int_t)number);
    return parse_milli(text, &milli) == 0 ? json_real((double)milli / 1000) : NULL;
}

int jobs_request_from_form(json_t *form, struct err *err)
{
    static const char *const numbers[] = {"timeout", "queue_timeout", "memory_limit", "priority"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const char *text = json_string_value(json_object_get(form, numbers[i]));
        json_t *number = text ? number_of(text) : NULL;
        if (number && json_object_set_new(form, numbers[i], number) < 0)
            return err_sys(err, ENOMEM, "form");
    }
    json_t *one = json_object_get(form, "dependencies");
    if (!json_is_string(one))
        return 0;
    json_t *list = json_array();
    if (json_array_append(list, one) < 0 || json_object_set_new(form, "dependencies", list) < 0)
        return err_sys(err, ENOMEM, "form");
    return 0;
}
