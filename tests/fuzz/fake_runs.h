/* SPDX-License-Identifier: MIT */
/* fake_runs.h — the calls about runs and files of store.h, in memory: a few rows, and no file.
 * What is asked is answered by fake_runs_answer; keys are tests/unit/account/fake_store.h's. */
#ifndef RUNNEL_TESTS_FUZZ_FAKE_RUNS_H
#define RUNNEL_TESTS_FUZZ_FAKE_RUNS_H

#include <stdbool.h>

/* True when there was a question. */
bool fake_runs_answer(void);
void fake_runs_fill_disk(bool is_full); /* then nothing is taken */
void fake_runs_clear(void);             /* everything was answered */

#endif
