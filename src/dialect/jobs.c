/* SPDX-License-Identifier: MIT */
#include "dialect/jobs.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_write.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_record.h"
#include "dialect/jobs_request.h"
#include "dialect/request_answer.h"
#include "dialect/result_output.h"
#include "os/clock.h"
#include "store/store.h"

/* What the known service takes; max_body bounds it further. */
#define BODY_MAX (10 * MIB)
#define HEALTH_MAX 128

bool jobs_is_id(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++) {
        if (!isascii(id[i]) || (!isalnum((unsigned char)id[i]) && !strchr("-_", id[i])))
            return false;
    }
    return len > 0 && len < RUN_ID_SIZE;
}

/* --- one job, which may be on another machine --- */

typedef void answer_fn(struct http_request *request, struct run *run, struct jobs *jobs);

struct look_up {
    struct jobs *jobs;
    struct http_request *request; /* NULL: the client has left */
    answer_fn *answer;
};

static void on_gone(void *context)
{
    ((struct look_up *)context)->request = NULL;
}

static void on_found(void *context, struct run *run)
{
    struct look_up look_up = *(struct look_up *)context;
    free(context);
    if (!look_up.request)
        return;
    http_on_gone(look_up.request, NULL, NULL);
    look_up.answer(look_up.request, run, look_up.jobs);
}

static void look_up(struct http_request *request, struct jobs *jobs, answer_fn *answer)
{
    const char *id = http_request_capture(request, "id");
    struct err err;
    if (!jobs_is_id(id)) {
        answer(request, NULL, jobs);
        return;
    }
    struct look_up *look_up = calloc(1, sizeof *look_up);
    if (!look_up) {
        (void)err_sys(&err, errno, "job");
        jobs_answer_err(request, jobs, &err);
        return;
    }
    *look_up = (struct look_up){jobs, request, answer};
    http_on_gone(request, on_gone, look_up);
    engine_look_up(jobs->engine, id, on_found, look_up);
}

static void answer_job(struct http_request *request, struct run *run, struct jobs *jobs)
{
    struct jobs_note note;
    auto_buf struct buf body;
    buf_init(&body, RESULT_BODY_MAX);
    struct json json = json_start(&body);
    if (jobs_may_see(request, run, &note) && jobs_record_write(&json, jobs, run, &note))
        http_reply_take(request, 200, ANSWER_JSON, &body);
    else
        request_answer_text(request, 404, "error", "Job not found");
}

static void handle_job(struct http_request *request, void *context)
{
    look_up(request, context, answer_job);
}

/* These clients are told the same of every id. */
static void answer_cancelled(struct http_request *request, struct run *run, struct jobs *jobs)
{
    struct jobs_note note;
    (void)jobs;
    if (jobs_may_see(request, run, &note))
        run_cancel(run, "the client stopped it");
    request_answer_text(request, 200, "message", "Job cancelled");
}

static void handle_cancel(struct http_request *request, void *context)
{
    look_up(request, context, answer_cancelled);
}

static void handle_health(struct http_request *request, void *context)
{
    char time[TIME_TEXT_SIZE];
    auto_buf struct buf body;
    (void)context;
    buf_init(&body, HEALTH_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "status", "ok");
    json_text(&json, "timestamp", format_time(time, clock_unix_ms()));
    json_close_object(&json);
    http_reply_take(request, 200, ANSWER_JSON, &body);
}

#define RUN .access = STORE_SCOPE_RUN
const struct http_route jobs_routes[] = {
    {"POST", "/api/execute", BODY_MAX, jobs_handle_start, jobs_handle_too_large, RUN},
    {"GET", "/api/jobs", 0, jobs_handle_list, NULL, RUN},
    {"GET", "/api/jobs/:id", 0, handle_job, NULL, RUN},
    {"DELETE", "/api/jobs/:id", 0, handle_cancel, NULL, RUN},
    {"GET", "/stream/:id", 0, jobs_handle_stream, NULL, RUN},
    /* Which job it is about is not said by the path. */
    {HTTP_WEBSOCKET, "/", 0, jobs_handle_stream, NULL, RUN},
    {HTTP_WEBSOCKET, "*", 0, jobs_handle_stream, NULL, RUN},
    {"GET", "/health", 0, handle_health, NULL, .access = HTTP_OPEN},
    {0},
};
