/* SPDX-License-Identifier: MIT */
/* selftest_private.h — what selftest.c (which row is next) and row_work.c (the life of one)
 * share. */
#ifndef RUNNEL_SELFTEST_SELFTEST_PRIVATE_H
#define RUNNEL_SELFTEST_SELFTEST_PRIVATE_H

#include "loop/loop.h"
#include "selftest/aftermath.h"
#include "selftest/selftest.h"
#include "selftest/trial.h"

enum { ENDING_SIGNALS = 3 };

enum phase { PHASE_ROW, PHASE_ORDINARY, PHASE_LOOK };

struct row_work { /* on one row */
    struct selftest *selftest;
    struct row_result *result; /* NULL: no row */
    const struct language *language;
    enum phase phase;
    size_t variant; /* of `each` */
    size_t turn;    /* of a pair, one after the other */
    struct trial trials[SELFTEST_RUNS_A_ROW];
    size_t trial_count;
    struct complaints complaints;
    unsigned cut;    /* limits that the ceiling makes lower, a bit for each */
    unsigned blamed; /* those of them that explain complaints */
    size_t excused;  /* complaints that they explain */
    uint64_t began_ns;
    uint64_t look_until_ns;
    struct loop_timer *again;
    struct loop_task *step;
};

struct selftest {
    struct selftest_spec spec;
    struct row_result *results;
    size_t count;
    size_t done;
    struct row_work *works; /* spec.at_once of them */
    bool alone;             /* the second half: one row at a time */
    bool interrupted;
    struct loop_task *start; /* rows in free places */
    struct aftermath aftermath;
    struct complaints left;
    uint64_t began_ns;
    uint64_t ended_ns;
    struct loop_signal *signals[ENDING_SIGNALS];
};

void row_work_init(struct row_work *work, struct selftest *selftest);
void row_work_fini(struct row_work *work);
/* Schedules selftest->start at its end, when work->result is NULL again. */
void row_work_begin(struct row_work *work, struct row_result *result);
void row_work_cancel(struct row_work *work);

#endif
