/* SPDX-License-Identifier: MIT */
/* worker_result.c — what is said of a run that has ended. Of a capped run that is all
 * that it said, too: a result alone is whole, whatever became of the events. */
#include <stdlib.h>
#include <string.h>

#include "fleet/worker_private.h"

enum {
    EVENTS_MAX = 64 * 1024,  /* of a result */
    BRIEF_ABOVE = 64 * 1024, /* one that is larger, and whole in Redis' stream, goes without */
};

#define EVENTS_BYTES (8 * MIB)
#define RESULT_BYTES (15 * MIB) /* of a message to a front */

/* --- what it said --- */

struct said {
    struct carried_event *items; /* their bytes are offsets into `bytes`, until they are laid */
    size_t count;
    size_t room;
    struct buf bytes;
    bool failed; /* it is too much, or there is no memory: the result goes without */
};

static void add_said(struct said *said, const struct carried_event *event)
{
    if (said->count == said->room) {
        size_t room = said->room > 0 ? 2 * said->room : 64;
        struct carried_event *items =
            room <= EVENTS_MAX ? realloc(said->items, room * sizeof *items) : NULL;
        said->failed = said->failed || !items;
        if (!items)
            return;
        said->items = items;
        said->room = room;
    }
    said->items[said->count] = *event;
    said->items[said->count].number = said->count + 1;
    said->count++;
    buf_add_slice(&said->bytes, event->bytes);
    said->failed = said->failed || said->bytes.failed;
}

/* As they were told, the one of ours among them. */
static void collect(struct work *work, struct said *said)
{
    static const char text[] = COMMANDS_LOST_TEXT;
    struct event event;
    struct carried_event carried;
    struct reader *reader = run_attach(work->run, 0, READER_BYTES, NULL, NULL, NULL);
    buf_init(&said->bytes, EVENTS_BYTES);
    said->failed = !reader;
    while (!said->failed && reader_next(reader, &event) > 0) {
        if (!work_carries(work, &event, &carried))
            continue;
        add_said(said, &carried);
        if (!said->failed && said->count + 1 == work->events.notice_number) {
            carried.kind = EVENT_NOTICE;
            carried.bytes = (struct slice){text, sizeof text - 1};
            add_said(said, &carried);
        }
    }
    reader_free(reader);
    size_t at = 0;
    for (size_t i = 0; i < said->count; at += said->items[i].bytes.len, i++)
        said->items[i].bytes.at = said->bytes.at + at;
}

/* --- the text of it --- */

void work_refuse_artifacts(struct run_artifact *artifacts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!artifacts[i].refusal)
            artifacts[i].refusal = "it stayed on the machine that ran the program";
    }
}

int work_encode(struct work *work, struct job_result *result)
{
    struct said said = {0};
    if (work->run && !work->is_streaming)
        collect(work, &said);
    bool with_events = said.count > 0 && !said.failed;
    result->events = with_events ? said.items : NULL;
    result->event_count = with_events ? said.count : 0;
    result->last_event = MAX(result->last_event, (uint64_t)said.count);
    int rc = result_encode(result, with_events, &work->result);
    if (with_events && (rc < 0 || work->result.len > RESULT_BYTES)) {
        buf_clear(&work->result);
        rc = result_encode(result, false, &work->result);
    } else if (with_events && work->result.len > BRIEF_ABOVE && !work->events.lossy) {
        if (result_encode(result, false, &work->brief) < 0)
            buf_clear(&work->brief);
    }
    free(said.items);
    buf_fini(&said.bytes);
    return rc;
}

struct job_result work_result(const struct work *work)
{
    struct job_result result = {
        .attempt = MAX(work->attempt, 1U),
        .last_event = work->events.number,
        .result.exit_code = -1,
    };
    memcpy(result.id, work->header.id, sizeof result.id);
    memcpy(result.worker, work->worker->name, sizeof result.worker);
    return result;
}
