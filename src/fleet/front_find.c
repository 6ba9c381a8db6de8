/* SPDX-License-Identifier: MIT */
/* front_find.c — runs that another machine took: what Redis knows of one becomes a run of
 * our engine, that is sent nowhere and hears what all hear. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet/front_private.h"
#include "os/clock.h"

struct question {
    struct fleet_front *front;
    char id[RUN_ID_SIZE];
    void (*found)(void *context, struct run *run);
    void *context;
};

void front_found(struct front_cargo *cargo)
{
    if (cargo->found)
        take_ptr (&cargo->found)(cargo->found_context, cargo->run);
}

static struct front_cargo *adopt(struct fleet_front *front, const struct job *job)
{
    struct front_cargo *cargo = front_cargo_new(front, job->header.id, &job->spec, NULL);
    if (!cargo)
        return NULL;
    uint64_t now_ms = clock_unix_ms();
    uint64_t age_ms = now_ms - MIN(now_ms, job->header.submitted_ms);
    cargo->adopted = true;
    cargo->submitted_ms = job->header.submitted_ms;
    cargo->ticket = job->header.ticket;
    cargo->run = engine_adopt(front->engine, &job->spec, &cargo->cargo, age_ms, NULL);
    if (!cargo->run)
        return NULL; /* and the cargo is gone with it */
    struct fleet_key events = events_key(cargo->id);
    front_cargo_waits(cargo, true);
    (void)redis_subscribe(front->redis, events.text, NULL, NULL);
    return cargo;
}

static void on_job(void *context, const struct redis_reply *reply)
{
    struct question *question = context;
    struct front_cargo *cargo = NULL;
    struct run *known = engine_find(question->front->engine, question->id); /* meanwhile */
    struct job job;
    if (!known && reply && reply->kind == REDIS_STRING &&
        job_decode(reply->text, question->front->config.catalogue, &job, NULL) == 0) {
        if (strcmp(job.header.id, question->id) == 0)
            cargo = adopt(question->front, &job);
        job_fini(&job);
    }
    if (cargo) {
        cargo->found = question->found;
        cargo->found_context = question->context;
        front_catch_up(cargo);
    } else {
        question->found(question->context, known);
    }
    free(question);
}

void front_find(struct carrier *carrier, const char *id,
                void (*found)(void *context, struct run *run), void *context)
{
    struct fleet_front *front = CONTAINER_OF(carrier, struct fleet_front, carrier);
    struct fleet_key run = run_key(id);
    struct question *question = calloc(1, sizeof *question);
    if (question) {
        *question = (struct question){.front = front, .found = found, .context = context};
        (void)snprintf(question->id, sizeof question->id, "%s", id);
        if (redis_command(front->redis, on_job, question, slice_of("HGET"), slice_of(run.text),
                          slice_of("job")) == 0)
            return;
    }
    free(question);
    found(context, NULL);
}

/* --- lists --- */

struct listing {
    void (*listed)(void *context, const char *ids, size_t count);
    void *context;
};

static void on_ids(void *context, const struct redis_reply *reply)
{
    struct listing *listing = context;
    auto_buf struct buf ids;
    size_t count = 0;
    buf_init(&ids, (size_t)RUNS_LISTED * RUN_ID_SIZE);
    for (size_t i = 0; reply && reply->kind == REDIS_ARRAY && i < reply->count; i++) {
        struct slice id = reply->items[i].text;
        if (id.len == 0 || id.len >= RUN_ID_SIZE)
            continue;
        buf_add_slice(&ids, id);
        buf_add_char(&ids, '\0');
        count++;
    }
    listing->listed(listing->context, buf_text(&ids), ids.failed ? 0 : count);
    free(listing);
}

void front_list(struct carrier *carrier, size_t max,
                void (*listed)(void *context, const char *ids, size_t count), void *context)
{
    struct fleet_front *front = CONTAINER_OF(carrier, struct fleet_front, carrier);
    struct listing *listing = calloc(1, sizeof *listing);
    char last[24];
    (void)snprintf(last, sizeof last, "%zu", MIN(max, (size_t)RUNS_LISTED) - 1);
    if (listing) {
        *listing = (struct listing){listed, context};
        if (redis_command(front->redis, on_ids, listing, slice_of("ZREVRANGE"),
                          slice_of("runnel:runs"), slice_of("0"), slice_of(last)) == 0)
            return;
    }
    free(listing);
    listed(context, "", 0);
}
