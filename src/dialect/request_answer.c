/* SPDX-License-Identifier: MIT */
#include "dialect/request_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "codec/json_write.h"
#include "dialect/request_window.h"
#include "engine/engine.h"
#include "store/store.h"

#define TEXT_MAX (4 * KIB)

bool request_may_see(const struct http_request *request, uint64_t owner)
{
    return owner == http_request_key(request) ||
           (http_request_scopes(request) & STORE_SCOPE_ADMIN) != 0;
}

void request_answer_text(struct http_request *request, int status, const char *key,
                         const char *text)
{
    auto_buf struct buf body;
    buf_init(&body, TEXT_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, key, text);
    json_close_object(&json);
    http_reply_take(request, status, ANSWER_JSON, &body);
}

void request_answer_err(struct http_request *request, const struct err *err)
{
    auto_buf struct buf body;
    buf_init(&body, TEXT_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "error", err->text);
    json_nothing(&json, "data");
    json_text(&json, "code", err_code_name(err->code));
    if (err->field[0])
        json_text(&json, "field", err->field);
    json_close_object(&json);
    http_reply_take(request, err_http_status(err->code), ANSWER_JSON, &body);
}

void request_answer_ended(struct http_request *request, int status, const char *place,
                          struct buf *body)
{
    struct err err;
    if (http_may_answer(request, body->len) || slice_is(http_request_method(request), "GET")) {
        http_reply_take(request, status, ANSWER_JSON, body);
        return;
    }
    (void)err_set(&err, ERR_UNSENT,
                  "the run has ended, but too many long answers wait for slow clients; to send it "
                  "again runs it again%s%s",
                  place ? ", and its record is there later: GET " : "", place ? place : "");
    request_answer_err(request, &err);
}

void request_add_retry_after(struct http_request *request, const struct engine *engine,
                             const struct err *err)
{
    bool is_full =
        err->code == ERR_BUSY || err->code == ERR_SHUTTING_DOWN || err->code == ERR_BROKER;
    if (err->retry_ms > 0)
        request_add_number(request, "Retry-After", request_in_seconds(err->retry_ms));
    else if (is_full || err->code == ERR_RATE_LIMITED)
        request_add_number(request, "Retry-After", engine_retry_after_s(engine));
}

/* --- a run that is waited for --- */

struct waiter {
    struct http_request *request;
    struct run *run;
    struct reader *reader;
    struct result_output output;
    request_answer_fn *answer;
    const void *context;
};

static void waiter_free(struct waiter *waiter)
{
    reader_free(waiter->reader);
    result_output_fini(&waiter->output);
    free(waiter);
}

static void on_gone(void *context)
{
    struct waiter *waiter = context;
    run_cancel(waiter->run, "the client left");
    waiter_free(waiter);
}

static void on_ready(void *context)
{
    struct waiter *waiter = context;
    struct event event;
    while (reader_next(waiter->reader, &event) > 0) {
        result_output_add(&waiter->output, &event);
        if (event.kind != EVENT_END)
            continue;
        waiter->answer(waiter->request, waiter->run, &waiter->output, waiter->context);
        waiter_free(waiter);
        return;
    }
}

int request_wait_for(struct http_request *request, struct run *run, request_answer_fn *answer,
                     const void *context, struct err *err)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter) {
        run_cancel(run, "its output cannot be read");
        return err_sys(err, errno, "run");
    }
    *waiter = (struct waiter){.request = request, .run = run, .answer = answer, .context = context};
    result_output_init(&waiter->output);
    waiter->reader = run_attach(run, 0, READER_TEXT, on_ready, waiter, err);
    if (!waiter->reader) {
        run_cancel(run, "its output cannot be read");
        waiter_free(waiter);
        return -1;
    }
    http_on_gone(request, on_gone, waiter);
    return 0;
}
