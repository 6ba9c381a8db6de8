/* SPDX-License-Identifier: MIT */
/* jobs_list.c — GET /api/jobs: those that the caller may see, oldest first; of many the
 * newest. Jobs that other machines took are first asked for, each by its id; then they are
 * runs of our engine like all others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_write.h"
#include "dialect/jobs.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_record.h"
#include "dialect/jobs_request.h"
#include "dialect/request_answer.h"

enum { LISTED_MAX = 100 };
#define LIST_BODY_MAX (16 * MIB)
#define LIST_REST_MAX KIB /* what is around the records */

/* The newest so far: a heap would be quicker, and there are only a few. */
struct newest {
    const struct http_request *request;
    struct run *runs[LISTED_MAX]; /* newest first */
    uint64_t created_ms[LISTED_MAX];
    size_t count;
    bool more; /* than there is room for */
};

static void take(void *context, struct run *run)
{
    struct newest *newest = context;
    struct jobs_note note;
    if (!jobs_may_see(newest->request, run, &note))
        return;
    size_t at = newest->count;
    if (at == LISTED_MAX) {
        newest->more = true;
        if (note.created_ms <= newest->created_ms[--at])
            return;
    } else {
        newest->count++;
    }
    for (; at > 0 && newest->created_ms[at - 1] < note.created_ms; at--) {
        newest->runs[at] = newest->runs[at - 1];
        newest->created_ms[at] = newest->created_ms[at - 1];
    }
    newest->runs[at] = run;
    newest->created_ms[at] = note.created_ms;
}

/* Each by itself, so that those which the answer has no room for are the oldest. None is
 * written that nobody will read: it is the loop's time, which everybody waits for. False: there
 * was not room for all. */
static bool write_each(struct jobs *jobs, const struct newest *newest, size_t room,
                       struct buf records[LISTED_MAX])
{
    for (size_t i = 0; i < newest->count; i++) {
        struct jobs_note note;
        buf_init(&records[i], room);
        struct json json = json_start(&records[i]);
        bool told = jobs_note_read(run_note(newest->runs[i]), &note) &&
                    jobs_record_write(&json, jobs, newest->runs[i], &note);
        if (told && !records[i].failed) {
            room -= records[i].len;
            continue;
        }
        buf_fini(&records[i]);
        if (told)
            return false;
    }
    return true;
}

static void write_list(struct buf *body, const struct newest *newest,
                       const struct buf records[LISTED_MAX])
{
    uint64_t count = 0;
    struct json json = json_start(body);
    json_open_object(&json, NULL);
    json_open_array(&json, "jobs");
    for (size_t i = newest->count; i > 0; i--) {
        if (records[i - 1].len == 0)
            continue;
        json_value(&json, NULL, buf_slice(&records[i - 1]));
        count++;
    }
    json_close_array(&json);
    json_u64(&json, "count", count);
    if (newest->more)
        json_bool(&json, "more", true);
    json_close_object(&json);
}

static void reply(struct http_request *request, const struct newest *newest,
                  const struct buf records[LISTED_MAX])
{
    auto_buf struct buf body;
    buf_init(&body, LIST_BODY_MAX + LIST_REST_MAX);
    write_list(&body, newest, records);
    http_reply_take(request, 200, ANSWER_JSON, &body);
}

/* Where there is no room for a long answer, no more is written than makes a short one: then
 * either that is all, or it is refused. */
static void answer(struct http_request *request, struct jobs *jobs)
{
    struct newest newest = {.request = request};
    struct buf records[LISTED_MAX] = {0};
    bool may_be_long = http_may_answer(request, LIST_BODY_MAX);
    size_t room = may_be_long ? LIST_BODY_MAX : HTTP_ANSWER_LONG - LIST_REST_MAX;
    engine_each(jobs->engine, take, &newest);
    bool is_whole = write_each(jobs, &newest, room, records);
    newest.more = newest.more || !is_whole;
    if (is_whole || may_be_long)
        reply(request, &newest, records);
    else
        http_refuse_long(request);
    for (size_t i = 0; i < newest.count; i++)
        buf_fini(&records[i]);
}

/* --- those of other machines --- */

struct gathering {
    struct jobs *jobs;
    struct http_request *request; /* NULL: the client has left */
    size_t due;                   /* answers */
};

static void on_gone(void *context)
{
    ((struct gathering *)context)->request = NULL;
}

static void one_less(struct gathering *gathering)
{
    if (--gathering->due > 0)
        return;
    if (gathering->request) {
        http_on_gone(gathering->request, NULL, NULL);
        answer(gathering->request, gathering->jobs);
    }
    free(gathering);
}

/* It is among the engine's own now; whose it is, is asked when the list is written. */
static void on_found(void *context, struct run *run)
{
    (void)run;
    one_less(context);
}

static void on_listed(void *context, const char *ids, size_t count)
{
    struct gathering *gathering = context;
    struct engine *engine = gathering->jobs->engine;
    for (size_t i = 0; gathering->request && i < count; i++, ids += strlen(ids) + 1) {
        if (engine_find(engine, ids))
            continue;
        gathering->due++;
        engine_look_up(engine, ids, on_found, gathering);
    }
    one_less(gathering);
}

void jobs_handle_list(struct http_request *request, void *context)
{
    struct jobs *jobs = context;
    struct gathering *gathering = calloc(1, sizeof *gathering);
    struct err err;
    if (!gathering) {
        (void)err_sys(&err, errno, "jobs");
        jobs_answer_err(request, jobs, &err);
        return;
    }
    *gathering = (struct gathering){jobs, request, 1};
    http_on_gone(request, on_gone, gathering);
    engine_list(jobs->engine, LISTED_MAX, on_listed, gathering);
}
