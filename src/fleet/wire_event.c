/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <limits.h>

#include "fleet/wire_private.h"

/* So that whoever counts on from one does not come round to zero. */
#define EVENT_NUMBER_MAX ((uint64_t)INT64_MAX)

static const char *const kinds[] = {
    [EVENT_STATE] = "state",   [EVENT_STDOUT] = "stdout", [EVENT_STDERR] = "stderr",
    [EVENT_NOTICE] = "notice", [EVENT_USAGE] = "usage",   [EVENT_GAP] = "gap",
    [EVENT_END] = "end",
};

void event_encode(const struct carried_event *event, struct buf *text)
{
    buf_add_format(text, "%" PRIu64 " %u %" PRIu64 " %s", event->number, event->attempt,
                   event->time_ms, kinds[event->kind]);
    switch (event->kind) {
    case EVENT_STATE:
        buf_add_format(text, " %s\n", run_state_name(event->state));
        break;
    case EVENT_USAGE:
        buf_add_format(text, " %" PRIu64 " %" PRIu64 "\n", event->cpu_ms, event->memory_bytes);
        break;
    case EVENT_GAP:
        buf_add_format(text, " %" PRIu64 "\n", event->lost_bytes);
        break;
    case EVENT_STDOUT:
    case EVENT_STDERR:
    case EVENT_NOTICE:
    case EVENT_END:
        buf_add_char(text, '\n');
        buf_add_slice(text, event->bytes);
        break;
    }
}

static bool read_state(struct wire_line *line, enum run_state *ret_state)
{
    const char *names[RUN_STATE_COUNT];
    unsigned word = 0;
    for (enum run_state state = 0; state < RUN_STATE_COUNT; state++)
        names[state] = run_state_name(state);
    if (!wire_line_one_of(line, names, RUN_STATE_COUNT, &word))
        return false;
    *ret_state = (enum run_state)word;
    return true;
}

static bool read_rest(struct wire_line *line, struct carried_event *event)
{
    switch (event->kind) {
    case EVENT_STATE:
        return read_state(line, &event->state);
    case EVENT_USAGE:
        return wire_line_u64(line, 0, UINT64_MAX, &event->cpu_ms) &&
               wire_line_u64(line, 0, UINT64_MAX, &event->memory_bytes);
    case EVENT_GAP:
        return wire_line_u64(line, 0, UINT64_MAX, &event->lost_bytes);
    case EVENT_STDOUT:
    case EVENT_STDERR:
    case EVENT_NOTICE:
    case EVENT_END:
        event->bytes = line->bytes;
        break;
    }
    return true;
}

int event_decode(struct slice text, struct carried_event *ret_event, struct err *err)
{
    struct carried_event event = {0};
    struct wire_line line;
    uint64_t attempt = 0;
    unsigned kind = 0;
    if (wire_line_start(text, &line, err) < 0)
        return err_wrap(err, "not an event");
    if (!wire_line_u64(&line, 1, EVENT_NUMBER_MAX, &event.number) ||
        !wire_line_u64(&line, 0, UINT_MAX, &attempt) ||
        !wire_line_u64(&line, 0, UINT64_MAX, &event.time_ms))
        return err_set(err, ERR_INVALID, "not an event: number, attempt or time is missing");
    if (!wire_line_one_of(&line, kinds, ARRAY_LEN(kinds), &kind))
        return err_set(err, ERR_INVALID, "not an event of a known kind");
    event.attempt = (unsigned)attempt;
    event.kind = (enum event_kind)kind;
    if (!read_rest(&line, &event))
        return err_set(err, ERR_INVALID, "an event '%s' without what belongs to it", kinds[kind]);
    *ret_event = event;
    return 0;
}
