/* SPDX-License-Identifier: MIT */
/* Theory of operation. A client (a Socket.IO session) has executions; each says
 * what it has to say in steps, of which one emits one event at most:
 *
 *     banner ─► start ─► output (many) ─► notice ─► complete
 *     error ───────────────────────────────────────► complete      (it was refused)
 *
 * When the session is full, all of its executions stay at their steps until it
 * can be written to again; a run whose output nobody takes is held by its log.
 */
#include "dialect/interactive.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/parse.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/request_fields.h"
#include "dialect/request_tenant.h"
#include "dialect/result_output.h"
#include "engine/engine.h"
#include "language/language.h"
#include "loop/loop.h"
#include "server/address.h"
#include "server/rate_limit.h"

#define ARGUMENT_MAX MIB
#define EXECUTIONS_MAX 32 /* of one client */
/* With those that were refused, and that a client has not heard of yet. */
#define UNTOLD_MAX ((size_t)2 * EXECUTIONS_MAX)
#define MS_PER_MINUTE 60000

enum step {
    STEP_BANNER,
    STEP_START,
    STEP_OUTPUT,
    STEP_NOTICE,
    STEP_ERROR,
    STEP_COMPLETE,
    STEP_DONE
};

struct client {
    const struct interactive *interactive;
    struct engineio_session *session;
    struct list executions;
    size_t execution_count;
    bool is_full; /* nothing is emitted until it can be written to */
};

struct execution {
    struct list link;
    struct client *client;
    struct run *run; /* NULL: it was refused */
    struct reader *reader;
    enum step step;
    char message[512]; /* why it was refused */
};

static void execution_free(struct execution *execution)
{
    reader_free(execution->reader);
    list_remove(&execution->link);
    execution->client->execution_count--;
    free(execution);
}

/* --- out --- */

static struct json open_argument(struct buf *buf)
{
    buf_init(buf, ARGUMENT_MAX);
    struct json json = json_start(buf);
    json_open_object(&json, NULL);
    return json;
}

static void emit(struct client *client, const char *event, struct json *json)
{
    json_close_object(json);
    if (json->buf->failed)
        engineio_break(client->session);
    client->is_full = engineio_emit(client->session, event, buf_slice(json->buf)) < 1;
}

static void emit_output(struct client *client, struct slice data, const char *type)
{
    auto_buf struct buf buf;
    struct json json = open_argument(&buf);
    json_slice(&json, "data", data);
    if (type)
        json_text(&json, "type", type);
    emit(client, "output", &json);
}

/* As those clients know it: what a compiler or a library only spaced out is not shown. */
static bool is_blank(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (!isspace((unsigned char)bytes.at[i]))
            return false;
    }
    return true;
}

static void emit_start(const struct execution *execution)
{
    auto_buf struct buf buf;
    struct json json = open_argument(&buf);
    json_text(&json, "executionId", run_id(execution->run));
    emit(execution->client, "execution-start", &json);
}

static void emit_error(const struct execution *execution)
{
    auto_buf struct buf buf;
    struct json json = open_argument(&buf);
    json_text(&json, "message", execution->message);
    emit(execution->client, "error", &json);
}

static void emit_complete(const struct execution *execution)
{
    const struct run_result *result = execution->run ? run_result(execution->run) : NULL;
    auto_buf struct buf buf;
    struct json json = open_argument(&buf);
    bool succeeded = result && result->verdict == VERDICT_SUCCEEDED;
    json_text(&json, "status", succeeded ? "success" : "error");
    if (result) {
        json_i64(&json, "exitCode", result_exit_code(result));
        json_text(&json, "executionId", run_id(execution->run));
    }
    emit(execution->client, "execution-complete", &json);
}

/* "5 minutes", as it is known; what is not whole minutes as everywhere here. */
static const char *format_timeout(char *text, size_t size, uint64_t ms)
{
    if (ms % MS_PER_MINUTE != 0)
        return format_duration(text, size, ms);
    (void)snprintf(text, size, "%u minutes", (unsigned)(ms / MS_PER_MINUTE));
    return text;
}

/* What the program cannot have said itself: why it was ended. */
static void emit_notice(const struct execution *execution)
{
    const struct run_result *result = run_result(execution->run);
    enum verdict verdict = result->verdict;
    char limit[32];
    char text[320];
    if (verdict == VERDICT_SUCCEEDED || verdict == VERDICT_FAILED ||
        verdict == VERDICT_COMPILE_FAILED)
        return;
    if (verdict == VERDICT_TIMEOUT)
        (void)snprintf(
            text, sizeof text, "\n⏱️ Execution timeout (%s)\n",
            format_timeout(limit, sizeof limit, run_limits(execution->run)->value[LIMIT_WALL]));
    else
        (void)snprintf(text, sizeof text, "\n%s\n", result->reason);
    emit_output(execution->client, slice_of(text), "error");
}

/* False when there is nothing to say now. */
static bool say_output(struct execution *execution)
{
    struct event event;
    if (reader_next(execution->reader, &event) == 0)
        return false;
    if (event.kind == EVENT_STDOUT)
        emit_output(execution->client, event.bytes, NULL);
    else if ((event.kind == EVENT_STDERR || event.kind == EVENT_NOTICE) && !is_blank(event.bytes))
        emit_output(execution->client, event.bytes, "stderr");
    else if (event.kind == EVENT_END)
        execution->step = STEP_NOTICE;
    return true;
}

static bool say_one(struct execution *execution)
{
    switch (execution->step) {
    case STEP_BANNER:
        execution->step = STEP_START;
        emit_output(execution->client, slice_of("🚀 Starting execution...\n\n"), NULL);
        return true;
    case STEP_START:
        execution->step = STEP_OUTPUT;
        emit_start(execution);
        return true;
    case STEP_OUTPUT:
        return say_output(execution);
    case STEP_NOTICE:
        execution->step = STEP_COMPLETE;
        emit_notice(execution);
        return true;
    case STEP_ERROR:
        execution->step = STEP_COMPLETE;
        emit_error(execution);
        return true;
    case STEP_COMPLETE:
        execution->step = STEP_DONE;
        emit_complete(execution);
        return true;
    case STEP_DONE:
        break;
    }
    return false;
}

static void say(struct execution *execution)
{
    while (!execution->client->is_full && say_one(execution))
        ;
    if (execution->step == STEP_DONE)
        execution_free(execution);
}

static void on_ready(void *context)
{
    say(context);
}

/* --- in --- */

/* The client's address says whether it is on this machine. */
static bool pass_rate(const struct client *client, struct err *err)
{
    const struct interactive *interactive = client->interactive;
    const char *from = engineio_client(client->session);
    struct address address;
    bool local = address_parse(slice_of(from), &address) == 0 && address_is_loopback(&address);
    if (local && !interactive->rate_limit_loopback)
        return true;
    if (rate_limiter_take(interactive->limiter, from, loop_now_ns() / NS_PER_MS).allowed)
        return true;
    (void)err_set(err, ERR_RATE_LIMITED, ANSWER_TOO_MANY);
    return false;
}

static int read_request(const struct client *client, const json_t *argument, struct run_spec *spec,
                        struct err *err)
{
    struct slice language = {0};
    if (!json_is_object(argument) || json_read_text(argument, "language", &language, err) < 0 ||
        json_read_text(argument, "code", &spec->source, err) < 0 || language.len == 0 ||
        spec->source.len == 0)
        return err_set(err, ERR_INVALID, ANSWER_REQUIRED);
    return request_find_language(client->interactive->catalogue, language, &spec->language, err);
}

static int start(struct execution *execution, const json_t *argument, struct err *err)
{
    struct client *client = execution->client;
    struct run_spec spec = {
        .profile = PROFILE_LIVE,
        .owner = engineio_key(client->session),
        .lane = LANE_NORMAL,
        .tenant =
            request_tenant_of(engineio_key(client->session), engineio_client(client->session)),
        .input_stays_open = true,
        .streaming = true,
        .passing = true,
    };
    if (client->execution_count > EXECUTIONS_MAX)
        return err_set(err, ERR_BUSY, "%d programs run already", EXECUTIONS_MAX);
    if (read_request(client, argument, &spec, err) < 0 || !pass_rate(client, err))
        return -1;
    struct run *run = engine_submit(client->interactive->engine, &spec, err);
    if (!run)
        return -1;
    execution->reader = run_attach(run, 0, READER_TEXT, on_ready, execution, err);
    if (!execution->reader) {
        run_cancel(run, "its output cannot be read");
        return -1;
    }
    execution->run = run;
    return 0;
}

static void client_free(struct client *client)
{
    list_for_each_safe (link, following, &client->executions) {
        struct execution *execution = CONTAINER_OF(link, struct execution, link);
        if (execution->run)
            run_cancel(execution->run, "the client left");
        execution_free(execution);
    }
    free(client);
}

static void take_execute(struct client *client, const json_t *argument)
{
    struct err err = {0};
    if (client->execution_count >= UNTOLD_MAX) { /* it makes us answer, and never fetches */
        engineio_disconnect(client->session);
        client_free(client);
        return;
    }
    struct execution *execution = calloc(1, sizeof *execution);
    if (!execution) {
        engineio_break(client->session);
        return;
    }
    execution->client = client;
    list_append(&client->executions, &execution->link);
    client->execution_count++;
    if (start(execution, argument, &err) < 0) {
        execution->step = STEP_ERROR;
        (void)snprintf(execution->message, sizeof execution->message, "%s", err.text);
    }
    say(execution);
}

static void take_input(struct client *client, const json_t *argument)
{
    struct slice data = {0};
    struct slice id = {0};
    struct err err = {0};
    if (!json_is_object(argument) || json_read_text(argument, "data", &data, NULL) < 0 ||
        json_read_text(argument, "executionId", &id, NULL) < 0 || data.len == 0)
        return;
    list_for_each (link, &client->executions) {
        struct execution *execution = CONTAINER_OF(link, struct execution, link);
        if (!execution->run || !slice_is(id, run_id(execution->run)))
            continue;
        auto_buf struct buf line;
        buf_init(&line, data.len + 1);
        buf_add_slice(&line, data);
        buf_add_char(&line, '\n');
        if (!line.failed)
            (void)run_write(execution->run, buf_slice(&line), &err);
        if (line.failed || err_is_internal(&err))
            engineio_break(client->session);
        return;
    }
}

/* --- the session --- */

static void *on_connected(void *context, struct engineio_session *session)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->interactive = context;
    client->session = session;
    list_init(&client->executions);
    return client;
}

static void on_event(void *owner, struct slice name, const json_t *argument)
{
    if (slice_is(name, "execute-interactive"))
        take_execute(owner, argument);
    else if (slice_is(name, "input"))
        take_input(owner, argument);
}

static void on_writable(void *owner)
{
    struct client *client = owner;
    client->is_full = false;
    list_for_each_safe (link, following, &client->executions)
        say(CONTAINER_OF(link, struct execution, link));
}

static void on_closed(void *owner)
{
    client_free(owner);
}

const struct engineio_owner_ops interactive_ops = {on_connected, on_event, on_writable, on_closed};
