/* SPDX-License-Identifier: MIT */
/* fake_loop.h — loop.h without descriptors, on a clock that tests move.
 * Work is done in its turn, on the one thread. */
#ifndef RUNNEL_TESTS_FAKE_LOOP_H
#define RUNNEL_TESTS_FAKE_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

/* Runs what is scheduled, until nothing is; the clock stands still. */
void fake_loop_settle(struct loop *loop);
/* Moves the clock, running each timer at its time. */
void fake_loop_advance(struct loop *loop, uint64_t ms);
size_t fake_loop_objects(const struct loop *loop); /* timers and tasks that live */

#endif
