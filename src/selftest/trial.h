/* SPDX-License-Identifier: MIT */
/* trial.h — one run of a row: submitted, read to its end, and held until it was judged. */
#ifndef RUNNEL_SELFTEST_TRIAL_H
#define RUNNEL_SELFTEST_TRIAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "selftest/canary.h"
#include "selftest/judge.h"

struct engine;
struct language;
struct loop;
struct loop_task;
struct loop_timer;
struct reader;
struct run;

struct trial_host {
    struct loop *loop;
    struct engine *engine;
    struct canaries *canaries; /* NULL: none */
    struct loop_task *ended; /* scheduled when a trial is over, also when it was refused at once */
};

/* Borrowed until the trial is over. */
struct trial_case {
    const struct corpus_row *row;
    const struct language *language;
    const char *argument; /* NULL: none */
    const char *role;     /* a last argument; NULL: none */
};

struct trial {
    const struct corpus_row *row;
    const char *argument;
    const char *secret;
    struct run *run; /* NULL: it was refused */
    struct reader *reader;
    struct loop_timer *guard;
    struct loop_task *ended; /* scheduled at the end */
    bool over;
    unsigned attempt;
    struct buf input;
    struct buf out;
    struct buf err;
    struct err refusal;
};

/* -1 when it could not be tried at all. */
int trial_start(struct trial *trial, const struct trial_host *host, const struct trial_case *tried,
                struct err *err);
void trial_cancel(struct trial *trial);
/* When it is over. */
void trial_judge(const struct trial *trial, struct complaints *complaints);
const char *trial_verdict(const struct trial *trial); /* "refused", too */
void trial_fini(struct trial *trial);                 /* one of zeros is allowed */

/* What a row asks for; ERR_INVALID names what cannot be read. */
int trial_limits(const struct corpus_row *row, struct limits *ret_limits, struct err *err);

#endif
