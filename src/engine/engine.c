/* SPDX-License-Identifier: MIT */
/* engine.c — submissions in, slots given out, finished runs kept for a while.
 *
 * Whatever calls out happens in on_dispatch, in this order: the observer hears
 * of new runs; those that left the queue are ended; free slots are given to the
 * first in the queue, as long as there is memory to promise it; a drain that is complete is
 * reported. Before it, those that ended and that nobody would look at are forgotten. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_private.h"

#define KEEP_BYTES_DEFAULT (256 * MIB)

void engine_observe(struct engine *engine, struct run *run)
{
    if (engine->config.observer && !run->carried.adopted)
        engine->config.observer(engine->config.observer_context, run);
}

void engine_announce(struct run *run)
{
    if (list_empty(&run->newcomer))
        return;
    list_remove(&run->newcomer);
    engine_observe(run->engine, run);
}

static void announce(struct engine *engine)
{
    while (!list_empty(&engine->newcomers))
        engine_announce(CONTAINER_OF(engine->newcomers.next, struct run, newcomer));
}

bool engine_has_memory(const struct engine *engine, const struct run *run)
{
    return run->memory_bytes <= engine->config.memory_bytes - engine->promised_bytes;
}

/* One that must wait for memory is not overtaken by a smaller one: it would wait for ever. */
static struct run *next_to_start(struct engine *engine)
{
    announce(engine); /* again, because an observer may submit */
    struct run *run =
        engine->active_count < engine->config.concurrency ? queue_first(&engine->queue) : NULL;
    return run && engine_has_memory(engine, run) ? run : NULL;
}

static void take_slot(struct engine *engine, struct run *run)
{
    queue_take(&engine->queue, run);
    list_append(&engine->active, &run->place);
    engine->active_count++;
    engine->active_in[run->lane]++;
    engine->promised_bytes += run->memory_bytes;
}

static void give_slot_back(struct engine *engine, const struct run *run)
{
    engine->active_count--;
    engine->active_in[run->lane]--;
    engine->promised_bytes -= run->memory_bytes;
    engine_note_slot_time(engine, run->lane, run->finished_ns - run->slot_ns);
}

static uint64_t kept_bytes(const struct run *run)
{
    return sizeof *run + run->note.room + output_log_memory(&run->log);
}

static void forget(struct engine *engine, struct run *run)
{
    engine->kept_bytes -= kept_bytes(run);
    list_remove(&run->place);
    run_table_remove(&engine->table, run);
    run->engine = NULL;
    if (list_empty(&run->log.cursors))
        run_free(run);
}

static void forget_unread(struct engine *engine)
{
    while (!list_empty(&engine->unread))
        forget(engine, CONTAINER_OF(engine->unread.next, struct run, place));
}

bool engine_is_idle(const struct engine *engine)
{
    return engine->active_count == 0 && engine->queue.len == 0 && list_empty(&engine->leaving) &&
           list_empty(&engine->unstarted) && list_empty(&engine->carried);
}

/* Their recorder may take its time: they are moved on first, not looked at twice. */
static void end_leaving(struct engine *engine)
{
    while (!list_empty(&engine->leaving)) {
        struct run *run = CONTAINER_OF(engine->leaving.next, struct run, place);
        list_remove(&run->place);
        list_append(&engine->unstarted, &run->place);
        run_finish_queued(run);
    }
}

static void on_dispatch(void *context)
{
    struct engine *engine = context;
    forget_unread(engine);
    announce(engine);
    end_leaving(engine);
    for (struct run *run; (run = next_to_start(engine)) != NULL;) {
        take_slot(engine, run);
        run_start(run);
    }
    carried_answer(engine);
    if (engine->draining && engine->drained && engine_is_idle(engine))
        take_ptr (&engine->drained)(engine->drained_context);
}

void engine_leave_queue(struct run *run)
{
    struct engine *engine = run->engine;
    run_clock_set(run, DEADLINE_NONE);
    queue_remove(&engine->queue, run);
    list_append(&engine->leaving, &run->place);
    loop_task_schedule(engine->dispatch);
}

void run_forget(struct run *run)
{
    if (run->engine && run->state == RUN_FINISHED)
        forget(run->engine, run);
}

void engine_forget_soon(struct run *run)
{
    list_remove(&run->place);
    list_append(&run->engine->unread, &run->place);
    loop_task_schedule(run->engine->dispatch);
}

static struct run *oldest_finished(const struct engine *engine)
{
    return list_empty(&engine->finished) ? NULL
                                         : CONTAINER_OF(engine->finished.next, struct run, place);
}

static void on_forget(void *context)
{
    struct engine *engine = context;
    uint64_t now_ns = loop_now_ns();
    for (struct run *run; (run = oldest_finished(engine)) != NULL;) {
        uint64_t age_ms = (now_ns - run->finished_ns) / NS_PER_MS;
        if (age_ms < engine->config.keep_ms) {
            loop_timer_start(engine->forget, engine->config.keep_ms - age_ms);
            return;
        }
        forget(engine, run);
    }
}

static void keep(struct engine *engine, struct run *run)
{
    engine->kept_bytes += kept_bytes(run);
    if (run->passing && list_empty(&run->log.cursors)) {
        engine_forget_soon(run);
        return;
    }
    if (list_empty(&engine->finished))
        loop_timer_start(engine->forget, engine->config.keep_ms);
    list_append(&engine->finished, &run->place);
    while (engine->kept_bytes > engine->config.keep_bytes && oldest_finished(engine) != run)
        forget(engine, oldest_finished(engine));
}

void engine_end_quota(const struct run *run, uint64_t run_ms)
{
    const struct quota *quota = &run->engine->config.quota;
    if (quota->end && !run->carried.adopted && !run->carried.resumed)
        quota->end(quota->context, run->owner, run_ms);
}

void engine_run_finished(struct engine *engine, struct run *run)
{
    list_remove(&run->place);
    engine_end_quota(run, run_usage_ms(&run->result.usage));
    if (run->slot_ns != 0)
        give_slot_back(engine, run);
    run_carried_count(run, NULL);
    keep(engine, run);
    loop_task_schedule(engine->dispatch);
    engine_observe(engine, run);
}

static void on_drain_grace(void *context)
{
    struct engine *engine = context;
    static const char why[] = "the server is shutting down";
    for (struct run *run; (run = queue_first(&engine->queue)) != NULL;)
        run_cancel(run, why);
    list_for_each (link, &engine->active)
        run_cancel(CONTAINER_OF(link, struct run, place), why);
    carried_drain(engine, why);
}

struct engine *engine_new(struct loop *loop, const struct engine_config *config,
                          struct executor *executor, struct err *err)
{
    if (config->concurrency == 0 && !config->carrier) {
        (void)err_set(err, ERR_CONFIG, "no run could ever start: concurrency is 0");
        return NULL;
    }
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine || run_table_init(&engine->table) < 0) {
        free(engine);
        (void)err_sys(err, ENOMEM, "cannot make the engine");
        return NULL;
    }
    engine->loop = loop;
    engine->config = *config;
    if (config->keep_bytes == 0)
        engine->config.keep_bytes = KEEP_BYTES_DEFAULT;
    engine->executor = executor;
    queue_init(&engine->queue, config->queue_length);
    list_init(&engine->newcomers);
    list_init(&engine->leaving);
    list_init(&engine->unstarted);
    list_init(&engine->active);
    list_init(&engine->finished);
    list_init(&engine->unread);
    list_init(&engine->carried);
    list_init(&engine->adopted);
    list_init(&engine->lookups);
    engine->dispatch = loop_task_new(loop, on_dispatch, engine);
    engine->forget = loop_timer_new(loop, on_forget, engine);
    engine->drain = loop_timer_new(loop, on_drain_grace, engine);
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    assert(engine_is_idle(engine));
    carried_fini(engine);
    forget_unread(engine);
    for (struct run *run; (run = oldest_finished(engine)) != NULL;)
        forget(engine, run);
    loop_task_free(engine->dispatch);
    loop_timer_free(engine->forget);
    loop_timer_free(engine->drain);
    run_table_fini(&engine->table);
    free(engine);
}

static int check_language(const struct engine *engine, const struct language *language,
                          struct err *err)
{
    const struct carrier *carrier = engine->config.carrier;
    if (carrier ? carrier->ops->has_language(carrier, language) : language->installed)
        return 0;
    if (carrier)
        return err_set(err, ERR_NOT_INSTALLED, "no worker that is there has %s", language->title);
    if (language->unavailable)
        return err_set(err, ERR_NOT_INSTALLED, "%s is not installed: %s", language->title,
                       language->unavailable);
    return err_set(err, ERR_NOT_INSTALLED, "%s is not installed; it needs: %s", language->title,
                   language->packages ? language->packages : language->requires);
}

struct limits engine_limits(const struct engine *engine, const struct run_spec *spec)
{
    return limits_resolve(spec->profile, &spec->language->minimum, &spec->limits,
                          &engine->config.ceiling);
}

struct run *engine_prepare(struct engine *engine, const struct run_spec *spec, struct err *err)
{
    struct run *run = NULL;
    if (engine->draining) {
        (void)err_set(err, ERR_SHUTTING_DOWN, "the server is shutting down");
        return NULL;
    }
    if (check_language(engine, spec->language, err) < 0 || run_new(engine, spec, &run, err) < 0)
        return NULL;
    const struct quota *quota = &engine->config.quota;
    size_t brought = run->plan.bytes + run->input.bytes.len + run->note.len;
    if (admission_check_bytes(run, brought, err) < 0 || run_carried_prepare(run, spec, err) < 0 ||
        (quota->begin && quota->begin(quota->context, spec, err) < 0)) {
        run_free(run);
        return NULL;
    }
    admission_hold_bytes(run, brought);
    return run;
}

int engine_start(struct run *run, struct err *err)
{
    struct engine *engine = run->engine;
    int rc = 0;
    if (engine->draining)
        rc = err_set(err, ERR_SHUTTING_DOWN, "the server is shutting down");
    else if (run->carried.is)
        rc = carried_send(run, err);
    else
        rc = admission_enter_queue(run, err);
    if (rc < 0) {
        engine_discard(run);
        return -1;
    }
    list_append(&engine->newcomers, &run->newcomer);
    run_table_add(&engine->table, run);
    run_clock_set(run, DEADLINE_QUEUE);
    loop_task_schedule(engine->dispatch);
    return 0;
}

void engine_discard(struct run *run)
{
    engine_end_quota(run, 0);
    run_free(run);
}

struct run *engine_submit(struct engine *engine, const struct run_spec *spec, struct err *err)
{
    struct run *run = engine_prepare(engine, spec, err);
    return run && engine_start(run, err) == 0 ? run : NULL;
}

struct run *engine_find(struct engine *engine, const char *id)
{
    return run_table_find(&engine->table, id);
}

void engine_drain(struct engine *engine, uint64_t grace_ms, void (*drained)(void *context),
                  void *context)
{
    engine->draining = true;
    engine->drained = drained;
    engine->drained_context = context;
    if (grace_ms > 0) {
        loop_timer_start(engine->drain, grace_ms);
    } else {
        loop_timer_stop(engine->drain);
        on_drain_grace(engine);
    }
    loop_task_schedule(engine->dispatch);
}

void engine_each(const struct engine *engine, void (*each)(void *context, struct run *run),
                 void *context)
{
    run_table_each(&engine->table, each, context);
}

size_t engine_running(const struct engine *engine)
{
    return engine->active_count + engine->carried_running;
}

size_t engine_queued(const struct engine *engine)
{
    return engine->queue.len + carried_queued(engine);
}

size_t engine_queued_in(const struct engine *engine, enum lane lane)
{
    return engine->queue.turns.len[lane] + engine->carried_queued[lane];
}

uint64_t engine_promised_bytes(const struct engine *engine)
{
    return engine->promised_bytes;
}

const char *engine_isolation(const struct engine *engine)
{
    const struct carrier *carrier = engine->config.carrier;
    return carrier ? carrier->ops->isolation(carrier) : executor_isolation(engine->executor);
}
