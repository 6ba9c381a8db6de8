/* SPDX-License-Identifier: MIT */
/* front_find.c — runs that another machine took: what Redis knows of one becomes a run of
 * our engine, that is sent nowhere and hears what all hear. A question is answered exactly
 * once, from the loop, also when there is nobody to ask. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reserve.h"
#include "fleet/front_private.h"
#include "os/clock.h"

#define ROW_KEYS_END (1ULL << 62) /* account.h */
#define NOBODYS UINT64_MAX        /* but an administrator's */

struct question {
    struct fleet_front *front;
    struct list link;
    bool is_lost; /* nobody could be asked */
    char id[RUN_ID_SIZE];
    void (*found)(void *context, struct run *run);
    void (*listed)(void *context, const char *ids, size_t count); /* or this one */
    void *context;
};

static struct question *ask(struct fleet_front *front, void *context)
{
    struct question *question = reserve_take(sizeof *question);
    if (!question)
        abort(); /* as for everything that the loop makes a few of: the promise cannot be kept */
    *question = (struct question){.front = front, .context = context};
    list_append(&front->questions, &question->link);
    return question;
}

static void close_question(struct question *question)
{
    list_remove(&question->link);
    reserve_give(question);
}

static void answer_nothing(struct question *question)
{
    if (question->found)
        question->found(question->context, NULL);
    else
        question->listed(question->context, "", 0);
    close_question(question);
}

static void lose(struct question *question)
{
    question->is_lost = true;
    loop_task_schedule(question->front->answer_lost);
}

void front_answer_lost(void *context)
{
    struct fleet_front *front = context;
    list_for_each_safe (link, following, &front->questions) {
        struct question *question = CONTAINER_OF(link, struct question, link);
        if (question->is_lost)
            answer_nothing(question);
    }
}

void front_answer_all(struct fleet_front *front)
{
    list_for_each_safe (link, following, &front->questions)
        answer_nothing(CONTAINER_OF(link, struct question, link));
}

/* A run that has ended is the engine's alone, which keeps it for a while. */
void front_found(struct front_cargo *cargo)
{
    struct run *run = cargo->run ? cargo->run : engine_find(cargo->front->engine, cargo->id);
    if (cargo->found)
        take_ptr (&cargo->found)(cargo->found_context, run);
}

/* --- one run --- */

/* A key of a front's own store is a row's number, which is somebody else's on another front;
 * those of api_keys are the same everywhere. */
static uint64_t owner_here(const struct fleet_front *front, const struct job *job)
{
    uint64_t owner = job->spec.owner;
    bool is_row = owner != 0 && owner < ROW_KEYS_END;
    return is_row && strcmp(job->header.front, front->name) != 0 ? NOBODYS : owner;
}

struct front_cargo *front_adopt(struct fleet_front *front, const struct run_spec *spec,
                                uint64_t submitted_ms, bool aside)
{
    if (engine_find(front->engine, spec->id))
        return NULL;
    struct front_cargo *cargo = front_cargo_new(front, spec->id, spec, NULL);
    if (!cargo)
        return NULL;
    uint64_t now_ms = clock_unix_ms();
    uint64_t age_ms = now_ms - MIN(now_ms, submitted_ms);
    cargo->adopted = true;
    cargo->is_anothers = !spec->recorded;
    cargo->aside = aside;
    cargo->submitted_ms = submitted_ms;
    struct run *run = engine_adopt(front->engine, spec, &cargo->cargo, age_ms, NULL);
    if (!run)
        return NULL; /* and the cargo is gone with it */
    struct fleet_key events = events_key(cargo->id);
    cargo->run = run;
    front_cargo_waits(cargo, true);
    (void)redis_subscribe(front->redis, events.text, NULL, NULL);
    return cargo;
}

static struct front_cargo *adopt(struct fleet_front *front, const struct job *job)
{
    struct run_spec spec = job->spec;
    spec.owner = owner_here(front, job);
    spec.recorded = false; /* by its own front */
    return front_adopt(front, &spec, job->header.submitted_ms, job->header.aside);
}

enum { ASK_JOB, ASK_TICKET, ASK_ITEMS };

static void on_job(void *context, const struct redis_reply *reply)
{
    struct question *question = context;
    struct fleet_front *front = question->front;
    struct run *known = engine_find(front->engine, question->id); /* meanwhile */
    struct front_cargo *cargo = NULL;
    struct job job;
    const struct redis_reply *items =
        reply && reply->kind == REDIS_ARRAY && reply->count == ASK_ITEMS ? reply->items : NULL;
    if (!known && items && items[ASK_JOB].kind == REDIS_STRING &&
        job_decode(items[ASK_JOB].text, front->config.catalogue, &job, NULL) == 0) {
        if (strcmp(job.header.id, question->id) == 0)
            cargo = adopt(front, &job);
        job_fini(&job);
    }
    if (cargo) {
        cargo->found = question->found;
        cargo->found_context = question->context;
        front_take_place(cargo, &items[ASK_TICKET]);
        front_catch_up(cargo);
    } else {
        question->found(question->context, known);
    }
    close_question(question);
}

void front_find(struct carrier *carrier, const char *id,
                void (*found)(void *context, struct run *run), void *context)
{
    struct fleet_front *front = CONTAINER_OF(carrier, struct fleet_front, carrier);
    struct fleet_key run = run_key(id);
    struct question *question = ask(front, context);
    question->found = found;
    (void)snprintf(question->id, sizeof question->id, "%s", id);
    if (redis_command(front->redis, on_job, question, slice_of("HMGET"), slice_of(run.text),
                      slice_of("job"), slice_of("ticket")) < 0)
        lose(question);
}

/* --- all of them --- */

static void on_ids(void *context, const struct redis_reply *reply)
{
    struct question *question = context;
    size_t count = 0;
    auto_buf struct buf ids;
    buf_init(&ids, (size_t)RUNS_LISTED * RUN_ID_SIZE);
    for (size_t i = 0; reply && reply->kind == REDIS_ARRAY && i < reply->count; i++) {
        struct slice id = reply->items[i].text;
        if (id.len == 0 || id.len >= RUN_ID_SIZE)
            continue;
        buf_add_slice(&ids, id);
        buf_add_char(&ids, '\0');
        count++;
    }
    question->listed(question->context, buf_text(&ids), ids.failed ? 0 : count);
    close_question(question);
}

void front_list(struct carrier *carrier, size_t max,
                void (*listed)(void *context, const char *ids, size_t count), void *context)
{
    struct fleet_front *front = CONTAINER_OF(carrier, struct fleet_front, carrier);
    struct question *question = ask(front, context);
    char last[24];
    (void)snprintf(last, sizeof last, "%zu", MIN(max, (size_t)RUNS_LISTED) - 1);
    question->listed = listed;
    if (redis_command(front->redis, on_ids, question, slice_of("ZREVRANGE"), slice_of(RUNS_KEY),
                      slice_of("0"), slice_of(last)) < 0)
        lose(question);
}
