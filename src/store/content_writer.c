/* SPDX-License-Identifier: MIT */
/* content_writer.c — a content that comes bit by bit: the loop fills one block
 * while the pool writes and hashes the other. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "loop/loop.h"
#include "store/content_private.h"

/* A block goes to the pool from this size on; what makes it longer is one
 * call's bytes. Two blocks with their room to grow are 512 KiB. */
#define BLOCK_SIZE (192 * KIB)

/* What the pool does with the part, and has to itself meanwhile. */
struct step {
    struct content_part part;
    struct buf block;
    bool drops; /* instead of writing */
    bool keeps; /* after writing: it was the last block */
    int rc;
    struct content content; /* of what was kept */
    struct err err;
};

struct content_writer {
    struct loop *loop;
    const struct content_writer_events *events;
    void *context;
    uint64_t max_size;
    uint64_t size;     /* of all that was added */
    struct buf filled; /* the next block */
    struct step step;
    bool is_busy; /* the step is the pool's */
    bool wants_room;
    bool is_finishing;
    bool is_aborted;
    bool has_failed; /* and err says why */
    struct err err;
};

/* --- on the pool --- */

static void do_step(void *context)
{
    struct step *step = context;
    if (!step->drops) {
        step->rc = content_part_write(&step->part, buf_slice(&step->block), &step->err);
        if (step->rc == 0 && step->keeps)
            step->rc = content_part_keep(&step->part, &step->content, &step->err);
    }
    if (step->drops || step->rc < 0)
        content_part_drop(&step->part);
}

/* --- on the loop --- */

static void writer_free(struct content_writer *writer)
{
    buf_fini(&writer->filled);
    buf_fini(&writer->step.block);
    free(writer);
}

static void on_stepped(void *context);

static void start_step(struct content_writer *writer)
{
    struct step *step = &writer->step;
    struct buf empty = step->block;
    step->block = writer->filled;
    writer->filled = empty;
    step->drops = writer->has_failed;
    step->keeps = writer->is_finishing;
    writer->is_busy = true;
    loop_work(writer->loop, do_step, on_stepped, step);
}

static void on_dropped(void *context)
{
    writer_free(CONTAINER_OF(context, struct content_writer, step));
}

/* A last step may have been under way, and have kept it. */
static void do_drop(void *context)
{
    struct step *step = context;
    content_part_drop(&step->part);
}

static void start_drop(struct content_writer *writer)
{
    loop_work(writer->loop, do_drop, on_dropped, &writer->step);
}

static void finished(struct content_writer *writer)
{
    const struct content_writer_events *events = writer->events;
    void *context = writer->context;
    struct content content = writer->step.content;
    struct err err = writer->err;
    bool has_failed = writer->has_failed;
    content_part_end(&writer->step.part);
    writer_free(writer);
    events->written(context, has_failed ? NULL : &content, has_failed ? &err : NULL);
}

static void on_stepped(void *context)
{
    struct content_writer *writer = CONTAINER_OF(context, struct content_writer, step);
    struct step *step = &writer->step;
    bool was_last = step->keeps;
    writer->is_busy = false;
    buf_clear(&step->block);
    if (step->rc < 0 && !writer->has_failed) {
        writer->has_failed = true;
        writer->err = step->err;
    }
    if (writer->is_aborted) {
        start_drop(writer);
        return;
    }
    if (was_last) {
        finished(writer);
        return;
    }
    if (writer->is_finishing || writer->filled.len >= BLOCK_SIZE)
        start_step(writer);
    if (!writer->wants_room)
        return;
    writer->wants_room = false;
    writer->events->room(writer->context); /* last: it may abort */
}

static void fail(struct content_writer *writer)
{
    writer->has_failed = true;
    buf_fini(&writer->filled);
}

/* NOLINTNEXTLINE(readability-function-size): what it takes is all different */
struct content_writer *content_writer_new(struct loop *loop, int folder, const char *id,
                                          uint64_t max_size,
                                          const struct content_writer_events *events, void *context,
                                          struct err *err)
{
    struct content_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        (void)err_sys(err, errno, "file");
        return NULL;
    }
    writer->loop = loop;
    writer->events = events;
    writer->context = context;
    writer->max_size = max_size;
    buf_init(&writer->filled, SIZE_MAX / 2); /* max_size is the limit */
    buf_init(&writer->step.block, SIZE_MAX / 2);
    if (content_part_open(&writer->step.part, folder, id, err) < 0) {
        writer_free(writer);
        return NULL;
    }
    return writer;
}

bool content_writer_add(struct content_writer *writer, struct slice bytes)
{
    if (writer->has_failed)
        return true; /* it is told at the end */
    if (bytes.len > writer->max_size - writer->size) {
        (void)err_set(&writer->err, ERR_TOO_LARGE, "the file is over the limit of %llu bytes",
                      (unsigned long long)writer->max_size);
        fail(writer);
        return true;
    }
    writer->size += bytes.len;
    buf_add_slice(&writer->filled, bytes);
    if (writer->filled.failed) {
        (void)err_sys(&writer->err, ENOMEM, "file");
        fail(writer);
        return true;
    }
    if (writer->filled.len < BLOCK_SIZE)
        return true;
    if (!writer->is_busy) {
        start_step(writer);
        return true;
    }
    writer->wants_room = true;
    return false;
}

void content_writer_finish(struct content_writer *writer)
{
    writer->is_finishing = true;
    writer->wants_room = false;
    if (!writer->is_busy)
        start_step(writer);
}

void content_writer_abort(struct content_writer *writer)
{
    writer->is_aborted = true;
    if (!writer->is_busy)
        start_drop(writer);
}
