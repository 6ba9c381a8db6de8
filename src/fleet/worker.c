/* SPDX-License-Identifier: MIT */
#include "fleet/worker.h"

#include <errno.h>
#include <stdlib.h>

#include "fleet/foreign.h"
#include "fleet/members.h"
#include "fleet/worker_private.h"
#include "observe/log.h"

enum {
    TICK_MS = 250,
    LAST_MS = 5000,   /* for the last results, once nothing runs any more */
    LINGER_MS = 1000, /* for what the broker is still to be told */
};

static const char ending[] = "the worker is shutting down";

/* --- what is due later --- */

uint64_t worker_soon_ns(void)
{
    return loop_now_ns() + AGAIN_MS * NS_PER_MS;
}

void worker_tick(struct fleet_worker *worker)
{
    if (worker->is_ticking)
        return;
    worker->is_ticking = true;
    loop_timer_start(worker->tick, TICK_MS);
}

/* What is looked at may be gone afterwards, but no other. */
static void on_tick(void *context)
{
    struct fleet_worker *worker = context;
    uint64_t now_ns = loop_now_ns();
    bool more = false;
    worker->is_ticking = false;
    list_for_each_safe (link, following, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->due_ns == 0)
            continue;
        more = true;
        if (work->due_ns > now_ns)
            continue;
        if (work_waits(work))
            work_look(work);
        else if (work->state == WORK_ENDING)
            work->form->store(work);
    }
    if (more)
        worker_tick(worker);
}

static void on_leases(void *context)
{
    struct fleet_worker *worker = context;
    loop_timer_start(worker->leases, LEASE_RENEW_MS);
    worker_renew_leases(worker);
    worker_say_begun_again(worker);
    worker_pay_owed(worker);
    worker_watch_fronts(worker);
}

static void on_telling(void *context)
{
    worker_pump(context);
}

/* --- the broker --- */

static void on_broker(void *context)
{
    const struct fleet_worker *worker = context;
    log_event(LOG_INFO, "broker_connected", LOG_U64("in_hand", worker->in_hand), LOG_END);
}

static void on_broker_lost(void *context, const struct err *err)
{
    struct fleet_worker *worker = context;
    log_event(LOG_WARN, "broker_lost", LOG_TEXT("reason", err->text), LOG_END);
    worker_forget_deliveries(worker);
}

static void on_delivered(void *context, const struct amqp_delivery *delivery)
{
    worker_delivered(context, delivery);
}

static int connect_broker(struct fleet_worker *worker, struct err *err)
{
    struct amqp_declaration rows[TOPOLOGY_MAX + FOREIGN_TOPOLOGY_MAX];
    struct amqp_consumer consumers[LANE_QUEUES + 1];
    uint16_t prefetch = (uint16_t)MIN(worker->config.slots, (unsigned)UINT16_MAX);
    size_t row_count = fleet_topology(NULL, rows);
    row_count += foreign_topology(false, rows + row_count);
    for (int i = 0; i < LANE_QUEUES; i++)
        consumers[i] = (struct amqp_consumer){lane_queue((enum lane)(i / 2), i % 2), prefetch};
    consumers[LANE_QUEUES] = (struct amqp_consumer){FOREIGN_JOBS_QUEUE, prefetch};
    struct amqp_config config = {
        .url = worker->config.broker,
        .name = worker->name,
        .declarations = rows,
        .declaration_count = row_count,
        .consumers = consumers,
        .consumer_count = ARRAY_LEN(consumers),
        .is_held = true,
        .events = {on_broker, on_broker_lost, on_delivered, worker_published},
        .context = worker,
    };
    worker->amqp = amqp_new(worker->config.loop, &config, err);
    return worker->amqp ? 0 : -1;
}

/* --- Redis --- */

static void on_impatient(void *context)
{
    struct fleet_worker *worker = context;
    worker->is_patient = false;
    worker->is_blind = true;
    log_event(LOG_WARN, "stream_away", LOG_TEXT("jobs", "are run without it"), LOG_END);
    worker_begin(worker);
    list_for_each_safe (link, following, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->due_ns != 0 && work_waits(work) && work->state != WORK_HELD)
            work_look(work);
    }
}

/* It may have lost everything meanwhile, and those who wait have waited for it. */
static void on_stream(void *context)
{
    struct fleet_worker *worker = context;
    log_event(LOG_INFO, "stream_connected", LOG_END);
    fleet_members_connected(worker->members);
    worker->is_patient = false;
    worker->is_blind = false;
    loop_timer_stop(worker->patience);
    list_for_each_safe (link, following, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->state == WORK_RUNNING)
            work_stream_back(work);
        else if (work->due_ns != 0 && work->state == WORK_ENDING)
            work->form->store(work);
        else if (work->due_ns != 0 && work_waits(work))
            work_look(work);
    }
    worker_renew_leases(worker);
    worker_pay_owed(worker);
}

static void on_stream_lost(void *context, const struct err *err)
{
    struct fleet_worker *worker = context;
    log_event(LOG_WARN, "stream_lost", LOG_TEXT("reason", err->text), LOG_END);
    if (!worker->is_blind && !worker->is_patient) {
        worker->is_patient = true;
        loop_timer_start(worker->patience, PATIENCE_MS);
    }
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        work->hears = work->is_listening; /* before we are told of the next connection */
        if (work->state == WORK_RUNNING)
            work_events_lost(work);
        else if (work->state == WORK_LISTENING)
            work->due_ns = worker_soon_ns();
    }
    worker_tick(worker);
}

static int connect_stream(struct fleet_worker *worker, struct err *err)
{
    struct redis_config config = {
        .url = worker->config.stream,
        .name = worker->name,
        .events = {on_stream, on_stream_lost, worker_message},
        .context = worker,
    };
    worker->redis = redis_new(worker->config.loop, &config, err);
    return worker->redis ? 0 : -1;
}

/* --- the end --- */

static bool is_running(const struct fleet_worker *worker)
{
    list_for_each (link, &worker->works) {
        if (CONTAINER_OF(link, struct work, link)->state == WORK_RUNNING)
            return true;
    }
    return false;
}

static void tell_drained(struct fleet_worker *worker)
{
    if (worker->drained)
        take_ptr (&worker->drained)(worker->drained_context);
}

static void on_empty(void *context)
{
    struct fleet_worker *worker = context;
    if (worker->in_hand == 0)
        tell_drained(worker);
    else if (!is_running(worker))
        loop_timer_start(worker->last, LAST_MS);
}

/* What cannot be told now goes back to the broker with the connection. */
static void on_last(void *context)
{
    tell_drained(context);
}

static void on_grace(void *context)
{
    struct fleet_worker *worker = context;
    list_for_each (link, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        if (work->state != WORK_RUNNING)
            continue;
        if (work->is_batch && work->fate == FATE_OURS)
            work->fate = FATE_GIVEN_BACK;
        run_cancel(work->run, ending);
    }
}

/* Those that wait for an answer are given back when it has come. */
static void give_back_unbegun(struct fleet_worker *worker)
{
    list_for_each_safe (link, following, &worker->works) {
        struct work *work = CONTAINER_OF(link, struct work, link);
        bool is_asked = work->state == WORK_ASKING && work->due_ns == 0;
        if (work_waits(work) && !is_asked) {
            work_give_back(work);
        } else if (work->state == WORK_RUNNING && run_state(work->run) == RUN_QUEUED) {
            work->fate = FATE_GIVEN_BACK;
            run_cancel(work->run, ending);
        }
    }
}

void fleet_worker_drain(struct fleet_worker *worker, uint64_t grace_ms,
                        void (*drained)(void *context), void *context)
{
    worker->drained = drained;
    worker->drained_context = context;
    if (!worker->draining) {
        worker->draining = true;
        worker->is_holding = true;
        amqp_hold(worker->amqp, true);
        give_back_unbegun(worker);
    }
    if (grace_ms > 0) {
        loop_timer_start(worker->grace, grace_ms);
    } else {
        loop_timer_stop(worker->grace);
        on_grace(worker);
    }
    loop_task_schedule(worker->empty);
}

/* --- the start --- */

struct fleet_worker *fleet_worker_new(const struct fleet_worker_config *config, struct err *err)
{
    if (amqp_check_url(config->broker, err) < 0 || redis_check_url(config->stream, err) < 0 ||
        amqp_load(err) < 0)
        return NULL;
    struct fleet_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        (void)err_sys(err, ENOMEM, "cannot make the worker");
        return NULL;
    }
    worker->config = *config;
    node_name(config->node_name, worker->name);
    list_init(&worker->works);
    list_init(&worker->gone);
    list_init(&worker->owed);
    worker->tick = loop_timer_new(config->loop, on_tick, worker);
    worker->leases = loop_timer_new(config->loop, on_leases, worker);
    worker->telling = loop_timer_new(config->loop, on_telling, worker);
    worker->patience = loop_timer_new(config->loop, on_impatient, worker);
    worker->grace = loop_timer_new(config->loop, on_grace, worker);
    worker->last = loop_timer_new(config->loop, on_last, worker);
    worker->empty = loop_task_new(config->loop, on_empty, worker);
    return worker;
}

struct recorder fleet_worker_recorder(struct fleet_worker *worker)
{
    return (struct recorder){worker_run_ended, worker};
}

int fleet_worker_start(struct fleet_worker *worker, struct engine *engine, struct err *err)
{
    worker->engine = engine;
    worker->is_patient = true;
    worker->is_holding = true;
    loop_timer_start(worker->patience, PATIENCE_MS);
    if (connect_stream(worker, err) < 0 || worker_join(worker, err) < 0 ||
        connect_broker(worker, err) < 0)
        return -1;
    loop_timer_start(worker->leases, LEASE_RENEW_MS);
    return 0;
}

void fleet_worker_free(struct fleet_worker *worker)
{
    if (!worker)
        return;
    amqp_free(worker->amqp, LINGER_MS);
    fleet_members_free(worker->members);
    redis_free(worker->redis);
    work_free_all(worker);
    worker_forget_owed(worker);
    loop_timer_free(worker->tick);
    loop_timer_free(worker->leases);
    loop_timer_free(worker->telling);
    loop_timer_free(worker->patience);
    loop_timer_free(worker->grace);
    loop_timer_free(worker->last);
    loop_task_free(worker->empty);
    free(worker);
}
