/* SPDX-License-Identifier: MIT */
/* runs_replay_socket.c — a WebSocket on a run that only the store knows: all that is
 * kept of its events, as fast as they are taken, and the end. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/util.h"
#include "codec/json_read.h"
#include "dialect/runs.h"
#include "dialect/runs_event.h"
#include "dialect/runs_replay.h"
#include "dialect/runs_stream.h"
#include "server/http.h"
#include "server/websocket.h"
#include "store/store.h"

#define LINES_MAX (64 * MIB)
/* Of all sockets together: a client may take its time. */
#define REPLAYS_MAX (128 * MIB)
/* Behind so many bytes of one holder's there is no other. */
#define REPLAYS_OF_HOLDER_MAX (REPLAYS_MAX / 4)
#define MESSAGE_MAX MIB

struct replay {
    struct list link; /* in runs.replays */
    uint64_t holder;
    struct websocket *socket;
    struct buf lines;
    struct slice rest;
    uint64_t from;
    bool is_binary;
};

static bool send_line(const struct replay *replay, const struct replay_line *line)
{
    struct slice type = replay_type(line->text);
    struct slice data = {0};
    bool is_stdout = slice_is(type, "stdout");
    if (!replay->is_binary || (!is_stdout && !slice_is(type, "stderr")))
        return websocket_send(replay->socket, WEBSOCKET_TEXT, line->text);
    auto_json json_t *event = json_read_lenient_object(line->text, NULL); /* it may print NUL */
    if (!event) {
        websocket_close(replay->socket, WEBSOCKET_FAILED, "out of memory");
        return false;
    }
    (void)json_read_text(event, "data", &data, NULL);
    return runs_send_bytes(replay->socket, is_stdout, line->number, data);
}

static void on_drained(void *context)
{
    struct replay *replay = context;
    struct replay_line line;
    while (replay_next(&replay->rest, &line)) {
        if (line.number < replay->from && replay->rest.len > 0)
            continue;
        if (!send_line(replay, &line))
            return;
    }
    websocket_close(replay->socket, WEBSOCKET_DONE, "");
}

static void on_message(void *context, enum websocket_kind kind, struct slice payload)
{
    const struct replay *replay = context;
    (void)kind;
    (void)payload;
    (void)websocket_send(replay->socket, WEBSOCKET_TEXT,
                         slice_of("{\"type\":\"error\",\"error\":\"the run has ended\","
                                  "\"code\":\"conflict\"}"));
}

static void on_closed(void *context)
{
    struct replay *replay = context;
    list_remove(&replay->link);
    buf_fini(&replay->lines);
    free(replay);
}

static bool has_room(const struct list *replays, uint64_t holder)
{
    size_t all = 0;
    size_t own = 0;
    list_for_each (link, replays) {
        const struct replay *replay = CONTAINER_OF(link, struct replay, link);
        all += replay->lines.len;
        own += replay->holder == holder ? replay->lines.len : 0;
    }
    return all < REPLAYS_MAX && (holder == 0 || own < REPLAYS_OF_HOLDER_MAX);
}

void replay_on_websocket(struct http_request *request, const struct stored_run *run, uint64_t from,
                         const struct runs *runs)
{
    static const struct websocket_ops ops = {on_message, on_drained, on_closed};
    auto_buf struct buf spare = {0};
    struct err err;
    uint64_t holder = http_request_holder(request);
    bool may = has_room(runs->replays, holder);
    struct replay *replay = may ? calloc(1, sizeof *replay) : NULL;
    if (!replay) {
        (void)(may ? err_sys(&err, errno, "stream")
                   : err_set(&err, ERR_BUSY, "too many runs are being replayed"));
        http_reply_err(request, &err);
        return;
    }
    *replay = (struct replay){.from = from, .holder = holder};
    list_append(runs->replays, &replay->link);
    buf_init(&spare, RUNS_EVENT_MAX);
    buf_init(&replay->lines, LINES_MAX);
    buf_add_slice(&replay->lines, replay_lines(run, from, &spare));
    replay->rest = buf_slice(&replay->lines);
    if (spare.failed || replay->lines.failed) {
        (void)err_sys(&err, ENOMEM, "stream");
        http_reply_err(request, &err);
        on_closed(replay);
        return;
    }
    replay->socket = websocket_accept(request, &(struct websocket_config){
                                                   .message_max = MESSAGE_MAX,
                                                   .ops = &ops,
                                                   .context = replay,
                                                   .protocols = runs_protocols,
                                               });
    if (!replay->socket) {
        on_closed(replay);
        return;
    }
    replay->is_binary = websocket_protocol(replay->socket) != NULL;
    on_drained(replay);
}
