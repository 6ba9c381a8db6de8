/* SPDX-License-Identifier: MIT */
/* worker_jobs.c — jobs that wait: what is found out about each before its run begins, or
 * instead of it. The decision itself is worker_decide.c's. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/utf8.h"
#include "fleet/worker_private.h"
#include "language/language.h"
#include "observe/log.h"
#include "os/clock.h"

/* KEYS: run, lease, events; ARGV: the worker, how long. Takes the lease if nobody else has it.
 * What is of another kind than ours was put there by somebody else, and is in the way. */
static const char ask_script[] =
    "for i, kind in ipairs({'hash', 'string', 'stream'}) do\n"
    "  local there = redis.call('TYPE', KEYS[i]).ok\n"
    "  if there ~= kind and there ~= 'none' then redis.call('DEL', KEYS[i]) end\n"
    "end\n"
    "local owner = redis.call('GET', KEYS[2])\n"
    "if (not owner) or owner == ARGV[1] then\n"
    "  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])\n"
    "  owner = ARGV[1]\n"
    "end\n"
    "local run = redis.call('HMGET', KEYS[1], 'cancel', 'attempt', 'given_back', 'since')\n"
    "local now = redis.call('TIME')\n"
    "local since = tonumber(run[4] or '')\n"
    "local age = since and now[1] * 1000 + math.floor(now[2] / 1000) - since\n"
    "return {redis.call('HEXISTS', KEYS[1], 'job'), redis.call('HEXISTS', KEYS[1], 'result'),\n"
    "        owner, run[1], run[2], run[3], age or false}\n";
enum {
    ASK_JOB,
    ASK_RESULT,
    ASK_OWNER,
    ASK_CANCEL,
    ASK_ATTEMPT,
    ASK_GIVEN_BACK,
    ASK_AGE,
    ASK_ITEMS
};

/* KEYS: run; ARGV: 1 when an attempt had begun. */
static const char leave_script[] = "if redis.call('EXISTS', KEYS[1]) == 1 then\n"
                                   "  redis.call('HINCRBY', KEYS[1], 'given_back', ARGV[1])\n"
                                   "  redis.call('HSET', KEYS[1], 'state', 'queued')\n"
                                   "end\n";

static void ask(struct work *work);

static void hold(struct work *work)
{
    work->state = WORK_HELD;
    work->due_ns = worker_soon_ns();
    worker_tick(work->worker);
}

/* --- given back --- */

static void on_left(void *context, const struct redis_reply *reply)
{
    struct work *work = context;
    (void)reply;
    if (!work_answered(work))
        return;
    work_settle(work, AMQP_REQUEUE);
}

/* The lease goes first, or the next one would wait for its end. */
void work_give_back(struct work *work)
{
    struct fleet_key run = run_key(work->header.id);
    bool had_begun = work->begun_ns != 0;
    work->state = WORK_LEAVING;
    work->due_ns = 0;
    if (!work->is_leased) {
        work_settle(work, AMQP_REQUEUE);
        return;
    }
    work_release_lease(work);
    if (WORK_ASK(work, on_left, slice_of("EVAL"), slice_of(leave_script), slice_of("1"),
                 slice_of(run.text), slice_of(had_begun ? "1" : "0")) < 0)
        work_settle(work, AMQP_REQUEUE);
}

void work_pass_on(struct work *work)
{
    work->passes_on = true;
    work_release_lease(work);
    hold(work);
}

/* --- its start --- */

static void submit(struct work *work)
{
    struct engine *engine = work->worker->engine;
    struct err err = {0};
    struct run_spec spec = work->job.spec;
    uint64_t waits_ms = work->facts.queue_ms;
    work->attempt = worker_next_attempt(&work->facts);
    work->age_ms = work->facts.age_ms;
    work->is_streaming = spec.streaming;
    work->ends_unattended = spec.ends_unattended;
    work->unattended_ms = spec.unattended_ms > 0 ? spec.unattended_ms : RUN_UNATTENDED_MS;
    spec.id = work->header.id;
    spec.passing = true;          /* its front keeps it for those who come back, … */
    spec.ends_unattended = false; /* … and knows who reads it */
    spec.recorded = true;
    if (work->attempt == 1 && waits_ms > 0)
        spec.limits.value[LIMIT_QUEUE] = waits_ms - MIN(waits_ms - 1, work->facts.age_ms);
    if (engine_find(engine, spec.id)) { /* as it was in our hands before: it goes any moment */
        hold(work);
        return;
    }
    work->run = engine_submit(engine, &spec, &err);
    if (work->run) {
        work->state = WORK_RUNNING;
        job_fini(&work->job);
        work_run_started(work);
    } else if (err.code == ERR_SHUTTING_DOWN) {
        work_give_back(work);
    } else if (err.code == ERR_BUSY) {
        hold(work);
    } else {
        work_end(work, &(struct verdict_facts){.we_failed = true}, err.text, AMQP_ACK);
    }
}

static void end_without_language(struct work *work)
{
    char why[256];
    (void)snprintf(why, sizeof why, "%s is installed on no worker", work->job.spec.language->title);
    work_end(work, &(struct verdict_facts){.we_failed = true}, why, AMQP_ACK);
}

static void end_dead(struct work *work)
{
    char why[256];
    uint64_t lost = workers_lost(&work->facts);
    (void)snprintf(why, sizeof why, "%" PRIu64 " workers were lost while they had this run", lost);
    log_event(LOG_ERROR, "job_dead", LOG_TEXT("run", work->header.id), LOG_U64("workers", lost),
              LOG_END);
    work_end(work, &(struct verdict_facts){.we_failed = true}, why, AMQP_REJECT);
}

static void act(struct work *work, enum delivery_action action)
{
    switch (action) {
    case DELIVERY_START:
        submit(work);
        return;
    case DELIVERY_HOLD:
        hold(work);
        return;
    case DELIVERY_DROP:
        work_count(work);
        work_release_lease(work);
        work_settle(work, AMQP_ACK);
        return;
    case DELIVERY_GIVE_BACK:
        work_give_back(work);
        return;
    case DELIVERY_PASS_ON:
        work_pass_on(work);
        return;
    case DELIVERY_CANCELLED:
        work_end(work, &(struct verdict_facts){.cancelled = true}, work->cancel, AMQP_ACK);
        return;
    case DELIVERY_TOO_LATE:
        work_end(work, &(struct verdict_facts){.queue_deadline_passed = true}, NULL, AMQP_ACK);
        return;
    case DELIVERY_WORKER_LOST:
        work_end(work, &(struct verdict_facts){.we_failed = true}, "worker lost", AMQP_ACK);
        return;
    case DELIVERY_DEAD:
        end_dead(work);
        return;
    case DELIVERY_NO_LANGUAGE:
        end_without_language(work);
        return;
    case DELIVERY_ACTIONS:
        break;
    }
}

/* --- what is known of it --- */

static void decide(struct work *work)
{
    struct delivery_facts *facts = &work->facts;
    const struct run_spec *spec = &work->job.spec;
    uint64_t now_ms = clock_unix_ms();
    work->due_ns = 0;
    facts->draining = work->worker->draining;
    facts->is_batch = work->is_batch;
    facts->is_cancelled = work->cancel[0] != '\0';
    facts->is_installed = spec->language->installed;
    facts->is_elsewhere = worker_is_elsewhere(work->worker, spec->language->name);
    facts->age_ms = now_ms - MIN(now_ms, work->header.submitted_ms);
    facts->queue_ms = engine_limits(work->worker->engine, spec).value[LIMIT_QUEUE];
    work->is_counted = work->is_counted || facts->begun > 0;
    act(work, worker_decide(facts));
}

/* When it was submitted, by our clock: its front's may differ from it. */
static void read_age(struct work *work, const struct redis_reply *age)
{
    uint64_t now_ms = clock_unix_ms();
    if (age->kind == REDIS_INTEGER)
        work->header.submitted_ms = now_ms - MIN(now_ms, (uint64_t)MAX(age->integer, (int64_t)0));
}

static void read_facts(struct work *work, const struct redis_reply *items)
{
    struct delivery_facts *facts = &work->facts;
    bool is_ours = items[ASK_OWNER].kind == REDIS_STRING &&
                   slice_is(items[ASK_OWNER].text, work->worker->name);
    facts->blind = false;
    facts->has_result = redis_reply_number(&items[ASK_RESULT]) > 0;
    facts->leased = !is_ours;
    facts->begun = redis_reply_number(&items[ASK_ATTEMPT]);
    facts->given_back = redis_reply_number(&items[ASK_GIVEN_BACK]);
    facts->known = redis_reply_number(&items[ASK_JOB]) > 0 || facts->begun > 0;
    work->is_leased = is_ours;
    read_age(work, &items[ASK_AGE]);
    if (facts->leased)
        work->leased_ns = loop_now_ns();
    if (items[ASK_CANCEL].kind == REDIS_STRING && work->cancel[0] == '\0') {
        struct slice why = items[ASK_CANCEL].text;
        (void)utf8_for_people(work->cancel, sizeof work->cancel,
                              why.len > 0 ? why : slice_of("it was stopped"));
    }
}

/* Until Redis takes questions. */
static void wait_for_stream(struct work *work)
{
    work->state = WORK_LISTENING;
    work->due_ns = worker_soon_ns();
    if (redis_is_connected(work->worker->redis))
        worker_tick(work->worker);
    else
        work_look(work);
}

/* A cancel that came between the answer and the channel is found when the run begins. */
static void decide_when_heard(struct work *work)
{
    if (work->hears)
        decide(work);
    else
        work->state = WORK_LISTENING;
}

static void on_asked(void *context, const struct redis_reply *reply)
{
    struct work *work = context;
    if (!work_answered(work) || work->state != WORK_ASKING)
        return;
    if (reply && reply->kind == REDIS_ARRAY && reply->count == ASK_ITEMS) {
        read_facts(work, reply->items);
        decide_when_heard(work);
    } else if (reply) { /* it answers, and not this: full, or read-only */
        work->facts.blind = true;
        decide_when_heard(work);
    } else {
        wait_for_stream(work);
    }
}

static void ask(struct work *work)
{
    struct fleet_key run = run_key(work->header.id);
    struct fleet_key lease = lease_key(work->header.id);
    struct fleet_key events = events_key(work->header.id);
    char lasts[24];
    (void)snprintf(lasts, sizeof lasts, "%d", LEASE_MS);
    work->state = WORK_ASKING;
    work->due_ns = 0;
    if (WORK_ASK(work, on_asked, slice_of("EVAL"), slice_of(ask_script), slice_of("3"),
                 slice_of(run.text), slice_of(lease.text), slice_of(events.text),
                 slice_of(work->worker->name), slice_of(lasts)) < 0)
        wait_for_stream(work);
}

static void on_listening(void *context)
{
    struct work *work = context;
    work->hears = true;
    if (work->state == WORK_LISTENING && work->due_ns == 0)
        decide(work);
}

/* Both at once: each goes its own way to Redis and back, and the program waits for both. */
void work_begin(struct work *work)
{
    struct redis *redis = work->worker->redis;
    work->is_listening =
        redis_subscribe(redis, commands_key(work->header.id).text, on_listening, work) == 0;
    if (work->is_listening && redis_is_connected(redis))
        ask(work);
    else
        wait_for_stream(work);
}

/* While Redis is away: another worker's lease may last that long without its being said. */
static bool may_be_leased(const struct work *work)
{
    return work->leased_ns != 0 && loop_now_ns() - work->leased_ns < (uint64_t)LEASE_MS * NS_PER_MS;
}

static void look_blindly(struct work *work)
{
    if (may_be_leased(work) && !work->worker->draining) {
        hold(work);
        return;
    }
    work->facts.blind = true;
    work->is_leased = false;
    decide(work);
}

/* Of one that waits. */
void work_look(struct work *work)
{
    struct fleet_worker *worker = work->worker;
    if (work->state == WORK_HELD && work->passes_on)
        work_settle(work, AMQP_REQUEUE);
    else if (redis_is_connected(worker->redis))
        work->is_listening ? ask(work) : work_begin(work);
    else if (worker->is_blind || worker->draining)
        look_blindly(work);
    else
        worker_tick(worker);
}
