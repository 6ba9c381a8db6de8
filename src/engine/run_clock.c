/* SPDX-License-Identifier: MIT */
/* run_clock.c — the deadlines of a run. Each that passes sets a fact and kills
 * the stage; what had ended by itself at that moment is not asked again. */
#include <unistd.h>

#include "engine/engine_private.h"

enum {
    /* An executor that does not answer for so long is lost; its slot is not. */
    START_MAX_MS = 30 * 1000,
    KILL_MAX_MS = 30 * 1000,
    /* … and a far side: of a run that has no box yet, or when we end, less is enough. */
    CANCEL_MAX_MS = 30 * 1000,
    CANCEL_SOON_MS = 5 * 1000,
    /* What may run unheard: it may begin twice, and its end needs its way. */
    UNHEARD_TIMES = 2,
    UNHEARD_MS = 60 * 1000,
    CPU_SAMPLE_MIN_MS = 10,
};

static const struct limits *stage_limits(const struct run *run)
{
    return run->facts.in_compile_stage ? &run->compile_limits : &run->limits;
}

static void wait_is_over(struct run *run)
{
    run->facts.queue_deadline_passed = true;
    if (run->carried.is)
        run_carried_waited(run);
    else
        engine_leave_queue(run);
}

static void on_deadline(void *context)
{
    struct run *run = context;
    enum run_deadline passed = run->clock.deadline_of;
    run->clock.deadline_of = DEADLINE_NONE;
    switch (passed) {
    case DEADLINE_QUEUE:
        if (run_carried_may_have_begun(run))
            run_clock_set(run, DEADLINE_UNHEARD);
        else
            wait_is_over(run);
        return;
    case DEADLINE_UNHEARD:
        wait_is_over(run);
        return;
    case DEADLINE_START:
        run_fail(run, "the box was not ready in time");
        return;
    case DEADLINE_WALL:
        run->facts.wall_limit_passed = true;
        run_kill(run);
        return;
    case DEADLINE_KILL:
        run_fail(run, "the box did not end when it was killed");
        return;
    case DEADLINE_COLLECT:
        run_collected(run);
        return;
    case DEADLINE_CANCEL:
        run_carried_unanswered(run);
        return;
    case DEADLINE_NONE:
        return;
    }
}

static uint64_t unheard_ms(const struct run *run)
{
    const char *const *const *compile = run->language->compile;
    uint64_t attempt_ms = run->limits.value[LIMIT_WALL];
    for (size_t i = 0; compile && compile[i]; i++)
        attempt_ms += run->compile_limits.value[LIMIT_WALL];
    return UNHEARD_TIMES * attempt_ms + UNHEARD_MS;
}

static uint64_t deadline_ms(const struct run *run, enum run_deadline deadline)
{
    switch (deadline) {
    case DEADLINE_QUEUE:
        return run->limits.value[LIMIT_QUEUE];
    case DEADLINE_UNHEARD:
        return unheard_ms(run);
    case DEADLINE_START:
        return START_MAX_MS;
    case DEADLINE_WALL:
        return stage_limits(run)->value[LIMIT_WALL];
    case DEADLINE_KILL:
        return KILL_MAX_MS;
    case DEADLINE_COLLECT:
        return START_MAX_MS;
    case DEADLINE_CANCEL:
        return run->state == RUN_QUEUED || run->engine->draining ? CANCEL_SOON_MS : CANCEL_MAX_MS;
    case DEADLINE_NONE:
        break;
    }
    return 0;
}

void run_clock_set(struct run *run, enum run_deadline deadline)
{
    struct run_clock *clock = &run->clock;
    uint64_t ms = deadline_ms(run, deadline);
    if (!clock->deadline)
        clock->deadline = loop_timer_new(run->engine->loop, on_deadline, run);
    clock->deadline_of = ms > 0 ? deadline : DEADLINE_NONE;
    if (ms > 0)
        loop_timer_start(clock->deadline, ms);
    else
        loop_timer_stop(clock->deadline);
}

/* Output and input only note the time; the timer looks how long ago that was
 * when it fires, which is cheaper than winding it up for every byte. */
static void on_idle(void *context)
{
    struct run *run = context;
    uint64_t limit_ms = run->limits.value[LIMIT_IDLE];
    uint64_t quiet_ms = (loop_now_ns() - run->clock.active_ns) / NS_PER_MS;
    if (quiet_ms < limit_ms) {
        loop_timer_start(run->clock.idle, limit_ms - quiet_ms);
        return;
    }
    run->facts.idle_limit_passed = true;
    run_kill(run);
}

static void start_idle(struct run *run)
{
    run->clock.active_ns = loop_now_ns();
    if (run->limits.value[LIMIT_IDLE] == 0 || run->facts.in_compile_stage)
        return;
    if (!run->clock.idle)
        run->clock.idle = loop_timer_new(run->engine->loop, on_idle, run);
    loop_timer_start(run->clock.idle, run->limits.value[LIMIT_IDLE]);
}

void run_clock_active(struct run *run)
{
    run->clock.active_ns = loop_now_ns();
    run_waiting_over(run);
    run_waiting_active(run);
}

void run_clock_paused(struct run *run)
{
    if (!run->started || run->killed)
        return;
    if (!run->paused)
        start_idle(run);
    else if (run->clock.idle)
        loop_timer_stop(run->clock.idle);
}

static void on_cpu(void *context)
{
    struct run *run = context;
    run->stage->executor->ops->stage_sample(run->stage);
}

/* The next sample: no sooner than the rest of the budget could be used up. */
static void wait_for_cpu(struct run *run, uint64_t left_ns)
{
    uint64_t milli_cpus = stage_limits(run)->value[LIMIT_CPUS];
    if (milli_cpus == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        milli_cpus = online > 0 ? (uint64_t)online * 1000 : 1000;
    }
    uint64_t ms = left_ns / NS_PER_MS * 1000 / milli_cpus;
    if (!run->clock.cpu)
        run->clock.cpu = loop_timer_new(run->engine->loop, on_cpu, run);
    loop_timer_start(run->clock.cpu, MAX(ms, (uint64_t)CPU_SAMPLE_MIN_MS));
}

void run_clock_sampled(struct run *run, uint64_t cpu_ns)
{
    uint64_t limit_ns = stage_limits(run)->value[LIMIT_CPU_TIME] * NS_PER_MS;
    if (limit_ns == 0 || run->killed)
        return;
    if (cpu_ns <= limit_ns) {
        wait_for_cpu(run, limit_ns - cpu_ns);
        return;
    }
    run->facts.cpu_limit_passed = true;
    run_kill(run);
}

void run_clock_start_stage(struct run *run)
{
    run_clock_set(run, DEADLINE_WALL);
    run_clock_sampled(run, 0);
    start_idle(run);
    if (run->paused)
        run_clock_paused(run);
}

void run_clock_stop_stage(struct run *run)
{
    run_clock_set(run, DEADLINE_NONE);
    if (run->clock.idle)
        loop_timer_stop(run->clock.idle);
    if (run->clock.cpu)
        loop_timer_stop(run->clock.cpu);
}

static void on_unattended(void *context)
{
    struct run *run = context;
    if (run->carried.adopted) {
        carried_let_go(run);
        return;
    }
    if (run->ends_unattended) {
        run_cancel(run, "its last client left");
        return;
    }
    output_log_release(&run->log);
    run_update_pause(run);
}

/* Until then a ring is held for the reader that may come back. */
void run_clock_unattended(struct run *run, bool unattended)
{
    bool matters = run->log.ring || run->ends_unattended || run->carried.adopted;
    if (!matters || run->ending)
        return;
    if (!run->clock.unattended)
        run->clock.unattended = loop_timer_new(run->engine->loop, on_unattended, run);
    if (unattended)
        loop_timer_start(run->clock.unattended, run->unattended_ms);
    else
        loop_timer_stop(run->clock.unattended);
}

void run_clock_free(struct run *run)
{
    loop_timer_free(run->clock.deadline);
    loop_timer_free(run->clock.idle);
    loop_timer_free(run->clock.cpu);
    loop_timer_free(run->clock.unattended);
    run->clock = (struct run_clock){0};
}
