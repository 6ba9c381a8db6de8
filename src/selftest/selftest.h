/* SPDX-License-Identifier: MIT */
/* selftest.h — runs the attack corpus through an engine that is there already, and
 * judges each row.
 *
 *     selftest = selftest_new(&spec, err);   which rows; what cannot be run is skipped now
 *     selftest_run(selftest);                runs the loop until all have ended
 *     …the engine and the spawner are taken down…
 *     selftest_finish(selftest);             is anything left?
 *     selftest_print(selftest, …);           selftest/report.h
 *     selftest_free(selftest);
 *
 * A row goes the way of `runnel run`: the profile `batch`, the row's limits as the
 * request's, the operator's ceilings last. After each row an ordinary run must be
 * ordinary, the canaries untouched, and nothing left; while others run at the same
 * time, nothing beside them. */
#ifndef RUNNEL_SELFTEST_SELFTEST_H
#define RUNNEL_SELFTEST_SELFTEST_H

#include "base/err.h"
#include "base/limits.h"
#include "language/language.h"
#include "sandbox/layers.h"
#include "selftest/canary.h"
#include "selftest/corpus.h"

struct engine;
struct loop;
struct selftest;

enum row_state {
    ROW_WAITS,
    ROW_HELD,
    ROW_DID_NOT_HOLD,
    ROW_UNDECIDED, /* it ended otherwise than it must, and a ceiling explains it */
    ROW_SKIPPED,
    ROW_NOT_RUN
};

struct row_result {
    const struct corpus_row *row;
    enum row_state state;
    char *reason; /* owned: why it was skipped or undecided; what did not hold, a line each */
    const char *verdict; /* of its last run; NULL */
    uint64_t ms;
    unsigned tries; /* 2: it was too slow once, and was tried again when nothing else ran */
};

struct selftest_spec { /* borrowed until selftest_free, but for the loop and the engine */
    const struct corpus_row *rows; /* corpus_rows; tests have their own */
    const char *only;              /* words; NULL: all rows */
    bool quick;
    struct loop *loop;
    struct engine *engine;
    const struct catalogue *catalogue; /* with corpus_languages */
    const struct layer_report *layers;
    struct limits ceiling;
    struct canaries *canaries;
    unsigned at_once;
    /* A row has ended; may be NULL. */
    void (*progress)(void *context, size_t done, size_t all, const struct row_result *result);
    void *context;
};

struct selftest *selftest_new(const struct selftest_spec *spec, struct err *err);
void selftest_run(struct selftest *selftest);
void selftest_finish(struct selftest *selftest);
void selftest_free(struct selftest *selftest);

size_t selftest_count(const struct selftest *selftest);
const struct row_result *selftest_at(const struct selftest *selftest, size_t index);
/* What was left in the end, a line each; "" when nothing was. */
const char *selftest_left(const struct selftest *selftest);
uint64_t selftest_ms(const struct selftest *selftest);

/* Rows in this state; of one layer (the first that stops the row), or of all: NULL. */
size_t selftest_tally(const struct selftest *selftest, const char *layer, enum row_state state);

/* 0: all that could be run held, or is undecided; 1: something did not; 2: nothing could be run, or
 * it was interrupted. */
int selftest_exit_status(const struct selftest *selftest);

enum { SELFTEST_RUNS_A_ROW = 2 }; /* at once; the engine needs as many slots for each */

#endif
