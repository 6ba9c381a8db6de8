/* SPDX-License-Identifier: MIT */
/* carried.c — the engine's runs that other machines carry out: how they are sent, found
 * and let go. What is told of each is run_carried.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reserve.h"
#include "engine/engine_private.h"

size_t carried_queued(const struct engine *engine)
{
    size_t queued = 0;
    for (enum lane lane = 0; lane < LANES; lane++)
        queued += engine->carried_queued[lane];
    return queued;
}

static size_t queued_of(const struct engine *engine, uint64_t tenant)
{
    size_t queued = 0;
    list_for_each (link, &engine->carried) {
        const struct run *run = CONTAINER_OF(link, struct run, place);
        queued += run->tenant == tenant && run->state == RUN_QUEUED;
    }
    return queued;
}

/* To look at all of them costs: it is done only when one tenant's alone could be too many. */
static enum queue_room room_for(const struct engine *engine, const struct run *run, size_t queued)
{
    size_t max = MAX(engine->config.queue_length, (size_t)1);
    enum queue_room room = queue_room_of(max, queued, queued, 0);
    if (room != QUEUE_FULL_FOR_TENANT)
        return room;
    return queue_room_of(max, queued, queued_of(engine, run->tenant), 0);
}

int carried_send(struct run *run, struct err *err)
{
    struct engine *engine = run->engine;
    struct cargo *cargo = run->carried.cargo;
    size_t queued = carried_queued(engine);
    if (admission_check_place(room_for(engine, run, queued), queued, err) < 0)
        return -1;
    if (cargo->ops->send(cargo, err) < 0)
        return -1;
    run_carried_start(run);
    run_carried_count(run, &engine->carried_queued[run->lane]);
    list_append(&engine->carried, &run->place);
    return 0;
}

uint64_t carried_wait_ms(const struct engine *engine)
{
    for (const struct list *link = engine->carried.previous; link != &engine->carried;
         link = link->previous) {
        const struct run *run = CONTAINER_OF(link, struct run, place);
        if (run->state == RUN_QUEUED)
            return run_expected_wait_ms(run);
    }
    return 0;
}

/* --- runs of others, and of a process before this one --- */

/* As if it had been sent just now; its time in the queue begins anew. */
static void resume(struct engine *engine, struct run *run)
{
    run->carried.resumed = true;
    run_carried_count(run, &engine->carried_queued[run->lane]);
    list_append(&engine->carried, &run->place);
    list_append(&engine->newcomers, &run->newcomer);
    run_clock_set(run, DEADLINE_QUEUE);
    loop_task_schedule(engine->dispatch);
}

/* Before its first event: nobody has seen it yet. */
static void adopt(struct engine *engine, struct run *run, uint64_t age_ms)
{
    uint64_t age_ns = MIN(age_ms, run->submitted_ns / NS_PER_MS) * NS_PER_MS;
    run->submitted_ns -= age_ns;
    run->passing = false;
    run->carried.accepted = true;
    output_log_add_state(&run->log, RUN_QUEUED, 0);
    run_carried_start(run);
    run_table_add(&engine->table, run);
    run->carried.adopted = !run->recorded;
    if (run->carried.adopted)
        list_append(&engine->adopted, &run->place);
    else
        resume(engine, run);
    run_clock_unattended(run, true);
}

/* Whoever ends waits for what is ours: there must not be more and more of it. */
static int check_adoption(const struct engine *engine, const struct run_spec *spec, struct err *err)
{
    if (spec->recorded && engine->draining)
        return err_set(err, ERR_SHUTTING_DOWN, "the server is shutting down");
    return 0;
}

struct run *engine_adopt(struct engine *engine, const struct run_spec *spec, struct cargo *cargo,
                         uint64_t age_ms, struct err *err)
{
    struct run *run = engine_find(engine, spec->id);
    bool is_known = run != NULL;
    if (is_known || check_adoption(engine, spec, err) < 0 || run_new(engine, spec, &run, err) < 0) {
        cargo->ops->free(cargo);
        return run;
    }
    run->carried.cargo = cargo;
    adopt(engine, run, age_ms);
    return run;
}

int engine_resume(struct engine *engine, const struct run_spec *spec, uint64_t age_ms,
                  void (*lost)(void *context, const char *id), void *context)
{
    struct carrier *carrier = engine->config.carrier;
    return carrier ? carrier->ops->resume(carrier, spec, age_ms, lost, context) : -1;
}

/* --- asked for --- */

struct lookup {
    struct list link;
    char id[RUN_ID_SIZE]; /* "": longer than an id can be */
    size_t max;           /* of a list */
    void (*found)(void *context, struct run *run);
    void (*listed)(void *context, const char *ids, size_t count); /* or this one */
    void *context;
};

static struct lookup *add_lookup(struct engine *engine, void *context)
{
    struct lookup *lookup = reserve_take(sizeof *lookup);
    if (!lookup) { /* as in loop.c: nobody could be told, who is told from the loop alone */
        (void)fprintf(stderr, "engine: no memory to look for a run\n");
        abort();
    }
    lookup->context = context;
    list_append(&engine->lookups, &lookup->link);
    loop_task_schedule(engine->dispatch);
    return lookup;
}

void engine_look_up(struct engine *engine, const char *id,
                    void (*found)(void *context, struct run *run), void *context)
{
    struct lookup *lookup = add_lookup(engine, context);
    lookup->found = found;
    if (strlen(id) < sizeof lookup->id)
        memcpy(lookup->id, id, strlen(id) + 1);
}

void engine_list(struct engine *engine, size_t max,
                 void (*listed)(void *context, const char *ids, size_t count), void *context)
{
    struct lookup *lookup = add_lookup(engine, context);
    lookup->listed = listed;
    lookup->max = max;
}

static struct lookup *take_lookup(struct engine *engine)
{
    struct lookup *lookup = CONTAINER_OF(engine->lookups.next, struct lookup, link);
    list_remove(&lookup->link);
    return lookup;
}

static void answer_list(const struct engine *engine, const struct lookup *lookup)
{
    struct carrier *carrier = engine->config.carrier;
    if (carrier && lookup->max > 0)
        carrier->ops->list(carrier, lookup->max, lookup->listed, lookup->context);
    else
        lookup->listed(lookup->context, "", 0);
}

static void answer_run(struct engine *engine, const struct lookup *lookup)
{
    struct carrier *carrier = engine->config.carrier;
    struct run *run = engine_find(engine, lookup->id);
    if (run || !carrier || lookup->id[0] == '\0')
        lookup->found(lookup->context, run);
    else
        carrier->ops->find(carrier, lookup->id, lookup->found, lookup->context);
}

void carried_answer(struct engine *engine)
{
    while (!list_empty(&engine->lookups)) {
        struct lookup *lookup = take_lookup(engine);
        if (lookup->listed)
            answer_list(engine, lookup);
        else
            answer_run(engine, lookup);
        reserve_give(lookup);
    }
}

/* --- let go --- */

void carried_let_go(struct run *run)
{
    struct engine *engine = run->engine;
    run->ending = true;
    run_clock_free(run);
    list_remove(&run->place);
    list_remove(&run->newcomer);
    run_carried_count(run, NULL);
    engine_end_quota(run, 0);
    run_table_remove(&engine->table, run);
    run_carried_free(run);
    run->engine = NULL;
    if (list_empty(&run->log.cursors))
        run_free(run);
}

/* Nobody talks with it, and whoever wants its end asks for it by its id. */
static bool may_go_on_alone(const struct run *run)
{
    return run->carried.accepted && !run->passing && !run->ends_unattended && !run->tty &&
           run->input.closed && !run->facts.cancelled;
}

void carried_drain(struct engine *engine, const char *why)
{
    list_for_each_safe (link, following, &engine->carried) {
        struct run *run = CONTAINER_OF(link, struct run, place);
        if (run->ending)
            continue;
        if (may_go_on_alone(run)) {
            carried_let_go(run);
            continue;
        }
        run_cancel(run, why);
        run_clock_set(run, DEADLINE_CANCEL); /* sooner than it was, perhaps */
    }
    loop_task_schedule(engine->dispatch);
}

void carried_fini(struct engine *engine)
{
    while (!list_empty(&engine->adopted))
        carried_let_go(CONTAINER_OF(engine->adopted.next, struct run, place));
    while (!list_empty(&engine->lookups)) {
        struct lookup *lookup = take_lookup(engine);
        if (lookup->listed)
            lookup->listed(lookup->context, "", 0);
        else
            lookup->found(lookup->context, NULL);
        reserve_give(lookup);
    }
}
