/* SPDX-License-Identifier: MIT */
#include "engine/run_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

#define TO(state) (1U << (state))

static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [RUN_QUEUED] = {"queued", TO(RUN_PREPARING) | TO(RUN_FINISHED)},
    [RUN_PREPARING] = {"preparing",
                       TO(RUN_COMPILING) | TO(RUN_RUNNING) | TO(RUN_FINISHED) | TO(RUN_QUEUED)},
    [RUN_COMPILING] = {"compiling", TO(RUN_RUNNING) | TO(RUN_FINISHED) | TO(RUN_QUEUED)},
    [RUN_RUNNING] = {"running", TO(RUN_WAITING) | TO(RUN_FINISHED) | TO(RUN_QUEUED)},
    [RUN_WAITING] = {"waiting", TO(RUN_RUNNING) | TO(RUN_FINISHED)},
    [RUN_FINISHED] = {"finished", 0},
};
static_assert(ARRAY_LEN(states) == RUN_STATE_COUNT, "the last run state has no row");

const char *run_state_name(enum run_state state)
{
    return states[state].name;
}

bool run_state_may_move(enum run_state from, enum run_state to)
{
    return (states[from].next & TO(to)) != 0;
}

void run_state_move(enum run_state *state, enum run_state to)
{
    if (!run_state_may_move(*state, to)) {
        (void)fprintf(stderr, "a run may not go from %s to %s\n", states[*state].name,
                      states[to].name);
        abort();
    }
    *state = to;
}
