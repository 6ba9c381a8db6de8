/* SPDX-License-Identifier: MIT */
/* judge.h — does what came of a run meet what its row expects? The same questions
 * as tests/sandbox/judge.py asks, of the engine's own result. */
#ifndef RUNNEL_SELFTEST_JUDGE_H
#define RUNNEL_SELFTEST_JUDGE_H

#include "base/buf.h"
#include "selftest/corpus.h"

struct run_result;

/* Sentences, a line each: "verdict: expected timeout, seen succeeded (…)". */
struct complaints {
    struct buf text;
    size_t count;
    bool escaped; /* one of them says that the program got where it must not */
    bool late;    /* one of them is of time, which a busy machine may lack */
    /* Of one outcome: limits (a bit for each) that would explain them all, were they lower
     * than the row has them. 0: nothing does. */
    unsigned suspects;
};

void complaints_init(struct complaints *complaints);
void complaints_fini(struct complaints *complaints);
void complaints_add(struct complaints *complaints, const char *format, ...) PRINTF_LIKE(2, 3);
void complaints_take(struct complaints *to, const struct complaints *from);

struct outcome {
    const struct run_result *result; /* NULL: the run was refused */
    const char *refusal;             /* why */
    struct slice out;
    struct slice err;
    struct slice input;   /* what it was given */
    const char *argument; /* the word of `each`; NULL */
    const char *secret;   /* of the canaries; "" when there is none */
};

/* Adds every way in which the outcome differs from what the row expects. */
void judge(const struct corpus_row *row, const struct outcome *outcome,
           struct complaints *complaints);

/* For tests of the corpus: is it something that we can judge? */
bool judge_knows_fact(const char *fact);
bool judge_knows_pattern(const char *text);

#endif
