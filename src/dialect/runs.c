/* SPDX-License-Identifier: MIT */
#include "dialect/runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/request_fields.h"
#include "dialect/result_output.h"
#include "dialect/runs_event.h"
#include "engine/engine.h"
#include "language/language.h"

#define BODY_MAX (8 * MIB) /* max_body bounds it further */
#define GRACE_MAX_MS 600000

/* --- the record --- */

/* Until the end the word of the life table, then the one that clients of other
 * services of this form know. */
static const char *status_word(const struct run *run)
{
    static const char *const words[VERDICT_COUNT] = {
        [VERDICT_INTERNAL_ERROR] = "failed", [VERDICT_CANCELLED] = "killed",
        [VERDICT_QUEUE_TIMEOUT] = "failed",  [VERDICT_TIMEOUT] = "timeout",
        [VERDICT_IDLE_TIMEOUT] = "timeout",  [VERDICT_CPU_LIMIT] = "timeout",
        [VERDICT_MEMORY_LIMIT] = "oom",      [VERDICT_OUTPUT_LIMIT] = "killed",
        [VERDICT_COMPILE_FAILED] = "failed", [VERDICT_KILLED_BY_SIGNAL] = "failed",
        [VERDICT_FAILED] = "failed",         [VERDICT_SUCCEEDED] = "succeeded",
    };
    const struct run_result *result = run_result(run);
    return result ? words[result->verdict] : run_state_name(run_state(run));
}

/* `output` is NULL as long as the run has not ended. */
static void reply_record(const struct runs *runs, struct http_request *request, int status,
                         const struct run *run, const struct result_output *output)
{
    auto_buf struct buf body;
    buf_init(&body, RESULT_BODY_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "id", run_id(run));
    json_text(&json, "status", status_word(run));
    json_text(&json, "language", run_language(run)->name);
    if (output) {
        json_slice(&json, "stdout", buf_slice(&output->out));
        json_slice(&json, "stderr", buf_slice(&output->err));
    }
    runs_write_result(&json, run, engine_isolation(runs->engine));
    json_close_object(&json);
    http_reply_take(request, status, ANSWER_JSON, &body);
}

static void on_nothing(void *context)
{
    (void)context;
}

static void handle_record(struct http_request *request, void *context)
{
    const struct runs *runs = context;
    struct run *run = runs_find(runs, request);
    struct result_output output;
    struct event event;
    struct err err;
    if (!run)
        return;
    if (run_state(run) != RUN_FINISHED) {
        reply_record(runs, request, 200, run, NULL);
        return;
    }
    struct reader *reader = run_attach(run, 0, READER_TEXT, on_nothing, NULL, &err);
    if (!reader) {
        http_reply_err(request, &err);
        return;
    }
    result_output_init(&output);
    while (reader_next(reader, &event) > 0)
        result_output_add(&output, &event);
    reply_record(runs, request, 200, run, &output);
    result_output_fini(&output);
    reader_free(reader);
}

static void answer(struct http_request *request, const struct run *run,
                   const struct result_output *output, const void *context)
{
    reply_record(context, request, 200, run, output);
}

/* --- from the request to the run --- */

/* What a spec borrows from. */
struct wanted {
    struct run_spec spec;
    const char **args;
    const char **env;
    struct run_file *files;
    uint64_t columns;
    uint64_t rows;
};

static void wanted_fini(struct wanted *wanted)
{
    free(wanted->args);
    free(wanted->env);
    free(wanted->files);
}

static int read_program(const struct runs *runs, const json_t *body, struct run_spec *spec,
                        struct err *err)
{
    struct slice language = {0};
    if (json_read_text(body, "language", &language, err) < 0 ||
        json_read_text(body, "code", &spec->source, err) < 0 ||
        json_read_text(body, "stdin", &spec->input, err) < 0 ||
        json_read_limits(body, "limits", &spec->limits, err) < 0)
        return -1;
    if (language.len == 0)
        return err_field(err, "language", "language is required");
    if (spec->source.len == 0)
        return err_field(err, "code", "code is required");
    return request_find_language(runs->catalogue, language, &spec->language, err);
}

static int read_terminal(const json_t *body, struct wanted *wanted, struct err *err)
{
    if (json_read_bool(body, "tty", &wanted->spec.tty, err) < 0 ||
        json_read_u64(body, "columns", &wanted->columns, err) < 0 ||
        json_read_u64(body, "rows", &wanted->rows, err) < 0)
        return -1;
    if (wanted->columns > RUNS_TERMINAL_SIDE_MAX)
        return err_field(err, "columns", "columns is at most %d", RUNS_TERMINAL_SIDE_MAX);
    if (wanted->rows > RUNS_TERMINAL_SIDE_MAX)
        return err_field(err, "rows", "rows is at most %d", RUNS_TERMINAL_SIDE_MAX);
    return 0;
}

/* What becomes of it when its last client leaves. */
static int read_on_disconnect(const json_t *body, bool waits, struct run_spec *spec,
                              struct err *err)
{
    struct slice word = {0};
    if (json_read_text(body, "on_disconnect", &word, err) < 0)
        return -1;
    bool continues = slice_is(word, "continue");
    if (word.len > 0 && !continues && !slice_is(word, "kill"))
        return err_field(err, "on_disconnect", "on_disconnect must be kill or continue");
    spec->ends_unattended = !waits && !continues;
    if (json_read_u64(body, "disconnect_grace_ms", &spec->unattended_ms, err) < 0)
        return -1;
    if (spec->unattended_ms > GRACE_MAX_MS)
        return err_field(err, "disconnect_grace_ms", "disconnect_grace_ms is at most %d",
                         GRACE_MAX_MS);
    return 0;
}

static int read_body(const struct runs *runs, const json_t *body, bool waits, struct wanted *wanted,
                     struct err *err)
{
    struct run_spec *spec = &wanted->spec;
    size_t file_count = 0;
    if (read_program(runs, body, spec, err) < 0 || read_terminal(body, wanted, err) < 0 ||
        read_on_disconnect(body, waits, spec, err) < 0 ||
        request_read_texts(body, "args", &wanted->args, err) < 0 ||
        request_read_env(body, "env", &wanted->env, err) < 0 ||
        request_read_files(body, "files", &wanted->files, &file_count, err) < 0)
        return -1;
    if (waits && spec->limits.value[LIMIT_OUTPUT] > RESULT_OUTPUT_MAX)
        return err_field(err, "limits.max_output_bytes", "max_output_bytes is at most %llu here",
                         RESULT_OUTPUT_MAX);
    spec->args = wanted->args;
    spec->env = wanted->env;
    spec->files = wanted->files;
    spec->file_count = file_count;
    bool live = !waits || spec->tty;
    spec->profile = live ? PROFILE_LIVE : PROFILE_EXECUTE;
    spec->streaming = !waits;
    spec->input_stays_open = !waits;
    return 0;
}

static int start(const struct runs *runs, struct http_request *request, const json_t *body,
                 struct err *err)
{
    const char *asked = http_request_query(request, "wait");
    bool waits = !asked || strcmp(asked, "false") != 0;
    struct wanted wanted = {0};
    struct run *run = NULL;
    int rc = read_body(runs, body, waits, &wanted, err);
    if (rc == 0) {
        run = engine_submit(runs->engine, &wanted.spec, err);
        rc = run ? 0 : -1;
    }
    if (run && wanted.columns > 0 && wanted.rows > 0)
        run_resize(run, (unsigned)wanted.columns, (unsigned)wanted.rows);
    if (run && waits)
        rc = request_wait_for(request, run, answer, runs, err);
    else if (run)
        reply_record(runs, request, 201, run, NULL);
    wanted_fini(&wanted);
    return rc;
}

static void handle_start(struct http_request *request, void *context)
{
    const struct runs *runs = context;
    struct err err;
    int rc = -1;
    if (!http_request_is_json(request)) {
        (void)err_set(&err, ERR_MEDIA_TYPE, "the body must be application/json");
    } else {
        auto_json json_t *body = json_read_object(http_request_body(request), &err);
        if (body)
            rc = start(runs, request, body, &err);
    }
    if (rc < 0) {
        request_add_retry_after(request, runs->engine, &err);
        http_reply_err(request, &err);
    }
}

static void handle_cancel(struct http_request *request, void *context)
{
    const struct runs *runs = context;
    struct run *run = runs_find(runs, request);
    if (!run)
        return;
    run_cancel(run, "the client stopped it");
    reply_record(runs, request, 202, run, NULL);
}

/* --- for the files beside this one --- */

struct run *runs_find(const struct runs *runs, struct http_request *request)
{
    struct run *run = engine_find(runs->engine, http_request_capture(request, "id"));
    struct err err;
    if (run)
        return run;
    (void)err_set(&err, ERR_NOT_FOUND, "run not found");
    http_reply_err(request, &err);
    return NULL;
}

uint64_t runs_position(const char *text)
{
    uint64_t position = 0;
    return text && parse_u64(text, &position) == 0 ? position : 0;
}

const struct http_route runs_routes[] = {
    {"POST", "/v1/runs", BODY_MAX, handle_start, NULL},
    {"GET", "/v1/runs/:id", 0, handle_record, NULL},
    {"DELETE", "/v1/runs/:id", 0, handle_cancel, NULL},
    {"GET", "/v1/runs/:id/events", 0, runs_handle_events, NULL},
    {"GET", "/v1/runs/:id/stream", 0, runs_handle_stream, NULL},
    {"GET", "/v1/languages", 0, runs_handle_languages, NULL},
    {0},
};
