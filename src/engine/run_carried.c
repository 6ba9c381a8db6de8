/* SPDX-License-Identifier: MIT */
/* run_carried.c — a run that another machine carries out. Its limits are watched there,
 * and its result is made there; here are its log, its readers and its end.
 *
 * It ends here by itself only when nobody else can be waited for: it was not taken, its
 * time in the queue is up, a cancel was not answered, or there is no memory for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_private.h"

/* Readers have taken so much more before the carrier is told again. */
enum { TAKEN_STEP_BYTES = 64 * 1024 };
/* A far side that minds what it is told sends 1 MiB ahead, which is no more than this even
 * when every byte is an event; what one that does not mind sends is not held. */
#define HELD_MAX (16 * MIB)

int run_carried_prepare(struct run *run, const struct run_spec *spec, struct err *err)
{
    struct carrier *carrier = run->engine->config.carrier;
    if (!run->carried.is)
        return 0;
    run->carried.cargo = carrier->ops->prepare(carrier, run, spec, err);
    return run->carried.cargo ? 0 : -1;
}

void run_carried_start(struct run *run)
{
    run->log.held_max = MAX(run->log.cap, HELD_MAX);
    /* The carrier has what is to be sent. */
    run_plan_fini(&run->plan);
    buf_fini(&run->input.bytes);
}

void run_carried_count(struct run *run, size_t *counter)
{
    struct run_carried *carried = &run->carried;
    if (carried->adopted)
        return;
    if (carried->counter)
        --*carried->counter;
    carried->counter = counter;
    if (counter)
        ++*counter;
}

void run_carried_free(struct run *run)
{
    struct cargo *cargo = take_ptr(&run->carried.cargo);
    if (cargo)
        cargo->ops->free(cargo);
}

void run_carried_taken(struct run *run)
{
    struct run_carried *carried = &run->carried;
    if (!carried->cargo || !run->log.ring || run->ending)
        return;
    /* Not all that is unread came as output: then a little less is said. */
    uint64_t unread = output_log_unread_bytes(&run->log);
    uint64_t taken = carried->output_bytes - MIN(unread, carried->output_bytes);
    if (taken < carried->taken_bytes + TAKEN_STEP_BYTES)
        return;
    carried->taken_bytes = taken;
    carried->cargo->ops->taken(carried->cargo, taken);
}

/* --- its end, from here --- */

static void end_here(struct run *run)
{
    engine_announce(run);
    if (run->state == RUN_QUEUED)
        run_finish_queued(run);
    else
        run_finish(run);
}

static void give_up(struct run *run, const char *why)
{
    run->carried.cargo->ops->cancel(run->carried.cargo, why);
    run_blame_us(run, why);
    end_here(run);
}

void run_carried_cancel(struct run *run, const char *why)
{
    /* A slow reader must not hold the end back. */
    output_log_overwrite(&run->log);
    run_carried_taken(run);
    run_clock_set(run, DEADLINE_CANCEL);
    run->carried.cargo->ops->cancel(run->carried.cargo, why);
}

bool run_carried_may_have_begun(const struct run *run)
{
    const struct cargo *cargo = run->carried.cargo;
    return run->carried.is && cargo->ops->may_have_begun(cargo);
}

void run_carried_waited(struct run *run)
{
    run->carried.cargo->ops->cancel(run->carried.cargo, "it waited too long");
    end_here(run);
}

void run_carried_unanswered(struct run *run)
{
    if (run->state != RUN_QUEUED)
        run_blame_us(run, "the machine that carries it out did not end it");
    end_here(run);
}

/* --- what comes back --- */

/* False: nobody is to be told anything of it any more. */
static bool is_open(struct run *run)
{
    if (!run->ending)
        engine_announce(run); /* it may be faster than our next turn */
    return !run->ending;
}

void run_carried_at(struct run *run, uint64_t time_ms)
{
    run->carried.happened_ms = time_ms;
}

/* Clocks of two machines are never quite the same, and times of a log rise. */
static uint64_t log_time(struct run *run)
{
    struct run_carried *carried = &run->carried;
    uint64_t now_ms = run_time_ms(run);
    uint64_t time_ms = carried->happened_ms > 0 ? carried->happened_ms : now_ms;
    carried->logged_ms = MIN(MAX(time_ms, carried->logged_ms), now_ms);
    return carried->logged_ms;
}

/* Whatever comes of it says so as well. */
static void accept(struct run *run)
{
    if (run->carried.accepted)
        return;
    run->carried.accepted = true;
    admission_release_bytes(run); /* they are with whoever took it */
    output_log_add_state(&run->log, RUN_QUEUED, log_time(run));
    run_tell_readers(run);
}

void run_carried_accepted(struct run *run)
{
    if (is_open(run))
        accept(run);
}

void run_carried_refused(struct run *run, const char *why)
{
    if (!is_open(run) || run->carried.accepted)
        return;
    if (!run->facts.cancelled)
        run_blame_us(run, why);
    end_here(run);
}

static void leave_queue(struct run *run)
{
    run_carried_count(run, &run->engine->carried_running);
    run_clock_set(run, run->facts.cancelled ? DEADLINE_CANCEL : DEADLINE_NONE);
}

static void step(struct run *run, enum run_state state)
{
    bool leaves_queue = run->state == RUN_QUEUED;
    bool is_turn = state == RUN_WAITING || run->state == RUN_WAITING;
    run_state_move(&run->state, state);
    if (leaves_queue)
        leave_queue(run);
    output_log_add_state(&run->log, state, log_time(run));
    run_tell_readers(run);
    if (!is_turn)
        engine_observe(run->engine, run);
}

/* What was not heard of the way to a state is made up. */
static enum run_state next_on_the_way(enum run_state from, enum run_state to)
{
    if (run_state_may_move(from, to))
        return to;
    return from == RUN_QUEUED ? RUN_PREPARING : RUN_RUNNING;
}

void run_carried_state(struct run *run, enum run_state state)
{
    if (!is_open(run))
        return;
    accept(run);
    bool follows = state > run->state || run_state_may_move(run->state, state);
    if (state == RUN_QUEUED || state == RUN_FINISHED || !follows)
        return;
    /* Turns are many: they must leave the room that the run's end needs. */
    if (state == RUN_WAITING && output_log_reserve(&run->log) < 0)
        return;
    while (run->state != state)
        step(run, next_on_the_way(run->state, state));
}

void run_carried_worker(struct run *run, const char *name)
{
    struct run_carried *carried = &run->carried;
    if (!is_open(run) || (carried->worker && strcmp(carried->worker, name) == 0))
        return;
    char *copy = strdup(name);
    if (!copy)
        return; /* it is told of people only */
    free(carried->worker);
    carried->worker = copy;
}

/* Notices are bounded where they are made, and here once more: that is another machine. */
static struct slice cut_notice(struct run *run, struct slice bytes)
{
    uint64_t cap = run_stage_output_cap(run);
    uint64_t room = cap - MIN(run->carried.notice_bytes, cap);
    bytes.len = (size_t)MIN(bytes.len, room);
    run->carried.notice_bytes += bytes.len;
    return bytes;
}

void run_carried_output(struct run *run, enum event_kind kind, struct slice bytes)
{
    if (!is_open(run))
        return;
    if (run->state == RUN_QUEUED)
        run_carried_state(run, RUN_PREPARING);
    run->carried.output_bytes += bytes.len;
    if (kind == EVENT_NOTICE)
        bytes = cut_notice(run, bytes);
    int rc = output_log_add(&run->log, kind, bytes, log_time(run));
    output_log_seal(&run->log);
    run_tell_readers(run);
    if (rc < 0)
        give_up(run, "no memory for the output");
    else
        run_carried_taken(run);
}

void run_carried_usage(struct run *run, uint64_t cpu_ms, uint64_t memory_bytes)
{
    struct log_usage now = {cpu_ms, memory_bytes};
    if (!is_open(run) || !run->log.ring || run->state == RUN_QUEUED)
        return;
    if (output_log_add(&run->log, EVENT_USAGE, (struct slice){(const char *)&now, sizeof now},
                       log_time(run)) == 0)
        run_tell_readers(run);
}

void run_carried_gap(struct run *run, uint64_t bytes)
{
    if (!is_open(run))
        return;
    accept(run);
    run->carried.output_bytes += bytes;
    output_log_add_gap(&run->log, bytes, log_time(run));
    run_tell_readers(run);
    run_carried_taken(run);
}

void run_carried_again(struct run *run, unsigned attempt)
{
    struct run_carried *carried = &run->carried;
    if (!is_open(run) || attempt <= run->log.attempt)
        return;
    accept(run);
    if (run->state == RUN_WAITING)
        step(run, RUN_RUNNING);
    bool goes_back = run->state != RUN_QUEUED;
    if (goes_back)
        run_state_move(&run->state, RUN_QUEUED);
    carried->output_bytes = 0;
    carried->notice_bytes = 0;
    carried->taken_bytes = 0;
    run_carried_count(run, &run->engine->carried_queued[run->lane]);
    output_log_add_attempt(&run->log, attempt, log_time(run));
    run_tell_readers(run);
    if (!run->facts.cancelled && !carried->adopted)
        run_clock_set(run, DEADLINE_QUEUE);
    if (goes_back)
        engine_observe(run->engine, run);
}

void run_carried_ended(struct run *run, const struct run_result *result,
                       const struct run_artifact *artifacts, size_t artifact_count)
{
    if (!is_open(run))
        return;
    accept(run);
    run_finish_as_told(run, result, artifacts, artifact_count);
}
