/* SPDX-License-Identifier: MIT */
#include "engine/output_log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/util.h"
#include "codec/utf8.h"

enum {
    /* Records kept free for the events that must not fail: five states, three
     * ends of texts, the end, and some to spare. */
    RECORDS_RESERVED = 16,
    /* The newest records stay in a ring of any size, the end of the run among them. */
    RECORDS_KEPT = 16,
    /* A state's record says it in its lower bits, and above them, of `queued`, the attempt. */
    STATE_BITS = 8,
    ATTEMPT_MAX = 0xffff,
    LOST_MAX = 0xffffff, /* what a record can say */
    /* Output of one stream within this time is one event, unless it was read. */
    COALESCE_MS = 10,
};

struct log_record {
    uint32_t time_ms;
    uint32_t kind : 8;   /* enum event_kind */
    uint32_t value : 24; /* bytes, or lost ones, or the state */
};
static_assert(sizeof(struct log_record) == 8, "the bound on a log's memory counts on it");
static_assert(LOG_BLOCK_SIZE < 1 << 24, "an event's length must fit its record");

struct log_block {
    unsigned pins;
    bool dropped; /* by the log: freed with the last pin */
    char bytes[];
};

void utf8_tail_follow(struct utf8_tail *tail, struct slice bytes)
{
    char last[UTF8_TAIL_MAX * 2]; /* a cut-off start is at most three bytes */
    size_t from_bytes = MIN(bytes.len, (size_t)UTF8_TAIL_MAX);
    memcpy(last, tail->bytes, tail->len);
    if (from_bytes > 0)
        memcpy(last + tail->len, bytes.at + bytes.len - from_bytes, from_bytes);
    size_t known = tail->len + from_bytes;
    if (bytes.len > UTF8_TAIL_MAX) { /* what stood before is too far away */
        memmove(last, last + tail->len, from_bytes);
        known = from_bytes;
    }
    tail->len = 0;
    for (size_t len = MIN(known, (size_t)UTF8_TAIL_MAX); len > 0; len--) {
        struct slice end = {last + known - len, len};
        if (utf8_length(end) == -1) {
            memcpy(tail->bytes, end.at, len);
            tail->len = len;
            return;
        }
    }
}

static struct log_record *record_at(const struct output_log *log, uint64_t number)
{
    return &log->records[number & (log->record_room - 1)];
}

static struct log_block **block_at(const struct output_log *log, uint64_t byte)
{
    return &log->blocks[byte / LOG_BLOCK_SIZE & (log->block_room - 1)];
}

int log_text_of(enum event_kind kind)
{
    switch (kind) {
    case EVENT_STDOUT:
        return STAGE_STDOUT;
    case EVENT_STDERR:
        return STAGE_STDERR;
    case EVENT_NOTICE:
        return LOG_NOTICES;
    case EVENT_USAGE:
        return LOG_FIGURES;
    case EVENT_STATE:
    case EVENT_GAP:
    case EVENT_END:
        break;
    }
    return -1;
}

int output_log_init(struct output_log *log, bool ring, uint64_t cap)
{
    *log = (struct output_log){
        .ring = ring,
        .cap = cap,
        .record_room = (size_t)2 * RECORDS_RESERVED,
        .first_number = 1,
        .next_number = 1,
        .attempt = 1,
        .first_attempt = 1,
        .block_room = 1,
        .anchored = true,
        .anchor_number = 1,
        .anchor_attempt = 1,
        .held_max = UINT64_MAX,
    };
    list_init(&log->cursors);
    log->records = calloc(log->record_room, sizeof *log->records);
    log->blocks = calloc(log->block_room, sizeof(struct log_block *));
    if (log->records && log->blocks)
        return 0;
    output_log_fini(log);
    return -ENOMEM;
}

static void drop_block(struct log_block **place)
{
    struct log_block *block = take_ptr(place);
    if (!block)
        return;
    block->dropped = true;
    if (block->pins == 0)
        free(block);
}

void output_log_fini(struct output_log *log)
{
    for (size_t i = 0; log->blocks && i < log->block_room; i++)
        drop_block(&log->blocks[i]);
    free(log->blocks);
    free(log->records);
    log->blocks = NULL;
    log->records = NULL;
}

int output_log_reserve(struct output_log *log)
{
    uint64_t held = log->next_number - log->first_number;
    if (held + RECORDS_RESERVED < log->record_room)
        return 0;
    size_t room = log->record_room * 2;
    struct log_record *records = calloc(room, sizeof *records);
    if (!records)
        return -ENOMEM;
    for (uint64_t number = log->first_number; number < log->next_number; number++)
        records[number & (room - 1)] = *record_at(log, number);
    free(log->records);
    log->records = records;
    log->record_room = room;
    return 0;
}

/* The block in which the next byte goes. */
static struct log_block *reserve_block(struct output_log *log)
{
    uint64_t next = log->end_byte / LOG_BLOCK_SIZE;
    if (log->end_byte % LOG_BLOCK_SIZE != 0)
        return *block_at(log, log->end_byte);
    uint64_t first = log->first_byte / LOG_BLOCK_SIZE;
    if (next - first >= log->block_room) {
        size_t room = log->block_room * 2;
        struct log_block **blocks = calloc(room, sizeof(struct log_block *));
        if (!blocks)
            return NULL;
        for (uint64_t n = first; n < next; n++)
            blocks[n & (room - 1)] = log->blocks[n & (log->block_room - 1)];
        free(log->blocks);
        log->blocks = blocks;
        log->block_room = room;
    }
    struct log_block *block = malloc(sizeof *block + LOG_BLOCK_SIZE);
    if (!block)
        return NULL;
    block->pins = 0;
    block->dropped = false;
    *block_at(log, log->end_byte) = block;
    return block;
}

/* What is held from a place on; of what is gone already nothing. */
static uint64_t cost(const struct output_log *log, uint64_t number, uint64_t byte)
{
    uint64_t records = log->next_number - MAX(number, log->first_number);
    return log->end_byte - MAX(byte, log->first_byte) + records * sizeof(struct log_record);
}

/* The oldest event that somebody has yet to read. */
static uint64_t oldest_wanted(const struct output_log *log)
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

/* The attempt that a record begins, else `present`. */
static unsigned attempt_of(const struct log_record *record, unsigned present)
{
    unsigned attempt = record->kind == EVENT_STATE ? record->value >> STATE_BITS : 0;
    return attempt > 0 ? attempt : present;
}

static void drop_first(struct output_log *log)
{
    const struct log_record *record = record_at(log, log->first_number);
    uint64_t before = log->first_byte / LOG_BLOCK_SIZE;
    uint64_t start = log->first_byte;
    if (log_text_of((enum event_kind)record->kind) >= 0)
        log->first_byte += record->value;
    log->first_attempt = attempt_of(record, log->first_attempt);
    log->first_number++;
    if (log->first_byte / LOG_BLOCK_SIZE != before)
        drop_block(block_at(log, start));
}

static void trim(struct output_log *log)
{
    if (!log->ring || cost(log, log->first_number, log->first_byte) <= log->cap)
        return;
    uint64_t wanted = oldest_wanted(log);
    while (log->next_number - log->first_number > RECORDS_KEPT) {
        uint64_t held = cost(log, log->first_number, log->first_byte);
        if (held <= (log->first_number < wanted ? log->cap : log->held_max))
            return;
        drop_first(log);
    }
}

static void add_record(struct output_log *log, enum event_kind kind, size_t value, uint64_t time_ms)
{
    assert(log->next_number - log->first_number < log->record_room);
    *record_at(log, log->next_number) = (struct log_record){
        .time_ms = (uint32_t)MIN(time_ms, UINT32_MAX),
        .kind = kind & 0xff,
        .value = value & 0xffffff,
    };
    log->next_number++;
}

/* The newest record, when these bytes may go on in it. */
static struct log_record *may_continue(struct output_log *log, enum event_kind kind,
                                       uint64_t time_ms)
{
    uint64_t newest = log->next_number - 1;
    if (newest < log->first_number || newest <= log->sealed || log->end_byte % LOG_BLOCK_SIZE == 0)
        return NULL;
    struct log_record *record = record_at(log, newest);
    return kind != EVENT_USAGE && record->kind == kind &&
                   time_ms <= (uint64_t)record->time_ms + COALESCE_MS
               ? record
               : NULL;
}

/* As much as fits the block. Returns how much, or -ENOMEM. */
static ssize_t add_piece(struct output_log *log, enum event_kind kind, struct slice bytes,
                         uint64_t time_ms)
{
    struct log_block *block = reserve_block(log);
    if (!block || output_log_reserve(log) < 0)
        return -ENOMEM;
    size_t at = log->end_byte % LOG_BLOCK_SIZE;
    size_t len = MIN(bytes.len, LOG_BLOCK_SIZE - at);
    struct log_record *record = may_continue(log, kind, time_ms);
    memcpy(block->bytes + at, bytes.at, len);
    if (record)
        record->value = (record->value + len) & 0xffffff;
    else
        add_record(log, kind, len, time_ms);
    log->end_byte += len;
    return (ssize_t)len;
}

int output_log_add(struct output_log *log, enum event_kind kind, struct slice bytes,
                   uint64_t time_ms)
{
    int text = log_text_of(kind);
    uint64_t room = UINT64_MAX;
    if (!log->ring && text < STAGE_STREAMS) /* the rest is ours, and bounded where it is made */
        room = log->cap - log->stream_bytes[text];
    int passed = bytes.len > room;
    bytes.len = (size_t)MIN(bytes.len, room);
    while (bytes.len > 0) {
        ssize_t len = add_piece(log, kind, bytes, time_ms);
        if (len < 0)
            return -ENOMEM;
        if (text < STAGE_STREAMS)
            log->stream_bytes[text] += (size_t)len;
        if (text < LOG_TEXTS)
            utf8_tail_follow(&log->tails[text], (struct slice){bytes.at, (size_t)len});
        bytes.at += len;
        bytes.len -= (size_t)len;
        trim(log);
    }
    return passed;
}

void output_log_add_state(struct output_log *log, enum run_state state, uint64_t time_ms)
{
    (void)output_log_reserve(log); /* when there is no memory, the reserve itself serves */
    add_record(log, EVENT_STATE, state, time_ms);
    trim(log);
}

void output_log_add_gap(struct output_log *log, uint64_t lost_bytes, uint64_t time_ms)
{
    if (output_log_reserve(log) < 0)
        return;
    add_record(log, EVENT_GAP, lost_bytes <= LOST_MAX ? (size_t)lost_bytes : 0, time_ms);
    memset(log->tails, 0, sizeof log->tails);
    trim(log);
}

void output_log_seal(struct output_log *log)
{
    log->sealed = log->next_number - 1;
}

void output_log_add_attempt(struct output_log *log, unsigned attempt, uint64_t time_ms)
{
    log->attempt = MIN(attempt, (unsigned)ATTEMPT_MAX);
    memset(log->stream_bytes, 0, sizeof log->stream_bytes);
    memset(log->tails, 0, sizeof log->tails);
    (void)output_log_reserve(log);
    add_record(log, EVENT_STATE, RUN_QUEUED | (size_t)log->attempt << STATE_BITS, time_ms);
    trim(log);
}

void output_log_end_streams(struct output_log *log, uint64_t time_ms)
{
    static const enum event_kind kinds[] = {EVENT_STDOUT, EVENT_STDERR, EVENT_NOTICE};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (log->tails[log_text_of(kinds[i])].len > 0)
            add_record(log, kinds[i], 0, time_ms);
    }
}

void output_log_add_end(struct output_log *log, uint64_t time_ms)
{
    add_record(log, EVENT_END, 0, time_ms);
    size_t used = log->end_byte % LOG_BLOCK_SIZE;
    if (used == 0)
        return;
    struct log_block **last = block_at(log, log->end_byte);
    if (!*last || (*last)->pins > 0)
        return;
    struct log_block *shorter = realloc(*last, sizeof **last + used);
    if (shorter)
        *last = shorter;
}

uint64_t output_log_unread(const struct output_log *log)
{
    if (!log->ring || log->overwriting)
        return 0;
    uint64_t unread = log->anchored ? cost(log, log->anchor_number, log->anchor_byte) : 0;
    list_for_each (link, &log->cursors) {
        const struct log_cursor *cursor = CONTAINER_OF(link, struct log_cursor, link);
        unread = MAX(unread, cost(log, cursor->number, cursor->byte));
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

void output_log_release(struct output_log *log)
{
    log->anchored = false;
    trim(log);
}

void output_log_overwrite(struct output_log *log)
{
    log->overwriting = true;
    trim(log);
}

size_t output_log_memory(const struct output_log *log)
{
    return (size_t)(log->end_byte - log->first_byte) +
           log->block_room * sizeof(struct log_block *) + log->record_room * sizeof *log->records;
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
        .time_ms = record_at(log, log->first_number)->time_ms,
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
    const struct log_record *record = record_at(log, cursor->number);
    cursor->attempt = attempt_of(record, cursor->attempt);
    *ret_event = (struct event){
        .number = cursor->number,
        .time_ms = record->time_ms,
        .kind = (enum event_kind)record->kind,
        .attempt = cursor->attempt,
    };
    if (ret_event->kind == EVENT_STATE)
        ret_event->state = (enum run_state)(record->value & ((1U << STATE_BITS) - 1));
    if (ret_event->kind == EVENT_GAP)
        ret_event->lost_bytes = record->value;
    if (log_text_of(ret_event->kind) >= 0 && record->value > 0) {
        struct log_block *block = *block_at(log, cursor->byte);
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
