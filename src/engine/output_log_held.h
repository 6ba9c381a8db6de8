/* SPDX-License-Identifier: MIT */
/* output_log_held.h — how a log's records and bytes lie in memory: for output_log.c,
 * which adds and drops them, and log_cursor.c, which lends them. */
#ifndef RUNNEL_ENGINE_OUTPUT_LOG_HELD_H
#define RUNNEL_ENGINE_OUTPUT_LOG_HELD_H

#include <assert.h>

#include "base/util.h"
#include "engine/output_log.h"

/* A state's record says it in its lower bits, and above them, of `queued`, the attempt. */
enum { LOG_STATE_BITS = 8 };

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

static inline struct log_record *log_record_at(const struct output_log *log, uint64_t number)
{
    return &log->records[number & (log->record_room - 1)];
}

static inline struct log_block **log_block_at(const struct output_log *log, uint64_t byte)
{
    return &log->blocks[byte / LOG_BLOCK_SIZE & (log->block_room - 1)];
}

/* The attempt that a record begins, else `present`. */
static inline unsigned log_attempt_of(const struct log_record *record, unsigned present)
{
    unsigned attempt = record->kind == EVENT_STATE ? record->value >> LOG_STATE_BITS : 0;
    return attempt > 0 ? attempt : present;
}

/* The oldest event that somebody has yet to read: log_cursor.c. */
uint64_t output_log_oldest_wanted(const struct output_log *log);

/* What is held from a place on; of what is gone already nothing. */
static inline uint64_t log_cost(const struct output_log *log, uint64_t number, uint64_t byte)
{
    uint64_t records = log->next_number - MAX(number, log->first_number);
    return log->end_byte - MAX(byte, log->first_byte) + records * sizeof(struct log_record);
}

#endif
