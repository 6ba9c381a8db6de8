/* SPDX-License-Identifier: MIT */
/* runs_replay_events.c — Server-Sent Events of a run that only the store knows: an answer like
 * any other, which is there at once, and complete. Where there is no room for a long one, no
 * more is read than would make about a short one, whatever part of it is wanted; and others may
 * take the room while the store is asked. */
#include "base/buf.h"
#include "dialect/request_answer.h"
#include "dialect/runs_event.h"
#include "dialect/runs_replay.h"
#include "server/http.h"
#include "store/store.h"

#define EVENTS_MAX (64 * MIB)

static void reply_stored(struct http_request *request, const struct stored_run *run, uint64_t from,
                         const struct runs *runs)
{
    auto_buf struct buf body;
    auto_buf struct buf spare;
    struct replay_line line;
    (void)runs;
    buf_init(&body, EVENTS_MAX);
    buf_init(&spare, RUNS_EVENT_MAX);
    if (run->lacks_events || !http_may_answer(request, run->end.events.len)) {
        http_refuse_long(request);
        return;
    }
    struct slice lines = replay_lines(run, from, &spare);
    while (replay_next(&lines, &line)) {
        struct slice type = replay_type(line.text);
        if (line.number < from && !slice_is(type, "end"))
            continue;
        buf_add_format(&body, "id: %llu\nevent: %.*s\ndata: ", (unsigned long long)line.number,
                       (int)type.len, type.at);
        buf_add_slice(&body, line.text);
        buf_add_text(&body, "\n\n");
    }
    body.failed |= spare.failed;
    http_add_header(request, "Cache-Control", "no-store");
    http_reply_take(request, 200, "text/event-stream", &body);
}

void replay_as_events(const struct runs *runs, struct http_request *request, uint64_t from)
{
    size_t events_max = http_may_answer(request, EVENTS_MAX) ? EVENTS_MAX : HTTP_ANSWER_LONG;
    replay_find(runs, request, from, events_max, reply_stored);
}
