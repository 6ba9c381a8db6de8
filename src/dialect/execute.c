/* SPDX-License-Identifier: MIT */
#include "dialect/execute.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/execute_result.h"
#include "dialect/request_answer.h"
#include "dialect/request_fields.h"
#include "dialect/request_tenant.h"
#include "dialect/request_window.h"
#include "engine/engine.h"
#include "language/language.h"
#include "store/store.h"

#define TEXT_TYPE "text/html; charset=utf-8"

/* The services whose clients come here took this much, and so say their tests. */
#define BODY_MAX (100 * KIB)
#define LIST_MAX (64 * KIB)

/* --- answers --- */

/* What these clients compare. */
static void reply_error(struct http_request *request, const char *text)
{
    request_answer_text(request, 400, "error", text);
}

/* What names no field those services knew too. */
static bool is_known_to_clients(const struct err *err)
{
    return err->code == ERR_UNKNOWN_LANGUAGE || (err->code == ERR_INVALID && !err->field[0]);
}

static void reply_run_error(const struct execute *execute, struct http_request *request,
                            const struct err *err)
{
    request_add_retry_after(request, execute->engine, err);
    if (is_known_to_clients(err))
        reply_error(request, err->text);
    else
        http_reply_err(request, err);
}

/* --- the rate --- */

static void add_rate_headers(struct http_request *request, const struct rate_state *state)
{
    request_add_number(request, "X-RateLimit-Limit", state->limit);
    request_add_number(request, "X-RateLimit-Remaining", state->remaining);
    request_add_number(request, "X-RateLimit-Reset",
                       (uint64_t)time(NULL) + request_in_seconds(state->reset_ms));
}

/* The headers alone: a request that these services turned away before they
 * counted it. */
static void show_rate(struct execute *execute, struct http_request *request)
{
    struct rate_state state = request_look_window(execute->limiter, request);
    add_rate_headers(request, &state);
}

/* Counts it. False when it is one too many, and answered. */
static bool pass_rate(struct execute *execute, struct http_request *request)
{
    struct rate_state state =
        request_take_window(execute->limiter, execute->rate_limit_loopback, request);
    add_rate_headers(request, &state);
    if (state.allowed)
        return true;
    request_add_number(request, "Retry-After", request_in_seconds(state.reset_ms));
    http_reply(request, 429, TEXT_TYPE, slice_of(ANSWER_TOO_MANY));
    return false;
}

/* --- the run --- */

static void answer(struct http_request *request, const struct run *run,
                   const struct result_output *output, const void *context)
{
    const struct execute *execute = context;
    auto_buf struct buf body;
    buf_init(&body, RESULT_BODY_MAX);
    execute_write_result(&body, run, output, engine_isolation(execute->engine));
    int status = run_result(run)->verdict == VERDICT_INTERNAL_ERROR ? 500 : 200;
    request_answer_ended(request, status, NULL, &body);
}

static int start(const struct execute *execute, struct http_request *request,
                 const struct run_spec *spec, struct err *err)
{
    struct run *run = engine_submit(execute->engine, spec, err);
    return run ? request_wait_for(request, run, answer, execute, err) : -1;
}

/* --- from the request to the run --- */

/* What JavaScript takes for no, which is what the service before us asked. */
static bool is_falsy(const json_t *value)
{
    return json_is_false(value) || (json_is_number(value) && json_number_value(value) == 0);
}

/* A program that reads a line finds one, as under the services before us. */
static int read_input(const json_t *body, struct buf *input, struct err *err)
{
    struct slice text = {0};
    if (is_falsy(json_object_get(body, "input")))
        return 0;
    if (json_read_text(body, "input", &text, err) < 0)
        return -1;
    if (text.len == 0)
        return 0;
    buf_add_slice(input, text);
    if (text.at[text.len - 1] != '\n')
        buf_add_char(input, '\n');
    return input->failed ? err_sys(err, ENOMEM, "input") : 0;
}

/* Everything but the args. */
static int read_body(const struct execute *execute, const json_t *body, struct run_spec *spec,
                     struct buf *input, struct err *err)
{
    struct slice language = {0};
    if (json_read_text(body, "language", &language, err) < 0 ||
        json_read_text(body, "code", &spec->source, err) < 0)
        return -1;
    if (language.len == 0 || spec->source.len == 0)
        return err_set(err, ERR_INVALID, ANSWER_REQUIRED);
    if (request_find_language(execute->catalogue, language, &spec->language, err) < 0 ||
        read_input(body, input, err) < 0 ||
        json_read_limits(body, "limits", &spec->limits, err) < 0)
        return -1;
    if (spec->limits.value[LIMIT_OUTPUT] > RESULT_OUTPUT_MAX)
        return err_field(err, "limits.max_output_bytes", "max_output_bytes is at most %llu here",
                         RESULT_OUTPUT_MAX);
    spec->input = buf_slice(input);
    spec->passing = true;
    spec->profile = input->len > 0 ? PROFILE_EXECUTE_INPUT : PROFILE_EXECUTE;
    return 0;
}

static void run_body(struct execute *execute, struct http_request *request, const json_t *body)
{
    struct err err;
    struct run_spec spec = {
        .owner = http_request_key(request),
        .lane = LANE_NORMAL,
        .tenant = request_tenant(request),
    };
    const char **args = NULL;
    auto_buf struct buf input;
    buf_init(&input, BODY_MAX + 1);
    int rc = read_body(execute, body, &spec, &input, &err);
    if (rc >= 0)
        rc = request_read_texts(body, "args", &args, &err);
    spec.args = args;
    if (rc >= 0)
        rc = start(execute, request, &spec, &err);
    free(args);
    if (rc < 0)
        reply_run_error(execute, request, &err);
}

/* --- handlers --- */

static void handle_execute(struct http_request *request, void *context)
{
    struct execute *execute = context;
    struct slice text = http_request_body(request);
    struct err err;
    auto_json json_t *body = NULL;
    bool is_json = http_request_is_json(request) && text.len > 0;
    if (is_json) {
        body = json_read_object(text, &err);
        if (!body) {
            show_rate(execute, request);
            http_reply_err(request, &err);
            return;
        }
    }
    if (!pass_rate(execute, request))
        return;
    /* Only what is declared as JSON is looked at: a form of a foreign page,
     * which a browser sends unasked, must not run anything. */
    if (is_json)
        run_body(execute, request, body);
    else
        reply_error(request, ANSWER_REQUIRED);
}

static void handle_too_large(struct http_request *request, void *context)
{
    struct err err;
    show_rate(context, request);
    (void)err_set(&err, ERR_TOO_LARGE, "the body is over the limit of %zu bytes",
                  http_request_max_body(request));
    http_reply_err(request, &err);
}

/* Other methods and deeper paths count, as they always did. */
static void handle_other(struct http_request *request, void *context)
{
    if (!pass_rate(context, request))
        return;
    struct slice method = http_request_method(request);
    struct slice path = http_request_path(request);
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "Cannot %.20s %.200s", method.at, path.at);
    http_reply_err(request, &err);
}

static void handle_languages(struct http_request *request, void *context)
{
    const struct execute *execute = context;
    auto_buf struct buf body;
    buf_init(&body, LIST_MAX);
    struct json json = json_start(&body);
    json_open_array(&json, NULL);
    for (size_t i = 0; i < catalogue_count(execute->catalogue); i++) {
        const struct language *language = catalogue_at(execute->catalogue, i);
        if (language->installed)
            json_text(&json, NULL, language->name);
    }
    json_close_array(&json);
    http_reply_take(request, 200, ANSWER_JSON, &body);
}

static size_t count_installed(const struct catalogue *catalogue)
{
    size_t installed = 0;
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        installed += catalogue_at(catalogue, i)->installed;
    return installed;
}

static void handle_health(struct http_request *request, void *context)
{
    const struct execute *execute = context;
    const char *dialect = http_request_dialect(request);
    if (dialect && strcmp(dialect, EXECUTE_NAME) == 0) {
        http_reply(request, 200, ANSWER_JSON, slice_of("{\"status\":\"UP\"}"));
        return;
    }
    auto_buf struct buf body;
    buf_init(&body, LIST_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "status", execute->draining ? "DRAINING" : "UP");
    json_text(&json, "isolation", engine_isolation(execute->engine));
    json_text(&json, "version", RUNNEL_VERSION);
    json_u64(&json, "running", engine_running(execute->engine));
    json_u64(&json, "queued", engine_queued(execute->engine));
    json_u64(&json, "languages", count_installed(execute->catalogue));
    if (execute->write_health)
        execute->write_health(execute->health_context, &json);
    json_close_object(&json);
    http_reply_take(request, execute->draining ? 503 : 200, ANSWER_JSON, &body);
}

const struct http_route execute_routes[] = {
    {"POST", "/execute", BODY_MAX, handle_execute, handle_too_large, .access = STORE_SCOPE_RUN},
    {"*", "/execute", BODY_MAX, handle_other, handle_too_large},
    {"*", "/execute/*", BODY_MAX, handle_other, handle_too_large},
    {"GET", "/languages", 0, handle_languages, NULL},
    {"GET", "/health", 0, handle_health, NULL, .access = HTTP_OPEN},
    {0},
};
