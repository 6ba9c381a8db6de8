/* SPDX-License-Identifier: MIT */
/* follow.h — joins a run to the descriptors of a command: what it prints goes to
 * ours as it comes, what we are given goes to it, and a Ctrl-C ends it, or is a key
 * like any other where the program has our terminal.
 *
 * Back-pressure both ways: while our reader is slow we take no further event,
 * and while the program does not read we do not either.
 */
#ifndef RUNNEL_CLI_FOLLOW_H
#define RUNNEL_CLI_FOLLOW_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct loop;
struct run;

struct follow_spec {
    bool collect;  /* keep the output for a report in the end, as text */
    bool input;    /* pass our stdin on */
    bool terminal; /* ours is the program's, while it runs: the run has a tty */
};

struct follow_text { /* what was collected */
    struct buf out;
    struct buf err;
};

/* Runs the loop until the run has ended and all it said was passed on: 0. 1: its reader has gone,
 * which ended it. -1 also when our stdout does not take it. */
int follow_run(struct loop *loop, struct run *run, const struct follow_spec *spec,
               struct follow_text *text, struct err *err);

#endif
