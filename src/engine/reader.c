/* SPDX-License-Identifier: MIT */
/* reader.c — a client's position in a run's output log, and the form in which
 * it gets the bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/utf8.h"
#include "engine/engine_private.h"

/* Text grows at most threefold, when every byte becomes a U+FFFD. */
enum { TEXT_MAX = 3 * (LOG_BLOCK_SIZE + UTF8_TAIL_MAX) };

struct reader {
    struct log_cursor cursor;
    struct run *run;
    enum reader_form form;
    unsigned attempt;                  /* of the last event */
    struct utf8_tail tails[LOG_TEXTS]; /* characters that have only begun */
    struct buf joined;                 /* such a beginning and what follows it */
    struct buf text;
    struct loop_task *wake;
    bool asleep; /* reader_next had nothing: on_ready is due when it has */
    void (*on_ready)(void *context);
    void *context;
};

static bool has_next(const struct reader *reader)
{
    return reader->cursor.number < reader->run->log.next_number;
}

static void on_wake(void *context)
{
    struct reader *reader = context;
    if (has_next(reader))
        reader->on_ready(reader->context);
    else
        reader->asleep = true; /* it was read meanwhile */
}

void run_tell_readers(struct run *run)
{
    list_for_each (link, &run->log.cursors) {
        struct reader *reader = CONTAINER_OF(link, struct reader, cursor.link);
        if (!reader->asleep)
            continue;
        reader->asleep = false;
        loop_task_schedule(reader->wake);
    }
}

static struct utf8_tail *tail_of(struct reader *reader, const struct event *event)
{
    int text = log_text_of(event->kind);
    return text >= 0 && text < LOG_TEXTS ? &reader->tails[text] : NULL;
}

/* A character that an earlier attempt began is not ended by this one. */
static void note_attempt(struct reader *reader, const struct event *event)
{
    if (event->attempt != reader->attempt)
        memset(reader->tails, 0, sizeof reader->tails);
    reader->attempt = event->attempt;
}

static void skip_to(struct reader *reader, uint64_t from)
{
    struct event event;
    while (reader->cursor.number < from &&
           log_cursor_next(&reader->cursor, &reader->run->log, &event)) {
        struct utf8_tail *tail = tail_of(reader, &event);
        note_attempt(reader, &event);
        if (tail && event.bytes.len > 0)
            utf8_tail_follow(tail, event.bytes);
    }
}

struct reader *run_attach(struct run *run, uint64_t from, enum reader_form form,
                          void (*on_ready)(void *context), void *context, struct err *err)
{
    if (!run->engine) {
        (void)err_set(err, ERR_NOT_FOUND, "run %s is forgotten", run->id);
        return NULL;
    }
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        (void)err_sys(err, ENOMEM, "cannot read run %s", run->id);
        return NULL;
    }
    /* A number that has not come yet would never come once the run has ended. */
    uint64_t last = run->log.next_number - (run->state == RUN_FINISHED);
    from = MIN(from, last);
    *reader = (struct reader){
        .run = run,
        .form = form,
        .wake = loop_task_new(run->engine->loop, on_wake, reader),
        .on_ready = on_ready,
        .context = context,
    };
    buf_init(&reader->joined, (size_t)LOG_BLOCK_SIZE + UTF8_TAIL_MAX);
    buf_init(&reader->text, TEXT_MAX);
    log_cursor_open(&reader->cursor, &run->log, from);
    run_clock_unattended(run, false);
    run_waiting_active(run);
    skip_to(reader, from);
    if (has_next(reader))
        loop_task_schedule(reader->wake);
    else
        reader->asleep = true;
    run_update_pause(run);
    return reader;
}

/* Bytes that are not all whole characters: joins them to what was left of the
 * last event, and leaves what is only begun to the next. */
static void clean(struct reader *reader, struct event *event, struct utf8_tail *tail)
{
    bool at_end = event->bytes.len == 0; /* as output_log_end_streams says it */
    struct slice bytes = event->bytes;
    if (tail->len > 0) {
        buf_clear(&reader->joined);
        buf_add(&reader->joined, tail->bytes, tail->len);
        buf_add_slice(&reader->joined, event->bytes);
        bytes = buf_slice(&reader->joined);
    }
    buf_clear(&reader->text);
    size_t used = utf8_append_clean(&reader->text, bytes, at_end);
    tail->len = MIN(bytes.len - used, (size_t)UTF8_TAIL_MAX);
    for (size_t i = 0; i < tail->len; i++)
        tail->bytes[i] = bytes.at[used + i];
    event->bytes = buf_slice(&reader->text);
}

/* Figures that the end of a block cut in two are not worth the pieces. */
static bool to_usage(struct event *event)
{
    struct log_usage usage;
    if (event->bytes.len != sizeof usage)
        return false;
    memcpy(&usage, event->bytes.at, sizeof usage);
    event->cpu_ms = usage.cpu_ms;
    event->memory_bytes = usage.memory_bytes;
    event->bytes.len = 0;
    return true;
}

/* False when there is nothing in it for this reader. */
static bool to_form(struct reader *reader, struct event *event)
{
    struct utf8_tail *tail = tail_of(reader, event);
    note_attempt(reader, event);
    if (event->kind == EVENT_USAGE)
        return to_usage(event);
    if (event->kind == EVENT_GAP)
        memset(reader->tails, 0, sizeof reader->tails);
    if (!tail)
        return true;
    bool as_is = reader->form == READER_BYTES ||
                 (tail->len == 0 && event->bytes.len > 0 && utf8_valid(event->bytes));
    if (!as_is)
        clean(reader, event, tail);
    return event->bytes.len > 0;
}

int reader_next(struct reader *reader, struct event *ret_event)
{
    struct event event;
    bool found = false;
    while (!found && log_cursor_next(&reader->cursor, &reader->run->log, &event))
        found = to_form(reader, &event);
    run_update_pause(reader->run);
    if (!found) {
        reader->asleep = true;
        return 0;
    }
    *ret_event = event;
    return 1;
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    struct run *run = reader->run;
    loop_task_free(reader->wake);
    buf_fini(&reader->joined);
    buf_fini(&reader->text);
    log_cursor_close(&reader->cursor, &run->log);
    free(reader);
    if (!list_empty(&run->log.cursors))
        run_update_pause(run);
    else if (run->engine && run->passing && run->state == RUN_FINISHED)
        engine_forget_soon(run);
    else if (run->engine)
        run_clock_unattended(run, true);
    else
        run_free(run);
}
