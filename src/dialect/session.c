/* SPDX-License-Identifier: MIT */
#include "dialect/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/request_fields.h"
#include "dialect/request_form.h"
#include "dialect/request_tenant.h"
#include "engine/engine.h"
#include "language/language.h"
#include "server/websocket.h"
#include "store/store.h"

#define BODY_MAX MIB
#define MESSAGE_MAX (256 * KIB)
#define FRAME_MAX (8 * MIB)
#define LEFT_ALONE_MS 60000 /* after this without a client it is ended */

/* --- starting --- */

static void reply_error(struct http_request *request, int status, const char *text)
{
    request_answer_text(request, status, "error", text);
}

/* In any case: so these clients' server reads them. 0 absent, -1 no text. */
static int read_text(json_t *body, const char *field, struct slice *ret_text)
{
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        if (strcasecmp(name, field) != 0 || json_is_null(value))
            continue;
        if (!json_is_string(value))
            return -1;
        *ret_text = (struct slice){json_string_value(value), json_string_length(value)};
    }
    return 0;
}

static void handle_start(struct http_request *request, void *context)
{
    const struct session_dialect *dialect = context;
    struct err err = {0};
    struct slice language = {0};
    struct run_spec spec = {
        .profile = PROFILE_SESSION,
        .owner = http_request_key(request),
        .lane = LANE_NORMAL,
        .tenant = request_tenant(request),
        .input_stays_open = true,
        .ends_unattended = true,
        .unattended_ms = LEFT_ALONE_MS,
    };
    if (request_is_foreign_form(request)) {
        reply_error(request, 415, "the body must be application/json");
        return;
    }
    auto_json json_t *body = json_read_object(http_request_body(request), &err);
    if (err_is_internal(&err)) {
        http_reply_err(request, &err);
        return;
    }
    if (!body || read_text(body, "language", &language) < 0 ||
        read_text(body, "code", &spec.source) < 0) {
        reply_error(request, 400, "invalid json");
        return;
    }
    struct run *run = NULL;
    if (request_find_language(dialect->catalogue, language, &spec.language, &err) == 0)
        run = engine_submit(dialect->engine, &spec, &err);
    if (run) {
        request_answer_text(request, 200, "sessionId", run_id(run));
        return;
    }
    request_add_retry_after(request, dialect->engine, &err);
    http_reply_err(request, &err);
}

/* --- a client that is attached --- */

struct attachment {
    struct run *run;
    struct reader *reader;
    struct websocket *socket;
    const char *state; /* the last one it was told */
    bool is_deaf;      /* sent something that is no JSON: nothing more is read from it */
};

/* Of our life table, in their words. What ended by itself is finished. */
static const char *state_word(const struct run *run)
{
    static const char *const words[] = {
        [RUN_QUEUED] = "waiting",  [RUN_PREPARING] = "waiting", [RUN_COMPILING] = "waiting",
        [RUN_RUNNING] = "running", [RUN_WAITING] = "waiting",   [RUN_FINISHED] = "terminated",
    };
    static const bool ended_by_itself[VERDICT_COUNT] = {
        [VERDICT_COMPILE_FAILED] = true,
        [VERDICT_KILLED_BY_SIGNAL] = true,
        [VERDICT_FAILED] = true,
        [VERDICT_SUCCEEDED] = true,
    };
    const struct run_result *result = run_result(run);
    return result && ended_by_itself[result->verdict] ? "finished" : words[run_state(run)];
}

static bool send_pair(struct attachment *attachment, const char *key, struct slice value,
                      const char *type)
{
    auto_buf struct buf frame;
    buf_init(&frame, FRAME_MAX);
    struct json json = json_start(&frame);
    json_open_object(&json, NULL);
    json_slice(&json, key, value);
    json_text(&json, "type", type);
    json_close_object(&json);
    return websocket_send_buf(attachment->socket, WEBSOCKET_TEXT, &frame);
}

static bool send_state(struct attachment *attachment)
{
    const char *word = state_word(attachment->run);
    if (attachment->state && strcmp(attachment->state, word) == 0)
        return true;
    attachment->state = word;
    return send_pair(attachment, "state", slice_of(word), "state");
}

/* A client that comes late is told how the run stands, not how it stood: of an
 * event of state only that there is one counts, and of the end that it is last. */
static bool forward(struct attachment *attachment, const struct event *event)
{
    switch (event->kind) {
    case EVENT_STDOUT:
        return send_pair(attachment, "data", event->bytes, "stdout");
    case EVENT_STDERR:
    case EVENT_NOTICE:
        return send_pair(attachment, "data", event->bytes, "stderr");
    case EVENT_STATE:
        return run_state(attachment->run) == RUN_FINISHED || send_state(attachment);
    case EVENT_END:
        (void)send_state(attachment);
        websocket_close(attachment->socket, WEBSOCKET_DONE, "");
        return false;
    case EVENT_USAGE:
    case EVENT_GAP:
        break;
    }
    return true;
}

static void on_ready(void *context)
{
    struct attachment *attachment = context;
    struct event event;
    while (reader_next(attachment->reader, &event) > 0) {
        if (!forward(attachment, &event))
            return; /* on_drained goes on */
    }
}

static void on_message(void *context, enum websocket_kind kind, struct slice payload)
{
    struct attachment *attachment = context;
    struct slice type = {0};
    struct slice data = {0};
    struct err err = {0};
    (void)kind;
    if (attachment->is_deaf)
        return;
    auto_json json_t *message = json_read_lenient_object(payload, &err);
    if (!message || json_read_text(message, "type", &type, &err) < 0 ||
        json_read_text(message, "data", &data, &err) < 0)
        attachment->is_deaf = true;
    else if (slice_is(type, "input") && data.len > 0)
        (void)run_write(attachment->run, data, &err); /* one that has ended: theirs drops it too */
    if (err_is_internal(&err))
        websocket_close(attachment->socket, WEBSOCKET_FAILED, "out of memory");
}

static void on_closed(void *context)
{
    struct attachment *attachment = context;
    reader_free(attachment->reader);
    free(attachment);
}

static void attach(struct http_request *request, struct run *run)
{
    static const struct websocket_ops ops = {on_message, on_ready, on_closed};
    struct attachment *attachment = calloc(1, sizeof *attachment);
    if (!attachment) {
        reply_error(request, 500, "out of memory");
        return;
    }
    attachment->run = run;
    attachment->socket = websocket_accept(
        request,
        &(struct websocket_config){.message_max = MESSAGE_MAX, .ops = &ops, .context = attachment});
    if (!attachment->socket) {
        free(attachment);
        return;
    }
    if (run_state(run) != RUN_FINISHED) /* then it is the last that is sent */
        (void)send_state(attachment);
    attachment->reader = run_attach(run, 0, READER_TEXT, on_ready, attachment, NULL);
    if (!attachment->reader)
        websocket_close(attachment->socket, WEBSOCKET_FAILED, "out of memory");
}

static void handle_attach(struct http_request *request, void *context)
{
    const struct session_dialect *dialect = context;
    struct run *run = engine_find(dialect->engine, http_request_capture(request, "id"));
    if (!run || !request_may_see(request, run_owner(run))) {
        reply_error(request, 404, "session not found");
    } else if (!websocket_wanted(request)) {
        http_add_header(request, "Sec-Websocket-Version", "13");
        http_reply(request, 400, "text/plain; charset=utf-8", slice_of("Bad Request\n"));
    } else {
        attach(request, run);
    }
}

const struct http_route session_routes[] = {
    {"POST", "/session", BODY_MAX, handle_start, NULL, .access = STORE_SCOPE_RUN},
    {"GET", "/ws/session/:id", 0, handle_attach, NULL, .access = STORE_SCOPE_RUN},
    {0},
};
