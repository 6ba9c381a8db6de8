/* SPDX-License-Identifier: MIT */
/* weakened.c — which steps the tests' spawner leaves out: WEAKENED_STEPS in its
 * environment, their names between semicolons, one before and one behind too. */
#include "sandbox/weakened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between clone and exec, too: allocates nothing. */
bool step_is_on(const char *name)
{
    char wanted[64];
    const char *off = getenv("WEAKENED_STEPS");
    (void)snprintf(wanted, sizeof wanted, ";%s;", name);
    return !off || !strstr(off, wanted);
}
