/* SPDX-License-Identifier: MIT */
/* runs_events.c — a run's events as Server-Sent Events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/request_answer.h"
#include "dialect/runs.h"
#include "dialect/runs_event.h"
#include "dialect/runs_replay.h"
#include "engine/engine.h"
#include "loop/loop.h"

/* A comment now and then: proxies end a connection on which nothing comes, and a
 * client that is gone without a word is noticed by it. */
#define COMMENT_MS 15000

struct event_stream {
    const struct runs *runs;
    struct run *run;
    struct reader *reader;
    struct http_stream *stream;
    struct loop_timer *comment;
};

static void event_stream_free(struct event_stream *events)
{
    reader_free(events->reader);
    loop_timer_free(events->comment);
    free(events);
}

static bool send_event(struct event_stream *events, const struct event *event)
{
    auto_buf struct buf text;
    buf_init(&text, RUNS_EVENT_MAX);
    buf_add_format(&text, "id: %llu\nevent: %s\ndata: ", (unsigned long long)event->number,
                   runs_event_type(event));
    struct runs_outcome outcome = runs_outcome_of(events->run, events->runs->engine);
    runs_event_write(&text, event, &outcome);
    buf_add_text(&text, "\n\n");
    return http_stream_write_buf(events->stream, &text);
}

static void on_ready(void *context)
{
    struct event_stream *events = context;
    struct event event;
    while (reader_next(events->reader, &event) > 0) {
        bool more = send_event(events, &event);
        if (event.kind == EVENT_END) {
            http_stream_end(events->stream);
            event_stream_free(events);
            return;
        }
        if (!more)
            return; /* on_drained goes on */
    }
}

static void on_closed(void *context)
{
    event_stream_free(context);
}

static void on_comment(void *context)
{
    struct event_stream *events = context;
    (void)http_stream_write(events->stream, slice_of(":\n\n"));
    loop_timer_start(events->comment, COMMENT_MS);
}

/* The number to begin with: behind the last one that the client has, or as asked. */
static uint64_t first_number(const struct http_request *request)
{
    const char *last = http_request_header(request, "Last-Event-ID");
    return last ? runs_position(last) + 1 : runs_position(http_request_query(request, "from"));
}

static int open_stream(struct event_stream *events, struct http_request *request, struct err *err)
{
    static const struct http_stream_ops ops = {.drained = on_ready, .closed = on_closed};
    events->reader =
        run_attach(events->run, first_number(request), READER_TEXT, on_ready, events, err);
    if (!events->reader)
        return -1;
    events->comment = loop_timer_new(events->runs->loop, on_comment, events);
    loop_timer_start(events->comment, COMMENT_MS);
    http_add_header(request, "Cache-Control", "no-store");
    http_add_header(request, "X-Accel-Buffering", "no");
    events->stream = http_reply_stream(request, 200, "text/event-stream", &ops, events);
    if (!events->stream)
        event_stream_free(events);
    return 0;
}

void runs_handle_events(struct http_request *request, void *context)
{
    const struct runs *runs = context;
    struct run *run = engine_find(runs->engine, http_request_capture(request, "id"));
    struct err err;
    if (!run) {
        replay_as_events(runs, request, first_number(request));
        return;
    }
    if (!request_may_see(request, run_owner(run))) {
        runs_answer_not_found(request);
        return;
    }
    struct event_stream *events = calloc(1, sizeof *events);
    if (!events) {
        (void)err_sys(&err, errno, "events");
        http_reply_err(request, &err);
        return;
    }
    *events = (struct event_stream){.runs = runs, .run = run};
    if (open_stream(events, request, &err) < 0) {
        free(events);
        http_reply_err(request, &err);
    }
}
