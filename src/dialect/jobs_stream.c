/* SPDX-License-Identifier: MIT */
#include "dialect/jobs_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/parse.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/jobs.h"
#include "dialect/jobs_lines.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_request.h"
#include "loop/loop.h"
#include "server/websocket.h"
#include "store/store.h"

#define MESSAGE_MAX (64 * KIB)
#define FRAME_MAX (8 * JOBS_LINE_MAX) /* a control character becomes six bytes */
enum { FOLLOWED_MAX = 16 };           /* jobs of one socket */
/* The status comes over another connection, and could overtake the last lines still. */
enum { ARRIVAL_MS = 100 };

enum { OUT, ERR, STREAMS };

/* A WebSocket. */
struct stream {
    struct jobs *jobs;
    struct websocket *socket;
    uint64_t key;
    struct list followers;
    size_t count;
    bool is_full; /* until it has drained */
};

/* One job of a stream. */
struct follower {
    struct list of_stream;
    struct list of_all;    /* jobs.followers */
    struct stream *stream; /* NULL: given up while the job was looked for */
    char id[RUN_ID_SIZE];
    struct reader *reader; /* NULL: the job is being looked for, or all of it was sent */
    bool is_looking;
    uint64_t sent_ns; /* when all of it was sent; 0: it was not */
    uint64_t created_ms;
    struct jobs_lines lines[STREAMS];
    unsigned attempt;
    struct event event; /* being cut into lines: its bytes are what is left of it */
};

/* --- its life --- */

static void follower_free(struct follower *follower)
{
    reader_free(follower->reader);
    jobs_lines_fini(&follower->lines[OUT]);
    jobs_lines_fini(&follower->lines[ERR]);
    free(follower);
}

/* One that is looked for is freed when the answer comes. */
static void unfollow(struct follower *follower)
{
    list_remove(&follower->of_stream);
    list_remove(&follower->of_all);
    follower->stream->count--;
    follower->stream = NULL;
    if (!follower->is_looking)
        follower_free(follower);
}

/* --- lines out --- */

static void send_line(struct follower *follower, int stream, struct slice line, uint64_t time_ms)
{
    char time[TIME_TEXT_SIZE];
    auto_buf struct buf frame;
    buf_init(&frame, FRAME_MAX);
    struct json json = json_start(&frame);
    json_open_object(&json, NULL);
    json_text(&json, "type", "output");
    json_open_object(&json, "data");
    json_text(&json, "job_id", follower->id);
    json_slice(&json, "line", line);
    json_text(&json, "stream", stream == OUT ? "stdout" : "stderr");
    json_text(&json, "timestamp", format_time(time, follower->created_ms + time_ms));
    json_close_object(&json);
    json_close_object(&json);
    if (!websocket_send_buf(follower->stream->socket, WEBSOCKET_TEXT, &frame))
        follower->stream->is_full = true;
}

/* It would lack something that nobody could tell from what there is. */
static void give_up(struct stream *stream)
{
    stream->is_full = true;
    websocket_close(stream->socket, WEBSOCKET_FAILED, "out of memory");
}

/* False: the socket takes no more for now, and something is left. */
static bool send_lines(struct follower *follower)
{
    struct event *event = &follower->event;
    int stream = event->kind == EVENT_STDOUT ? OUT : ERR;
    struct slice line;
    while (event->bytes.len > 0) {
        if (follower->stream->is_full)
            return false;
        if (jobs_lines_next(&follower->lines[stream], &event->bytes, &line))
            send_line(follower, stream, line, event->time_ms);
        if (follower->lines[stream].begun.failed)
            give_up(follower->stream);
    }
    return true;
}

static void send_last(struct follower *follower)
{
    struct slice line;
    for (int stream = 0; stream < STREAMS; stream++) {
        if (jobs_lines_last(&follower->lines[stream], &line))
            send_line(follower, stream, line, follower->event.time_ms);
    }
}

/* What an earlier attempt began is not gone on with. */
static void begin_attempt(struct follower *follower)
{
    follower->attempt = follower->event.attempt;
    jobs_lines_clear(&follower->lines[OUT]);
    jobs_lines_clear(&follower->lines[ERR]);
}

/* As much as the socket takes. */
static void go_on(struct follower *follower)
{
    struct event *event = &follower->event;
    while (follower->reader && send_lines(follower) && reader_next(follower->reader, event) > 0) {
        if (event->attempt != follower->attempt)
            begin_attempt(follower);
        if (event->kind == EVENT_END) {
            send_last(follower);
            follower->sent_ns = loop_now_ns();
            reader_free(take_ptr(&follower->reader));
            jobs_lines_fini(&follower->lines[OUT]);
            jobs_lines_fini(&follower->lines[ERR]);
        }
        if (event->kind != EVENT_STDOUT && event->kind != EVENT_STDERR)
            event->bytes.len = 0; /* is not of the program */
    }
}

static void on_ready(void *context)
{
    go_on(context);
}

static bool has_arrived(const struct follower *follower)
{
    return follower->sent_ns > 0 && !follower->stream->is_full &&
           loop_now_ns() - follower->sent_ns > ARRIVAL_MS * NS_PER_MS;
}

bool jobs_stream_settle(struct jobs *jobs, const struct run *run)
{
    bool settled = true;
    list_for_each (link, &jobs->followers) {
        struct follower *follower = CONTAINER_OF(link, struct follower, of_all);
        if (strcmp(follower->id, run_id(run)) != 0)
            continue;
        go_on(follower);
        settled = settled && has_arrived(follower);
    }
    return settled;
}

/* --- messages in --- */

static struct follower *find(const struct stream *stream, const char *id)
{
    list_for_each (link, &stream->followers) {
        struct follower *follower = CONTAINER_OF(link, struct follower, of_stream);
        if (strcmp(follower->id, id) == 0)
            return follower;
    }
    return NULL;
}

/* What its key may is asked anew: that may have changed since the socket was opened. */
static bool may_follow(const struct stream *stream, struct run *run, struct jobs_note *ret_note)
{
    unsigned scopes = accounts_scopes(stream->jobs->accounts, stream->key);
    bool may_see = run && (run_owner(run) == stream->key || scopes & STORE_SCOPE_ADMIN);
    return may_see && jobs_note_read(run_note(run), ret_note);
}

/* A job that there is not, or that is another's, is not followed, and nobody says so. */
static void on_found(void *context, struct run *run)
{
    struct follower *follower = context;
    struct jobs_note note = {0};
    struct err err = {0};
    follower->is_looking = false;
    if (!follower->stream) {
        follower_free(follower);
        return;
    }
    if (may_follow(follower->stream, run, &note))
        follower->reader = run_attach(run, 0, READER_TEXT, on_ready, follower, &err);
    if (err_is_internal(&err))
        give_up(follower->stream);
    if (!follower->reader) {
        unfollow(follower);
        return;
    }
    follower->created_ms = note.created_ms;
    list_append(&follower->stream->jobs->followers, &follower->of_all);
}

/* Those who have all of their job make room. */
static bool has_room(struct stream *stream)
{
    list_for_each_safe (link, following, &stream->followers) {
        struct follower *follower = CONTAINER_OF(link, struct follower, of_stream);
        if (stream->count == FOLLOWED_MAX && follower->sent_ns > 0)
            unfollow(follower);
    }
    return stream->count < FOLLOWED_MAX;
}

static void subscribe(struct stream *stream, const char *id)
{
    struct follower *known = find(stream, id);
    if (known && known->sent_ns > 0)
        unfollow(known); /* from the start again */
    else if (known)
        return;
    if (!has_room(stream))
        return;
    struct follower *follower = calloc(1, sizeof *follower);
    if (!follower) {
        give_up(stream);
        return;
    }
    follower->stream = stream;
    follower->is_looking = true;
    memcpy(follower->id, id, strlen(id) + 1);
    jobs_lines_init(&follower->lines[OUT]);
    jobs_lines_init(&follower->lines[ERR]);
    list_init(&follower->of_all);
    list_append(&stream->followers, &follower->of_stream);
    stream->count++;
    engine_look_up(stream->jobs->engine, id, on_found, follower);
}

static void unsubscribe(struct stream *stream, const char *id)
{
    struct follower *follower = find(stream, id);
    if (follower)
        unfollow(follower);
}

/* What is not understood is passed over, as the known service does with other types. */
static void on_message(void *context, enum websocket_kind kind, struct slice payload)
{
    struct stream *stream = context;
    struct slice type = {0};
    struct slice id = {0};
    struct err err = {0};
    (void)kind;
    auto_json json_t *message = json_read_object(payload, &err);
    if (err_is_internal(&err))
        give_up(stream);
    if (!message || json_read_text(message, "type", &type, NULL) < 0 ||
        json_read_text(message, "job_id", &id, NULL) <= 0 || !jobs_is_id(id.at))
        return;
    if (slice_is(type, "subscribe"))
        subscribe(stream, id.at);
    else if (slice_is(type, "unsubscribe"))
        unsubscribe(stream, id.at);
}

/* --- the socket --- */

static void on_drained(void *context)
{
    struct stream *stream = context;
    stream->is_full = false;
    list_for_each (link, &stream->followers)
        go_on(CONTAINER_OF(link, struct follower, of_stream));
}

static void on_closed(void *context)
{
    struct stream *stream = context;
    list_for_each_safe (link, following, &stream->followers)
        unfollow(CONTAINER_OF(link, struct follower, of_stream));
    free(stream);
}

void jobs_handle_stream(struct http_request *request, void *context)
{
    static const struct websocket_ops ops = {on_message, on_drained, on_closed};
    struct jobs *jobs = context;
    struct err err;
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        (void)err_sys(&err, errno, "stream");
        jobs_answer_err(request, jobs, &err);
        return;
    }
    stream->jobs = jobs;
    stream->key = http_request_key(request);
    list_init(&stream->followers);
    stream->socket = websocket_accept(
        request,
        &(struct websocket_config){.message_max = MESSAGE_MAX, .ops = &ops, .context = stream});
    if (!stream->socket)
        free(stream);
}
