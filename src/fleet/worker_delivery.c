/* SPDX-License-Identifier: MIT */
/* worker_delivery.c — what the broker delivers: a job that is new to us, one that we know, or
 * what is no job. */
#include <stdio.h>
#include <string.h>

#include "fleet/worker_private.h"
#include "language/language.h"
#include "observe/log.h"
#include "os/clock.h"

/* Of a later version, or for a language that we have never heard of: newer workers may know,
 * if there are any. */
static bool may_be_known_elsewhere(const struct fleet_worker *worker,
                                   const struct amqp_delivery *delivery, const struct err *err)
{
    struct job_summary summary;
    if (delivery->delivery_count >= HOPES_MAX)
        return false;
    if (err->code == ERR_MISMATCH)
        return worker_has_others(worker);
    return strcmp(err->field, "language") == 0 &&
           job_summarize(delivery->body, &summary, NULL) == 0 &&
           worker_is_elsewhere(worker, summary.language);
}

/* Its own name for the run, when it can be one. */
static bool read_id(const struct amqp_delivery *delivery, struct job *job)
{
    const char *id = delivery->message_id;
    if (id[0] == '\0' || strlen(id) >= sizeof job->header.id)
        return false;
    for (const char *at = id; *at; at++) {
        if (*at <= ' ' || *at > '~')
            return false;
    }
    (void)snprintf(job->header.id, sizeof job->header.id, "%s", id);
    job->header.submitted_ms = clock_unix_ms();
    return true;
}

/* What is no job is somebody else's mistake: kept for people to look at. Of one of whom we
 * know the id somebody may be waiting for the end. */
static void refuse(struct fleet_worker *worker, const struct amqp_delivery *delivery,
                   const struct err *why)
{
    struct job job = {0};
    struct work *work = NULL;
    if (read_id(delivery, &job) && !work_find(worker, job.header.id))
        work = work_new(worker, delivery, &job);
    if (work && may_be_known_elsewhere(worker, delivery, why)) {
        work_pass_on(work);
        return;
    }
    log_event(LOG_WARN, "job_refused", LOG_TEXT("message", delivery->message_id),
              LOG_TEXT("queue", delivery->queue), LOG_TEXT("reason", why->text), LOG_END);
    if (work)
        work_end(work, &(struct verdict_facts){.we_failed = true}, why->text, AMQP_REJECT);
    else
        amqp_settle(worker->amqp, delivery->ref, AMQP_REJECT);
}

/* Known here: over a new connection it is the same message, and the old one's number settles
 * nothing any more. Over the same one it is a second message, which is one too many. */
void work_recognise(struct work *work, const struct amqp_delivery *delivery)
{
    if (work->ref.connection == delivery->ref.connection)
        amqp_settle(work->worker->amqp, delivery->ref, AMQP_ACK);
    else
        work->ref = delivery->ref;
}

void worker_delivered(struct fleet_worker *worker, const struct amqp_delivery *delivery)
{
    struct err err = {0};
    struct job job;
    if (worker->draining) {
        amqp_settle(worker->amqp, delivery->ref, AMQP_REQUEUE);
        return;
    }
    if (worker_is_foreign(delivery)) {
        worker_delivered_foreign(worker, delivery);
        return;
    }
    if (job_decode(delivery->body, worker->config.catalogue, &job, &err) < 0) {
        refuse(worker, delivery, &err);
        return;
    }
    struct work *known = work_find(worker, job.header.id);
    struct work *work = NULL;
    if (known)
        work_recognise(known, delivery);
    else if (worker_answer_again(worker, job.header.id))
        amqp_settle(worker->amqp, delivery->ref, AMQP_ACK);
    else if (!(work = work_new(worker, delivery, &job)))
        amqp_settle(worker->amqp, delivery->ref, AMQP_REQUEUE);
    job_fini(&job);
    if (work)
        work_begin(work);
}

/* Leases of ours that are not needed go by themselves, or with the next worker's result. */
void worker_forget_deliveries(struct fleet_worker *worker)
{
    list_for_each_safe (link, following, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (!work_waits(work))
            continue;
        work_release_lease(work);
        work_settle(work, AMQP_REQUEUE); /* which settles nothing any more */
    }
}
