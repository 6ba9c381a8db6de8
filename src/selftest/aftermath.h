/* SPDX-License-Identifier: MIT */
/* aftermath.h — what rows leave behind: processes and cgroups.
 *
 * Every box is a child of the spawner, so there may be as many as runs are in boxes;
 * and what outlives its parents becomes a child of ours, because we adopt orphans.
 * Others' files and mounts come and go on a machine in use, so they are not counted:
 * boxes have no way to make any, which is what the rows try. */
#ifndef RUNNEL_SELFTEST_AFTERMATH_H
#define RUNNEL_SELFTEST_AFTERMATH_H

#include <sys/types.h>

#include "selftest/judge.h"

struct aftermath {
    pid_t spawner;
};

/* When the spawner is our only child. */
void aftermath_begin(struct aftermath *aftermath);
/* What is there beside `live` boxes. Teardown may lag some milliseconds: who asks, asks
 * again before believing it. */
void aftermath_look(const struct aftermath *aftermath, size_t live, struct complaints *complaints);
/* When the spawner has ended; waits a little before complaining. */
void aftermath_final(const struct aftermath *aftermath, struct complaints *complaints);

enum { AFTERMATH_GRACE_MS = 3000, AFTERMATH_AGAIN_MS = 50 };

#endif
