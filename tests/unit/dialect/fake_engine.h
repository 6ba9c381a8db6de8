/* SPDX-License-Identifier: MIT */
/* fake_engine.h — an engine and a catalogue that run nothing: the source of a
 * run is a little script, a line a command, played on the loop.
 *
 *     out TEXT      a line of output        err TEXT   the same on stderr
 *     cat           the input, as output    wait MS    lets time pass
 *     bytes N       N zero bytes of output  hang       until it is cancelled
 *     end VERDICT CODE SIGNAL               the end; else "end succeeded 0 0"
 *
 * Languages: python (installed), octave (not installed).
 */
#ifndef RUNNEL_TESTS_FAKE_ENGINE_H
#define RUNNEL_TESTS_FAKE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

struct engine {
    struct loop *loop;
    bool full;           /* the queue takes nothing */
    size_t running;      /* runs that have not ended */
    size_t cancelled;    /* runs that were cancelled before their end */
    struct limits asked; /* by the last run */
    enum profile profile;
    char args[256]; /* of the last run, joined by blanks */
};

#endif
