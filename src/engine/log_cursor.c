/* SPDX-License-Identifier: MIT */
/* log_cursor.c — those who read a log: where each stands, and what must be held for it. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "engine/output_log_held.h"

uint64_t output_log_oldest_wanted(const struct output_log *log)
{
    if (log->overwriting)
        return UINT64_MAX;
    uint64_t oldest = log->anchored ? log->anchor_number : UINT64_MAX;
    list_for_each (link, &log->cursors) {
        const struct log_cursor *cursor = CONTAINER_OF(link, struct log_cursor, link);
        oldest = MIN(oldest, cursor->number);
    }
    return oldest;
}

uint64_t output_log_unread(const struct output_log *log)
{
    if (!log->ring || log->overwriting)
        return 0;
    uint64_t unread = log->anchored ? log_cost(log, log->anchor_number, log->anchor_byte) : 0;
    list_for_each (link, &log->cursors) {
        const struct log_cursor *cursor = CONTAINER_OF(link, struct log_cursor, link);
        unread = MAX(unread, log_cost(log, cursor->number, cursor->byte));
    }
    return unread;
}

uint64_t output_log_unread_bytes(const struct output_log *log)
{
    uint64_t oldest = log->end_byte;
    if (log->overwriting)
        return 0;
    if (log->anchored)
        oldest = log->anchor_byte;
    list_for_each (link, &log->cursors) {
        const struct log_cursor *cursor = CONTAINER_OF(link, struct log_cursor, link);
        oldest = MIN(oldest, cursor->byte);
    }
    return log->end_byte - MAX(oldest, log->first_byte);
}

void log_cursor_open(struct log_cursor *cursor, struct output_log *log, uint64_t from)
{
    *cursor = (struct log_cursor){.number = 1, .attempt = 1};
    if (from >= log->first_number && log->first_number > 1)
        *cursor = (struct log_cursor){
            .number = log->first_number, .byte = log->first_byte, .attempt = log->first_attempt};
    else if (from > 1 && from == log->anchor_number)
        *cursor = (struct log_cursor){
            .number = from, .byte = log->anchor_byte, .attempt = log->anchor_attempt};
    else if (from > 1 && log->first_number > 1) /* how much is lost since then is not known */
        *cursor = (struct log_cursor){.number = from, .byte = log->first_byte};
    list_append(&log->cursors, &cursor->link);
    log->anchored = false;
}

static void unpin(struct log_cursor *cursor)
{
    struct log_block *block = take_ptr(&cursor->pinned);
    if (block && --block->pins == 0 && block->dropped)
        free(block);
}

void log_cursor_close(struct log_cursor *cursor, struct output_log *log)
{
    unpin(cursor);
    list_remove(&cursor->link);
    if (!list_empty(&log->cursors) || log->anchored)
        return;
    log->anchored = true;
    log->anchor_number = cursor->number;
    log->anchor_byte = cursor->byte;
    log->anchor_attempt = cursor->attempt;
}

static void tell_gap(struct log_cursor *cursor, const struct output_log *log,
                     struct event *ret_event)
{
    *ret_event = (struct event){
        .number = log->first_number - 1,
        .time_ms = log_record_at(log, log->first_number)->time_ms,
        .kind = EVENT_GAP,
        .attempt = log->first_attempt,
        .lost_bytes = log->first_byte - cursor->byte,
    };
    cursor->number = log->first_number;
    cursor->byte = log->first_byte;
    cursor->attempt = log->first_attempt;
}

bool log_cursor_next(struct log_cursor *cursor, struct output_log *log, struct event *ret_event)
{
    unpin(cursor);
    if (cursor->number >= log->next_number)
        return false;
    if (cursor->number < log->first_number) {
        tell_gap(cursor, log, ret_event);
        return true;
    }
    const struct log_record *record = log_record_at(log, cursor->number);
    cursor->attempt = log_attempt_of(record, cursor->attempt);
    *ret_event = (struct event){
        .number = cursor->number,
        .time_ms = record->time_ms,
        .kind = (enum event_kind)record->kind,
        .attempt = cursor->attempt,
    };
    if (ret_event->kind == EVENT_STATE)
        ret_event->state = (enum run_state)(record->value & ((1U << LOG_STATE_BITS) - 1));
    if (ret_event->kind == EVENT_GAP)
        ret_event->lost_bytes = record->value;
    if (log_text_of(ret_event->kind) >= 0 && record->value > 0) {
        struct log_block *block = *log_block_at(log, cursor->byte);
        ret_event->bytes =
            (struct slice){block->bytes + cursor->byte % LOG_BLOCK_SIZE, record->value};
        cursor->byte += record->value;
        cursor->pinned = block;
        block->pins++;
    }
    log->sealed = MAX(log->sealed, cursor->number);
    cursor->number++;
    return true;
}
