/* SPDX-License-Identifier: MIT */
/* runs_stream.c — a run over a WebSocket: its events out, what is for it in.
 *
 * With the subprotocol "runnel.bytes" the program's output and input are binary
 * frames, byte for byte: out, one byte that says which stream (1 stdout, 2
 * stderr), eight of the event's number, most significant first, and the bytes;
 * in, the bytes. All else is JSON text, with it or without.
 */
#include "dialect/runs_stream.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/runs.h"
#include "dialect/runs_event.h"
#include "dialect/runs_replay.h"
#include "dialect/runs_request.h"
#include "engine/engine.h"
#include "server/websocket.h"

#define MESSAGE_MAX MIB
#define ERROR_MAX (4 * KIB)

struct stream {
    const struct runs *runs;
    struct run *run;
    struct reader *reader;
    struct websocket *socket;
    bool is_binary;
};

/* --- out --- */

const char *const runs_protocols[] = {"runnel.bytes", NULL};

bool runs_send_bytes(struct websocket *socket, bool is_stdout, uint64_t number, struct slice bytes)
{
    auto_buf struct buf frame;
    buf_init(&frame, RUNS_EVENT_MAX);
    buf_add_char(&frame, is_stdout ? 1 : 2);
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_add_char(&frame, (char)(number >> shift & 0xff));
    buf_add_slice(&frame, bytes);
    return websocket_send_buf(socket, WEBSOCKET_BINARY, &frame);
}

static bool send_event(const struct stream *stream, const struct event *event)
{
    bool is_output = event->kind == EVENT_STDOUT || event->kind == EVENT_STDERR;
    if (stream->is_binary && is_output)
        return runs_send_bytes(stream->socket, event->kind == EVENT_STDOUT, event->number,
                               event->bytes);
    auto_buf struct buf frame;
    buf_init(&frame, RUNS_EVENT_MAX);
    struct runs_outcome outcome = runs_outcome_of(stream->run, stream->runs->engine);
    runs_event_write(&frame, event, &outcome);
    return websocket_send_buf(stream->socket, WEBSOCKET_TEXT, &frame);
}

static void on_ready(void *context)
{
    struct stream *stream = context;
    struct event event;
    while (reader_next(stream->reader, &event) > 0) {
        bool more = send_event(stream, &event);
        if (event.kind == EVENT_END)
            websocket_close(stream->socket, WEBSOCKET_DONE, "");
        if (!more || event.kind == EVENT_END)
            return; /* on_drained goes on */
    }
}

/* --- in --- */

static int take_input(struct stream *stream, const json_t *message, struct err *err)
{
    struct slice data = {0};
    if (json_read_text(message, "data", &data, err) < 0)
        return -1;
    return run_write(stream->run, data, err);
}

static int take_eof(struct stream *stream, const json_t *message, struct err *err)
{
    (void)message;
    (void)err;
    run_close_input(stream->run);
    return 0;
}

static int take_signal(struct stream *stream, const json_t *message, struct err *err)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        {"INT", SIGINT},   {"TERM", SIGTERM}, {"QUIT", SIGQUIT},
        {"HUP", SIGHUP},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
        {"TSTP", SIGTSTP}, {"CONT", SIGCONT}, {"KILL", SIGKILL},
    };
    struct slice name = {0};
    if (json_read_text(message, "signal", &name, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        if (slice_is(name, signals[i].name)) {
            run_signal(stream->run, signals[i].number);
            return 0;
        }
    }
    return err_field(err, "signal",
                     "signal must be INT, TERM, QUIT, HUP, USR1, USR2, TSTP, CONT "
                     "or KILL");
}

static int take_resize(struct stream *stream, const json_t *message, struct err *err)
{
    uint64_t columns = 0;
    uint64_t rows = 0;
    if (json_read_u64(message, "columns", &columns, err) < 0 ||
        json_read_u64(message, "rows", &rows, err) < 0)
        return -1;
    if (columns == 0 || columns > RUNS_TERMINAL_SIDE_MAX)
        return err_field(err, "columns", "columns must be from 1 to %d", RUNS_TERMINAL_SIDE_MAX);
    if (rows == 0 || rows > RUNS_TERMINAL_SIDE_MAX)
        return err_field(err, "rows", "rows must be from 1 to %d", RUNS_TERMINAL_SIDE_MAX);
    run_resize(stream->run, (unsigned)columns, (unsigned)rows);
    return 0;
}

static int take_cancel(struct stream *stream, const json_t *message, struct err *err)
{
    (void)message;
    (void)err;
    run_cancel(stream->run, "the client stopped it");
    return 0;
}

static int take(struct stream *stream, struct slice text, struct err *err)
{
    static const struct {
        const char *type;
        int (*take)(struct stream *stream, const json_t *message, struct err *err);
    } kinds[] = {
        {"input", take_input},   {"eof", take_eof},       {"signal", take_signal},
        {"resize", take_resize}, {"cancel", take_cancel},
    };
    struct slice type = {0};
    auto_json json_t *message = json_read_lenient_object(text, err);
    if (!message || json_read_text(message, "type", &type, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (slice_is(type, kinds[i].type))
            return kinds[i].take(stream, message, err);
    }
    return err_field(err, "type", "type must be input, eof, signal, resize or cancel");
}

static void send_error(const struct stream *stream, const struct err *err)
{
    auto_buf struct buf frame;
    buf_init(&frame, ERROR_MAX);
    struct json json = json_start(&frame);
    json_open_object(&json, NULL);
    json_text(&json, "type", "error");
    json_text(&json, "error", err->text);
    json_text(&json, "code", err_code_name(err->code));
    if (err->field[0])
        json_text(&json, "field", err->field);
    json_close_object(&json);
    (void)websocket_send_buf(stream->socket, WEBSOCKET_TEXT, &frame);
}

static void on_message(void *context, enum websocket_kind kind, struct slice payload)
{
    struct stream *stream = context;
    struct err err = {0};
    if (kind == WEBSOCKET_BINARY && !stream->is_binary) {
        websocket_close(stream->socket, WEBSOCKET_UNSUPPORTED, "frames are text here");
        return;
    }
    int rc = kind == WEBSOCKET_BINARY ? run_write(stream->run, payload, &err)
                                      : take(stream, payload, &err);
    if (rc < 0)
        send_error(stream, &err);
}

/* --- its life --- */

static void on_closed(void *context)
{
    struct stream *stream = context;
    reader_free(stream->reader);
    free(stream);
}

void runs_handle_stream(struct http_request *request, void *context)
{
    static const struct websocket_ops ops = {on_message, on_ready, on_closed};
    const struct runs *runs = context;
    struct run *run = engine_find(runs->engine, http_request_capture(request, "id"));
    uint64_t from = runs_position(http_request_query(request, "from"));
    struct err err;
    if (!run) {
        replay_find(runs, request, from, SIZE_MAX, replay_on_websocket);
        return;
    }
    if (!request_may_see(request, run_owner(run))) {
        runs_answer_not_found(request);
        return;
    }
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        (void)err_sys(&err, errno, "stream");
        http_reply_err(request, &err);
        return;
    }
    *stream = (struct stream){.runs = runs, .run = run};
    stream->socket =
        websocket_accept(request, &(struct websocket_config){.message_max = MESSAGE_MAX,
                                                             .ops = &ops,
                                                             .context = stream,
                                                             .protocols = runs_protocols});
    if (!stream->socket) {
        free(stream);
        return;
    }
    stream->is_binary = websocket_protocol(stream->socket) != NULL;
    stream->reader = run_attach(run, from, stream->is_binary ? READER_BYTES : READER_TEXT, on_ready,
                                stream, &err);
    if (!stream->reader)
        websocket_close(stream->socket, WEBSOCKET_FAILED, "out of memory");
}
