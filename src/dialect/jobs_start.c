/* SPDX-License-Identifier: MIT */
/* jobs_start.c — POST /api/execute: from the body to a job that has been accepted.
 *
 * It is answered when the run's first event can be read, which says that it waits. Where
 * runs go to other machines that is when nothing can lose it any more; one that could not
 * be sent has ended instead. */
#include <errno.h>
#include <stdlib.h>

#include "base/parse.h"
#include "codec/json_write.h"
#include "dialect/jobs.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_request.h"
#include "dialect/request_answer.h"
#include "dialect/request_fields.h"
#include "dialect/request_form.h"
#include "dialect/request_rate.h"
#include "dialect/request_tenant.h"
#include "dialect/request_window.h"
#include "language/language.h"
#include "os/clock.h"

#define ANSWER_TYPE_LIMITED "text/html; charset=utf-8"
#define ANSWER_LIMITED "Too many execution requests, please try again later"
#define ANSWER_MAX (64 * KIB)

struct start {
    struct jobs *jobs;
    struct http_request *request;
    struct run *run;
    struct reader *reader;
};

/* --- the answer --- */

static void write_answer(struct buf *body, const struct run *run)
{
    struct jobs_note note;
    auto_buf struct buf url;
    buf_init(&url, RUN_ID_SIZE + sizeof "/stream/");
    buf_add_format(&url, "/stream/%s", run_id(run));
    struct json json = json_start(body);
    json_open_object(&json, NULL);
    json_text(&json, "job_id", run_id(run));
    json_text(&json, "status", "submitted");
    json_text(&json, "message", "Job submitted for execution");
    json_text(&json, "stream_url", buf_text(&url));
    if (jobs_note_read(run_note(run), &note))
        json_members(&json, note.analysis);
    json_close_object(&json);
}

/* Its first event is the end: nobody has it. */
static void answer_refused(const struct start *start)
{
    const struct run_result *result = run_result(start->run);
    bool failed = !result || result->verdict == VERDICT_INTERNAL_ERROR;
    struct err err;
    (void)err_set(&err, failed ? ERR_BROKER : ERR_SHUTTING_DOWN, "%s",
                  result ? result->reason : "the job could not be sent");
    jobs_answer_err(start->request, start->jobs, &err);
}

static void answer_started(const struct start *start, const struct event *first)
{
    if (first->kind != EVENT_STATE || first->state == RUN_FINISHED) {
        answer_refused(start);
        return;
    }
    auto_buf struct buf body;
    buf_init(&body, ANSWER_MAX);
    write_answer(&body, start->run);
    http_reply_take(start->request, 200, ANSWER_JSON, &body);
}

static void on_ready(void *context)
{
    struct start *start = context;
    struct event first;
    if (reader_next(start->reader, &first) == 0)
        return;
    http_on_gone(start->request, NULL, NULL);
    answer_started(start, &first);
    reader_free(start->reader);
    free(start);
}

/* The job goes on: those who submit and do not wait are answered by nobody else, either. */
static void on_gone(void *context)
{
    struct start *start = context;
    reader_free(start->reader);
    free(start);
}

static int answer_when_accepted(struct jobs *jobs, struct http_request *request, struct run *run,
                                struct err *err)
{
    struct start *start = calloc(1, sizeof *start);
    if (!start) {
        run_cancel(run, "its submission cannot be answered");
        return err_sys(err, errno, "job");
    }
    *start = (struct start){.jobs = jobs, .request = request, .run = run};
    start->reader = run_attach(run, 0, READER_TEXT, on_ready, start, err);
    if (!start->reader) {
        run_cancel(run, "its submission cannot be answered");
        free(start);
        return -1;
    }
    http_on_gone(request, on_gone, start);
    on_ready(start);
    return 0;
}

/* --- the run --- */

static int start_run(struct jobs *jobs, struct http_request *request,
                     const struct jobs_request *wanted, const struct jobs_analysis *analysis,
                     struct err *err)
{
    auto_buf struct buf note;
    buf_init(&note, JOBS_NOTE_MAX);
    jobs_note_write(&note, wanted, clock_unix_ms(), analysis);
    if (note.failed)
        return err_sys(err, ENOMEM, "job");
    struct run_spec spec = {
        .language = wanted->language,
        .profile = PROFILE_JOBS,
        .source = wanted->source,
        .entry_file = wanted->entry_point.at,
        .workspace = wanted->workspace_id.at,
        .owner = http_request_key(request),
        .tenant = request_tenant(request),
        .lane = wanted->lane,
        .note = buf_slice(&note),
    };
    spec.limits.value[LIMIT_WALL] = wanted->timeout_ms;
    spec.limits.value[LIMIT_QUEUE] = wanted->queue_timeout_ms;
    spec.limits.value[LIMIT_MEMORY] = wanted->memory_mb * MIB;
    struct run *run = engine_submit(jobs->engine, &spec, err);
    return run ? answer_when_accepted(jobs, request, run, err) : -1;
}

/* As the known service says it: the source is not safe. */
static void answer_unsafe(struct http_request *request, const struct jobs_analysis *analysis)
{
    auto_buf struct buf body;
    buf_init(&body, ANSWER_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "error", "Code contains potentially dangerous operations");
    jobs_analysis_write(&json, analysis);
    json_close_object(&json);
    http_reply_take(request, 400, ANSWER_JSON, &body);
}

static void start_analysed(struct jobs *jobs, struct http_request *request,
                           const struct jobs_request *wanted)
{
    struct err err;
    bool asked = jobs->analysis != JOBS_ANALYSIS_OFF;
    auto_free struct jobs_analysis *analysis = asked ? jobs_analyse(wanted->source) : NULL;
    bool unsafe =
        analysis && jobs->analysis == JOBS_ANALYSIS_REFUSE && !jobs_analysis_is_safe(analysis);
    if (unsafe && analysis->dangerous) {
        jobs_answer_refusal(request, JOBS_DANGEROUS);
    } else if (unsafe) {
        answer_unsafe(request, analysis);
    } else if (start_run(jobs, request, wanted, analysis, &err) < 0) {
        request_rename_field(&err, "entry_file", "entry_point");
        jobs_answer_err(request, jobs, &err);
    }
}

static void start_body(struct jobs *jobs, struct http_request *request, const json_t *body)
{
    struct jobs_request wanted;
    struct err err;
    enum jobs_refusal refusal = jobs_request_read(jobs, body, &wanted, &err);
    if (refusal == JOBS_TAKEN)
        start_analysed(jobs, request, &wanted);
    else if (refusal == JOBS_OTHER)
        jobs_answer_err(request, jobs, &err);
    else
        jobs_answer_refusal(request, refusal);
    jobs_request_fini(&wanted);
}

/* --- the request --- */

/* Counts it: for the key that asks, else for its address. False: it was one too many, and
 * is answered. */
static bool pass_rate(struct jobs *jobs, struct http_request *request)
{
    if (http_request_key(request) != 0)
        return request_take_rate(jobs->accounts, request);
    struct rate_state state =
        request_take_window(jobs->limiter, jobs->rate_limit_loopback, request);
    auto_buf struct buf policy;
    buf_init(&policy, 64);
    buf_add_format(&policy, "%llu;w=%llu", (unsigned long long)state.limit,
                   (unsigned long long)request_in_seconds(state.window_ms));
    http_add_header(request, "RateLimit-Policy", buf_text(&policy));
    request_add_number(request, "RateLimit-Limit", state.limit);
    request_add_number(request, "RateLimit-Remaining", state.remaining);
    request_add_number(request, "RateLimit-Reset", request_in_seconds(state.reset_ms));
    if (state.allowed)
        return true;
    request_add_number(request, "Retry-After", request_in_seconds(state.reset_ms));
    http_reply(request, 429, ANSWER_TYPE_LIMITED, slice_of(ANSWER_LIMITED));
    return false;
}

/* No body at all is one without fields. */
static json_t *read_body(const struct http_request *request, struct err *err)
{
    struct slice text = http_request_body(request);
    if (text.len == 0)
        return json_object();
    if (http_request_is_json(request))
        return json_read_object(text, err);
    if (!request_is_urlencoded(request) || request_is_foreign_form(request)) {
        (void)err_set(err, ERR_MEDIA_TYPE,
                      "the body must be application/json, or a form of a page that is ours");
        return NULL;
    }
    auto_json json_t *form = request_read_form(text, err);
    return form && jobs_request_from_form(form, err) == 0 ? take_ptr(&form) : NULL;
}

void jobs_handle_start(struct http_request *request, void *context)
{
    struct jobs *jobs = context;
    struct err err = {.code = ERR_INTERNAL, .text = "out of memory"};
    auto_json json_t *body = read_body(request, &err);
    if (!body)
        http_reply_err(request, &err);
    else if (pass_rate(jobs, request))
        start_body(jobs, request, body);
}

/* Of what the known service would have read, it refuses the source. */
void jobs_handle_too_large(struct http_request *request, void *context)
{
    const char *length = http_request_header(request, "Content-Length");
    uint64_t bytes = UINT64_MAX;
    struct err err;
    (void)context;
    if (length && parse_u64(length, &bytes) == 0 && bytes <= 10 * MIB) {
        jobs_answer_refusal(request, JOBS_TOO_LARGE);
        return;
    }
    (void)err_set(&err, ERR_TOO_LARGE, "the body is over the limit of %zu bytes",
                  http_request_max_body(request));
    http_reply_err(request, &err);
}
