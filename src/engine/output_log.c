/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "engine/output_log_held.h"

enum {
    /* Records kept free for the events that must not fail: five states, three
     * ends of texts, the end, and some to spare. */
    RECORDS_RESERVED = 16,
    /* The newest records stay in a ring of any size, the end of the run among them. */
    RECORDS_KEPT = 16,
    ATTEMPT_MAX = 0xffff,
    LOST_MAX = 0xffffff, /* what a record can say */
    /* Output of one stream within this time is one event, unless it was read. */
    COALESCE_MS = 10,
};

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
        records[number & (room - 1)] = *log_record_at(log, number);
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
        return *log_block_at(log, log->end_byte);
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
    *log_block_at(log, log->end_byte) = block;
    return block;
}

static void drop_first(struct output_log *log)
{
    const struct log_record *record = log_record_at(log, log->first_number);
    uint64_t before = log->first_byte / LOG_BLOCK_SIZE;
    uint64_t start = log->first_byte;
    if (log_text_of((enum event_kind)record->kind) >= 0)
        log->first_byte += record->value;
    log->first_attempt = log_attempt_of(record, log->first_attempt);
    log->first_number++;
    if (log->first_byte / LOG_BLOCK_SIZE != before)
        drop_block(log_block_at(log, start));
}

static void trim(struct output_log *log)
{
    if (!log->ring || log_cost(log, log->first_number, log->first_byte) <= log->cap)
        return;
    uint64_t wanted = output_log_oldest_wanted(log);
    while (log->next_number - log->first_number > RECORDS_KEPT) {
        uint64_t held = log_cost(log, log->first_number, log->first_byte);
        if (held <= (log->first_number < wanted ? log->cap : log->held_max))
            return;
        drop_first(log);
    }
}

static void add_record(struct output_log *log, enum event_kind kind, size_t value, uint64_t time_ms)
{
    assert(log->next_number - log->first_number < log->record_room);
    *log_record_at(log, log->next_number) = (struct log_record){
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
    struct log_record *record = log_record_at(log, newest);
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
    add_record(log, EVENT_STATE, RUN_QUEUED | (size_t)log->attempt << LOG_STATE_BITS, time_ms);
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
    struct log_block **last = log_block_at(log, log->end_byte);
    if (!*last || (*last)->pins > 0)
        return;
    struct log_block *shorter = realloc(*last, sizeof **last + used);
    if (shorter)
        *last = shorter;
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
