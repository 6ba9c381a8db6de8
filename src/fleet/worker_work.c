/* SPDX-License-Identifier: MIT */
/* worker_work.c — one job in our hands, from its delivery until that is settled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/worker_private.h"

struct work *work_new(struct fleet_worker *worker, const struct amqp_delivery *delivery,
                      struct job *job)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work)
        return NULL;
    *work = (struct work){
        .worker = worker,
        .form = &own_form,
        .ref = delivery->ref,
        .job = *job,
        .header = job->header,
        .is_batch = job_is_batch(&job->spec),
        .facts = {.deliveries = delivery->delivery_count},
        .settlement = AMQP_ACK,
    };
    (void)snprintf(work->reply_to, sizeof work->reply_to, "%s", delivery->reply_to);
    buf_init(&work->result, RESULT_MAX_BYTES);
    buf_init(&work->brief, RESULT_MAX_BYTES);
    list_append(&worker->works, &work->link);
    worker->in_hand++;
    if (!worker->is_holding && worker->in_hand >= WORKER_IN_HAND * (size_t)worker->config.slots) {
        worker->is_holding = true;
        amqp_hold(worker->amqp, true);
    }
    *job = (struct job){0};
    return work;
}

static void work_free(struct work *work)
{
    list_remove(&work->link);
    job_fini(&work->job);
    buf_fini(&work->result);
    buf_fini(&work->brief);
    buf_fini(&work->rest[0]);
    buf_fini(&work->rest[1]);
    free(work->workspace);
    free(work);
}

struct work *work_find(const struct fleet_worker *worker, const char *id)
{
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (strcmp(work->header.id, id) == 0)
            return work;
    }
    return NULL;
}

struct work *work_of_run(const struct fleet_worker *worker, const struct run *run)
{
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->run == run)
            return work;
    }
    return NULL;
}

bool work_waits(const struct work *work)
{
    return work->state == WORK_LISTENING || work->state == WORK_ASKING || work->state == WORK_HELD;
}

/* --- answers --- */

void work_hold(struct work *work)
{
    work->holds++;
}

bool work_answered(struct work *work)
{
    work->holds--;
    if (work->state != WORK_GONE)
        return true;
    if (work->holds == 0)
        work_free(work);
    return false;
}

int work_ask(struct work *work, redis_reply_fn *fn, size_t argc, const struct slice *argv)
{
    if (redis_command_argv(work->worker->redis, fn, work, argc, argv) < 0)
        return -1;
    work_hold(work);
    return 0;
}

/* --- the end --- */

static void look_at_hands(struct fleet_worker *worker)
{
    if (worker->draining) {
        loop_task_schedule(worker->empty);
        return;
    }
    if (worker->is_holding && worker->in_hand <= worker->config.slots) {
        worker->is_holding = false;
        amqp_hold(worker->amqp, false);
    }
}

void work_settle(struct work *work, enum amqp_settlement settlement)
{
    struct fleet_worker *worker = work->worker;
    amqp_settle(worker->amqp, work->ref, settlement);
    if (work->is_listening)
        redis_unsubscribe(worker->redis, commands_key(work->header.id).text);
    work->state = WORK_GONE;
    list_remove(&work->link);
    list_append(&worker->gone, &work->link);
    worker->in_hand--;
    if (work->holds == 0)
        work_free(work);
    look_at_hands(worker);
}

void work_free_all(struct fleet_worker *worker)
{
    while (!list_empty(&worker->works))
        work_free(CONTAINER_OF(worker->works.next, struct work, link));
    while (!list_empty(&worker->gone))
        work_free(CONTAINER_OF(worker->gone.next, struct work, link));
}
