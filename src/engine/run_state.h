/* SPDX-License-Identifier: MIT */
/* run_state.h — the life of a run: one picture, one table, one function.
 *
 *  queued ─► preparing ─┬─► compiling ─┬─► running ◄─► waiting
 *     │          │      └──────────────┘      │           │
 *     │          │             │              │           │
 *     └──────────┴─────────────┴──────────────┴───────────┴──►  finished
 *
 * One arrow goes back: preparing, compiling or running → queued, for a batch
 * job that its broker delivers again.
 */
#ifndef RUNNEL_ENGINE_RUN_STATE_H
#define RUNNEL_ENGINE_RUN_STATE_H

#include <stdbool.h>

enum run_state {
    RUN_QUEUED,    /* waits for a slot */
    RUN_PREPARING, /* its workspace is made */
    RUN_COMPILING,
    RUN_RUNNING,
    RUN_WAITING,  /* the program is blocked reading its input */
    RUN_FINISHED, /* the verdict says why */
    RUN_STATE_COUNT
};

const char *run_state_name(enum run_state state);
bool run_state_may_move(enum run_state from, enum run_state to);
/* The only way to change a state; an undrawn arrow aborts. */
void run_state_move(enum run_state *state, enum run_state to);

#endif
