/* SPDX-License-Identifier: MIT */
/* runs_resume.h — runs that a process before this one took, and whose ends the store has not:
 * where runs go to other machines they may go on there, and are followed again. Those of which
 * nobody knows any more are interrupted. */
#ifndef RUNNEL_DIALECT_RUNS_RESUME_H
#define RUNNEL_DIALECT_RUNS_RESUME_H

#include "base/err.h"

struct runs;

/* Before store_start, and before the engine's carrier connects. runs is borrowed until the
 * engine has ended. */
int runs_resume(struct runs *runs, struct err *err);

#endif
