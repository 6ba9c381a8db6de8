/* SPDX-License-Identifier: MIT */
/* run_waiting.c — does the program wait for its input? A state for people,
 * never a fact of a verdict.
 *
 * The executor is asked when nothing has been written or read for QUIET_MS, and
 * only while the answer matters: somebody reads the run, and its input is open.
 * While the answer is no the questions become rare; output and input make them
 * frequent again, and end the waiting at once. A program that waits is asked
 * about now and then too: it may go on by itself, which two answers must say. */
#include "engine/engine_private.h"

enum { QUIET_MS = 30, PAUSE_MAX_MS = 1000 };

static bool is_worth_asking(const struct run *run)
{
    return run->stage && run->started && !run->killed && !run->facts.in_compile_stage &&
           !run->input.closed && !list_empty(&run->log.cursors);
}

/* Readers see it; the observer, who may do anything, does not: this can be
 * inside of a call that caused it. */
static void turn_to(struct run *run, enum run_state state)
{
    run_state_move(&run->state, state);
    output_log_add_state(&run->log, state, run_time_ms(run));
    run_tell_readers(run);
}

/* Turns are many: they must leave the room that the run's end needs. */
static void set_waiting(struct run *run)
{
    if (run->state == RUN_RUNNING && output_log_reserve(&run->log) == 0)
        turn_to(run, RUN_WAITING);
}

void run_waiting_over(struct run *run)
{
    if (run->state == RUN_WAITING)
        turn_to(run, RUN_RUNNING);
}

void run_waiting_probed(struct run *run, bool waiting)
{
    struct run_waiting *state = &run->waiting;
    state->asked = false;
    if (state->outdated) {
        run_waiting_active(run);
        return;
    }
    if (!is_worth_asking(run))
        return;
    if (waiting) {
        set_waiting(run);
        state->pause_ms = PAUSE_MAX_MS;
    } else if (run->state == RUN_WAITING && state->pause_ms == PAUSE_MAX_MS) {
        state->pause_ms = QUIET_MS; /* a runtime has threads of its own that run for a moment */
    } else {
        run_waiting_over(run);
        state->pause_ms = MIN(state->pause_ms * 2, (uint64_t)PAUSE_MAX_MS);
    }
    loop_timer_start(state->timer, state->pause_ms);
}

static void on_timer(void *context)
{
    struct run *run = context;
    struct run_waiting *state = &run->waiting;
    uint64_t quiet_ms = (loop_now_ns() - run->clock.active_ns) / NS_PER_MS;
    state->soon = false;
    if (!is_worth_asking(run))
        return;
    if (quiet_ms < QUIET_MS) {
        state->soon = true;
        loop_timer_start(state->timer, QUIET_MS - quiet_ms);
        return;
    }
    if (state->asked)
        return; /* the answer sets the timer */
    state->outdated = false;
    state->asked = true;
    /* Held by us, it is not known what it would do. */
    if (run->paused || !run->stage->executor->ops->stage_probe(run->stage))
        run_waiting_probed(run, false);
}

void run_waiting_active(struct run *run)
{
    struct run_waiting *state = &run->waiting;
    state->outdated = true;
    if (state->soon || !is_worth_asking(run))
        return;
    if (!state->timer)
        state->timer = loop_timer_new(run->engine->loop, on_timer, run);
    state->soon = true;
    state->pause_ms = QUIET_MS;
    loop_timer_start(state->timer, QUIET_MS);
}

void run_waiting_start(struct run *run)
{
    run->waiting.soon = false;
    run->waiting.asked = false;
    run_waiting_active(run);
}

void run_waiting_free(struct run *run)
{
    loop_timer_free(run->waiting.timer);
    run->waiting = (struct run_waiting){0};
}
