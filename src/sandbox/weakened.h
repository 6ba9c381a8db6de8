/* SPDX-License-Identifier: MIT */
/* weakened.h — the one place where a spawner of the tests differs from the real one.
 *
 * That a layer is needed shows when it is missing. tests/layers builds a spawner of
 * these sources with WEAKENED defined, in which steps can be left out by their names.
 * It is never installed. In the real one the answer is a constant: the compiler
 * leaves nothing of the question (tests/layers/run.py looks).
 */
#ifndef RUNNEL_SANDBOX_WEAKENED_H
#define RUNNEL_SANDBOX_WEAKENED_H

#include <stdbool.h>

#ifdef WEAKENED
bool step_is_on(const char *name); /* tests/layers/weakened.c */
#else
static inline bool step_is_on(const char *name)
{
    (void)name;
    return true;
}
#endif

#endif
