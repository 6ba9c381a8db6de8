/* SPDX-License-Identifier: MIT */
/* worker_end.c — the end of a job: one result, kept and told before its delivery is
 * settled.
 *
 * Redis keeps it for everybody, unless somebody was first. A copy goes through the broker
 * to the front that waits for it: Redis may lose what it was told, and a front may have
 * lost Redis. With Redis away that copy alone must arrive, and Redis is owed the result.
 * With neither, all of it is tried again, and the delivery stays ours. Where Redis is there
 * and refuses it (it is full, or a copy), and nobody waits at the broker, Redis is owed it, and the
 * delivery is settled: it must not keep its place here for as long as that lasts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/one_end.h"
#include "fleet/worker_private.h"
#include "observe/log.h"
#include "os/clock.h"

enum {
    OWED_MS = 10 * 60 * 1000,
};

#define OWED_BYTES (64 * MIB)

/* A result that was told through the broker, while Redis was away. */
struct owed {
    struct list link;
    struct fleet_worker *worker;
    struct job_header header;
    unsigned attempt;
    uint64_t number;
    uint64_t since_ns;
    bool is_asked;
    struct buf result;
};

/* --- after the run --- */

static void note_service(struct work *work)
{
    static const char script[] =
        "local old = tonumber(redis.call('HGET', KEYS[1], 'service_ms') or '')\n"
        "old = old or tonumber(ARGV[1])\n"
        "redis.call('HSET', KEYS[1], 'service_ms',\n"
        "  string.format('%d', math.floor(old + (ARGV[1] - old) / 8 + 0.5)))\n";
    struct fleet_key lane = lane_key(work->header.lane, work->header.aside);
    char took[24];
    if (work->begun_ns == 0)
        return;
    uint64_t took_ms = (loop_now_ns() - work->begun_ns) / NS_PER_MS;
    uint64_t before_ms = work->worker->service_ms > 0 ? work->worker->service_ms : took_ms;
    work->worker->service_ms = (7 * before_ms + took_ms + 4) / 8;
    (void)snprintf(took, sizeof took, "%" PRIu64, took_ms);
    (void)redis_command(work->worker->redis, NULL, NULL, slice_of("EVAL"), slice_of(script),
                        slice_of("1"), slice_of(lane.text), slice_of(took));
}

static void forget_run(struct work *work)
{
    struct run *run = take_ptr(&work->run);
    reader_free(take_ptr(&work->reader));
    run_recorded(run);
    if (work->worker->draining) /* it may have been the last that ran */
        loop_task_schedule(work->worker->empty);
}

/* The broker may have taken the delivery from us, and then it is settled already. */
static void abandon(struct work *work)
{
    log_event(LOG_WARN, "run_abandoned", LOG_TEXT("run", work->header.id), LOG_END);
    forget_run(work);
    work_settle(work, work->settlement);
}

void worker_run_ended(void *context, struct run *run, const struct run_result *end,
                      struct run_artifact *artifacts, size_t artifact_count)
{
    struct fleet_worker *worker = context;
    struct work *work = work_of_run(worker, run);
    if (!work) {
        run_recorded(run);
        return;
    }
    if (work->fate == FATE_ABANDONED) {
        abandon(work);
        return;
    }
    if (work->fate == FATE_GIVEN_BACK && end->verdict == VERDICT_CANCELLED) {
        forget_run(work);
        work_give_back(work);
        return;
    }
    work_pump(work, true);
    note_service(work);
    struct job_result result = work_result(work);
    work_refuse_artifacts(artifacts, artifact_count);
    result.result = *end;
    result.result.usage.queued_ms += work->age_ms;
    result.artifacts = artifacts;
    result.artifact_count = artifact_count;
    int rc = work->form->encode(work, &result);
    forget_run(work); /* its slot is free for the next */
    work->state = WORK_ENDING;
    if (rc < 0) { /* no memory: another worker may have some */
        work_give_back(work);
        return;
    }
    work->form->store(work);
}

void work_end(struct work *work, const struct verdict_facts *facts, const char *why,
              enum amqp_settlement settlement)
{
    struct job_result result = work_result(work);
    const struct run_spec *spec = &work->job.spec;
    struct verdict_words words = {.why = why && why[0] ? why : NULL};
    uint64_t now_ms = clock_unix_ms();
    if (spec->language)
        words.limits = engine_limits(work->worker->engine, spec);
    result.attempt = MAX((unsigned)work->facts.begun, 1U);
    result.result.verdict = verdict_decide(facts);
    verdict_reason(facts, &words, result.result.reason, sizeof result.result.reason);
    result.result.usage.queued_ms = now_ms - MIN(now_ms, work->header.submitted_ms);
    work->attempt = result.attempt;
    work->settlement = settlement;
    work->state = WORK_ENDING;
    work_count(work);
    if (work->form->encode(work, &result) < 0)
        work_give_back(work);
    else
        work->form->store(work);
}

/* --- told --- */

static bool results_key(const struct job_header *header, const char *reply_to,
                        struct fleet_key *ret_key)
{
    if (header->front[0] != '\0') {
        *ret_key = results_queue(header->front);
        return true;
    }
    if (strncmp(reply_to, RESULTS_PREFIX, sizeof RESULTS_PREFIX - 1) != 0)
        return false;
    return snprintf(ret_key->text, sizeof ret_key->text, "%s", reply_to) > 0;
}

static struct amqp_message message_of(const struct fleet_key *key, const char *id,
                                      const struct buf *result)
{
    return (struct amqp_message){
        .exchange = "",
        .key = key->text,
        .body = buf_slice(result),
        .content_type = "application/json",
        .message_id = id,
        .mandatory = true,
    };
}

static void again(struct work *work)
{
    work->due_ns = worker_soon_ns();
    worker_tick(work->worker);
}

void work_publish(struct work *work, const struct amqp_message *message)
{
    work->due_ns = 0;
    if (amqp_publish(work->worker->amqp, message, (uint64_t)(uintptr_t)work, NULL) == 0)
        work_hold(work);
    else
        again(work);
}

static void settle(struct work *work)
{
    work_settle(work, work->settlement);
}

/* Nobody can be told. */
static void tell_nobody(struct work *work)
{
    if (!work->is_refused) {
        again(work);
        return;
    }
    log_event(LOG_WARN, "result_untold", LOG_TEXT("run", work->header.id),
              LOG_TEXT("reason", "Redis refuses it, and no front waits for it"), LOG_END);
    work->form->arrived(work);
    settle(work);
}

/* Redis does not have it: the front itself must. */
static void publish_result(struct work *work)
{
    struct fleet_key key;
    if (!results_key(&work->header, work->reply_to, &key)) {
        tell_nobody(work);
        return;
    }
    struct amqp_message message = message_of(&key, work->header.id, &work->result);
    work_publish(work, &message);
}

/* … it should have a copy, and need not. */
static void publish_copy(struct fleet_worker *worker, const struct job_header *header,
                         const char *reply_to, const struct buf *result)
{
    struct fleet_key key;
    if (!results_key(header, reply_to, &key))
        return;
    struct amqp_message message = message_of(&key, header->id, result);
    (void)amqp_publish(worker->amqp, &message, 0, NULL);
}

static void on_stored(void *context, const struct redis_reply *reply)
{
    struct work *work = context;
    if (!work_answered(work) || work->state != WORK_ENDING)
        return;
    if (!reply || reply->kind != REDIS_INTEGER) {
        work->is_refused = reply != NULL;
        publish_result(work);
        return;
    }
    if (reply->integer == ONE_END_STORED)
        publish_copy(work->worker, &work->header, work->reply_to, &work->result);
    if (reply->integer == ONE_END_VOID)
        work->settlement = AMQP_REQUEUE; /* whose it is will see to it */
    settle(work);
}

static void store(struct work *work)
{
    struct one_end end = {
        .id = work->header.id,
        .worker = work->worker->name,
        .result = buf_slice(work->brief.len > 0 ? &work->brief : &work->result),
        .attempt = work->attempt,
        .number = work->events.number + 1,
    };
    work->due_ns = 0;
    if (one_end_store(work->worker->redis, &end, on_stored, work) == 0)
        work_hold(work);
    else
        publish_result(work);
}

/* --- what Redis is owed --- */

static void owed_free(struct owed *owed)
{
    list_remove(&owed->link);
    owed->worker->owed_bytes -= owed->result.len;
    buf_fini(&owed->result);
    free(owed);
}

static struct owed *oldest_owed(struct fleet_worker *worker)
{
    return CONTAINER_OF(worker->owed.next, struct owed, link);
}

/* Takes the result's text. */
static void owe_redis(struct work *work)
{
    struct fleet_worker *worker = work->worker;
    struct owed *owed = calloc(1, sizeof *owed);
    if (!owed)
        return;
    *owed = (struct owed){
        .worker = worker,
        .header = work->header,
        .attempt = work->attempt,
        .number = work->events.number + 1,
        .since_ns = loop_now_ns(),
        .result = work->result,
    };
    buf_init(&work->result, 0);
    worker->owed_bytes += owed->result.len;
    list_append(&worker->owed, &owed->link);
    while (worker->owed_bytes > OWED_BYTES && !oldest_owed(worker)->is_asked)
        owed_free(oldest_owed(worker));
}

const struct work_form own_form = {
    .reader = READER_BYTES,
    .tell = work_tell,
    .encode = work_encode,
    .store = store,
    .arrived = owe_redis,
};

void worker_published(void *context, uint64_t token, enum amqp_outcome outcome)
{
    struct work *work = (struct work *)(uintptr_t)token; /* NOLINT: as we gave it */
    (void)context;
    if (token == 0 || !work_answered(work) || work->state != WORK_ENDING)
        return;
    if (outcome == AMQP_UNROUTABLE) {
        tell_nobody(work);
        return;
    }
    if (outcome != AMQP_STORED) {
        again(work);
        return;
    }
    work->form->arrived(work);
    settle(work);
}

bool worker_answer_again(struct fleet_worker *worker, const char *id)
{
    list_for_each (link, &worker->owed) {
        struct owed *owed = CONTAINER_OF(link, struct owed, link);
        if (strcmp(owed->header.id, id) != 0)
            continue;
        publish_copy(worker, &owed->header, "", &owed->result);
        return true;
    }
    return false;
}

static void on_paid(void *context, const struct redis_reply *reply)
{
    struct owed *owed = context;
    struct fleet_worker *worker = owed->worker;
    owed->is_asked = false;
    if (!reply || reply->kind != REDIS_INTEGER)
        return; /* all of them later */
    owed_free(owed);
    worker_pay_owed(worker);
}

static bool is_stale(const struct owed *owed)
{
    return !owed->is_asked && loop_now_ns() - owed->since_ns > OWED_MS * NS_PER_MS;
}

/* One after the other: a Redis that refuses one refuses all, and they may be large. */
void worker_pay_owed(struct fleet_worker *worker)
{
    while (!list_empty(&worker->owed) && is_stale(oldest_owed(worker)))
        owed_free(oldest_owed(worker));
    if (list_empty(&worker->owed) || oldest_owed(worker)->is_asked)
        return;
    struct owed *owed = oldest_owed(worker);
    struct one_end end = {
        .id = owed->header.id,
        .worker = worker->name,
        .result = buf_slice(&owed->result),
        .attempt = owed->attempt,
        .number = owed->number,
    };
    owed->is_asked = one_end_store(worker->redis, &end, on_paid, owed) == 0;
}

void worker_forget_owed(struct fleet_worker *worker)
{
    while (!list_empty(&worker->owed))
        owed_free(oldest_owed(worker));
}
