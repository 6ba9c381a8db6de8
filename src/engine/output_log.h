/* SPDX-License-Identifier: MIT */
/* output_log.h — the bounded, append-only list of a run's events (private to
 * the engine). Each reader has a cursor of its own.
 *
 * Capped: everything is kept; of each stream exactly `cap` bytes, and the byte
 * after that is refused. Ring: the newest `cap` bytes are kept. An event that a
 * cursor has not passed is held, and output_log_unread() says how much that is,
 * so that the owner can stop the program. Before the first cursor comes, and
 * after the last has gone, the log holds the place for one (`anchored`), until
 * output_log_release().
 *
 * Bytes lie in blocks of one size that never move, and an event never spans
 * two. Their place is found by dividing, so a record needs no pointer: it is
 * eight bytes, which bounds what a program costs that writes byte by byte.
 */
#ifndef RUNNEL_ENGINE_OUTPUT_LOG_H
#define RUNNEL_ENGINE_OUTPUT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "codec/utf8_tail.h"
#include "engine/engine.h"

enum { LOG_BLOCK_SIZE = 32 * 1024 };

/* What has bytes in a log: texts, each with characters of its own (the streams, and
 * notices), and figures, each a struct log_usage. */
enum { LOG_NOTICES = STAGE_STREAMS, LOG_TEXTS, LOG_FIGURES = LOG_TEXTS };

struct log_usage {
    uint64_t cpu_ms;
    uint64_t memory_bytes;
};

/* Of an event's kind; -1 when it has no bytes. */
int log_text_of(enum event_kind kind);

struct log_record;
struct log_block;

struct output_log {
    bool ring;
    uint64_t cap;
    uint64_t stream_bytes[STAGE_STREAMS];
    struct utf8_tail tails[LOG_TEXTS];

    struct log_record *records; /* number n stands at n modulo record_room, a power of two */
    size_t record_room;
    uint64_t first_number; /* held: first_number … next_number - 1 */
    uint64_t next_number;
    uint64_t sealed;        /* the last number that a reader was given: it may not grow any more */
    unsigned attempt;       /* of what comes next */
    unsigned first_attempt; /* that went on when first_number came */

    struct log_block **blocks; /* block n stands at n modulo block_room, a power of two */
    size_t block_room;
    uint64_t first_byte; /* held: first_byte … end_byte - 1 */
    uint64_t end_byte;

    struct list cursors;
    bool anchored;
    uint64_t anchor_number;
    uint64_t anchor_byte;
    unsigned anchor_attempt;
    bool overwriting;  /* nothing is held any more */
    uint64_t held_max; /* above it not even what nobody has read is held */
};

struct log_cursor {
    struct list link;
    uint64_t number; /* of the event that comes next */
    uint64_t byte;
    unsigned attempt;
    struct log_block *pinned; /* holds the bytes that were lent last */
};

int output_log_init(struct output_log *log, bool ring, uint64_t cap); /* 0 or -ENOMEM */
void output_log_fini(struct output_log *log);
/* Of EVENT_STDOUT, EVENT_STDERR, EVENT_NOTICE or EVENT_USAGE. 0; 1 when bytes went past the
 * cap (those up to it are kept); -ENOMEM. */
int output_log_add(struct output_log *log, enum event_kind kind, struct slice bytes,
                   uint64_t time_ms);
/* Makes sure of room for a few more states than a run's life has: 0 or -ENOMEM. */
int output_log_reserve(struct output_log *log);
/* Cannot fail: room for the events of a run's life is kept free. */
void output_log_add_state(struct output_log *log, enum run_state state, uint64_t time_ms);
/* Of output that never came here; 0: nobody knows how much. */
void output_log_add_gap(struct output_log *log, uint64_t lost_bytes, uint64_t time_ms);
/* What comes next does not join what is there, which stays as its sender cut it. */
void output_log_seal(struct output_log *log);
/* The run is queued again: its caps and its texts begin anew. */
void output_log_add_attempt(struct output_log *log, unsigned attempt, uint64_t time_ms);
/* No output follows: a text that ended inside a character gets an event without bytes, so that a
 * text reader can say so. */
void output_log_end_streams(struct output_log *log, uint64_t time_ms);
/* The last event. Gives back what was reserved for more. */
void output_log_add_end(struct output_log *log, uint64_t time_ms);

/* Nobody comes (back): nothing is held for the missing cursor any more. */
void output_log_release(struct output_log *log);
/* From now on the oldest goes, read or not. */
void output_log_overwrite(struct output_log *log);
size_t output_log_memory(const struct output_log *log);

/* --- log_cursor.c --- */

/* Bytes (and their records) that are held for the slowest cursor. */
uint64_t output_log_unread(const struct output_log *log);
/* The same without their records, and of a log whose program nobody here can hold. */
uint64_t output_log_unread_bytes(const struct output_log *log);

/* For one who wants the events from number `from` on: stands at the oldest event
 * that is held (skipping up to `from` is the reader's), or before a gap when
 * events that are wanted are not held any more. */
void log_cursor_open(struct log_cursor *cursor, struct output_log *log, uint64_t from);
void log_cursor_close(struct log_cursor *cursor, struct output_log *log);
/* As reader_next; bytes as written, borrowed until the next call. */
bool log_cursor_next(struct log_cursor *cursor, struct output_log *log, struct event *ret_event);

#endif
