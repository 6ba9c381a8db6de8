/* SPDX-License-Identifier: MIT */
/* runs_recorder.h — a run's way from the engine into the store, before anybody is told
 * that it has ended: what it printed, its artifacts one after the other, its end. */
#ifndef RUNNEL_DIALECT_RUNS_RECORDER_H
#define RUNNEL_DIALECT_RUNS_RECORDER_H

#include "engine/engine.h"

struct runs;
struct runs_recorder;

/* Borrows runs. NULL when memory is short. */
struct runs_recorder *runs_recorder_new(struct runs *runs);
/* Before the store is freed: a last try of what it could not take. */
void runs_recorder_hurry(struct runs_recorder *recorder);
/* The engine has ended, and the store is freed. */
void runs_recorder_free(struct runs_recorder *recorder);

/* The engine's; context is the recorder. */
void runs_recorder_ended(void *context, struct run *run, const struct run_result *result,
                         struct run_artifact *artifacts, size_t artifact_count);

#endif
