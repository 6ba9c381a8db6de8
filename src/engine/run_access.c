/* SPDX-License-Identifier: MIT */
/* run_access.c — what others may see of a run, and do to it. */
#include "engine/engine_private.h"

const char *run_id(const struct run *run)
{
    return run->id;
}

uint64_t run_owner(const struct run *run)
{
    return run->owner;
}

struct slice run_note(const struct run *run)
{
    return (struct slice){buf_text(&run->note), run->note.len};
}

bool run_is_recorded(const struct run *run)
{
    return run->recorded;
}

enum run_state run_state(const struct run *run)
{
    return run->state;
}

const struct language *run_language(const struct run *run)
{
    return run->language;
}

const struct limits *run_limits(const struct run *run)
{
    return &run->limits;
}

const struct run_result *run_result(const struct run *run)
{
    return run->state == RUN_FINISHED ? &run->result : NULL;
}

uint64_t run_next_event(const struct run *run)
{
    return run->log.next_number;
}

unsigned run_attempt(const struct run *run)
{
    return run->log.attempt;
}

const char *run_worker_name(const struct run *run)
{
    return run->carried.worker;
}

size_t run_queue_position(const struct run *run)
{
    const struct cargo *cargo = run->carried.cargo;
    if (run->carried.is)
        return cargo && run->state == RUN_QUEUED ? cargo->ops->position(cargo) : 0;
    return run->in_queue ? queue_place(&run->engine->queue, run).position : 0;
}

enum lane run_lane(const struct run *run)
{
    return run->lane;
}

void run_signal(struct run *run, int signal)
{
    if (signal <= 0 || signal > SIGNALS_MAX || run->ending)
        return;
    if (run->carried.is) {
        run->carried.cargo->ops->signal(run->carried.cargo, signal);
        return;
    }
    run->signals |= UINT64_C(1) << (signal - 1);
    if (run_is_executing(run) && run->started)
        run_send_signals(run);
}

void run_send_signals(struct run *run)
{
    for (int signal = 1; signal <= SIGNALS_MAX; signal++) {
        if (run->signals & UINT64_C(1) << (signal - 1))
            run->stage->executor->ops->stage_signal(run->stage, signal);
    }
    run->signals = 0;
}

void run_resize(struct run *run, unsigned columns, unsigned rows)
{
    run->columns = columns; /* for a terminal that is not there yet */
    run->rows = rows;
    if (run->carried.is && run->tty && !run->ending)
        run->carried.cargo->ops->resize(run->carried.cargo, columns, rows);
    if (run->tty && run_is_executing(run))
        run->stage->executor->ops->stage_resize(run->stage, columns, rows);
}

void run_cancel(struct run *run, const char *why)
{
    if (run->ending || run->facts.cancelled)
        return;
    run->facts.cancelled = true;
    if (run->why[0] == '\0')
        run_set_why(run, why);
    if (run->carried.is)
        run_carried_cancel(run, why);
    else if (run->state != RUN_QUEUED)
        run_kill(run); /* between two stages there is none: run_start looks */
    else if (!run->facts.queue_deadline_passed) /* else it is on its way out already */
        engine_leave_queue(run);
}
