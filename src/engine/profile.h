/* SPDX-License-Identifier: MIT */
/* profile.h — default limits by kind of run, and how limits are merged.
 *
 * A profile is a row of the table in profile.c (the operator sees it in
 * docs/LIMITS.md). Compilation has limits of its own.
 */
#ifndef RUNNEL_ENGINE_PROFILE_H
#define RUNNEL_ENGINE_PROFILE_H

#include "base/err.h"
#include "base/limits.h"

enum profile {
    PROFILE_BATCH,         /* runnel run */
    PROFILE_LIVE,          /* runnel run -i, the page */
    PROFILE_EXECUTE,       /* POST /execute without input */
    PROFILE_EXECUTE_INPUT, /* POST /execute with input */
    PROFILE_RUNS,          /* POST /v1/runs that waits */
    PROFILE_SESSION,       /* POST /session */
    PROFILE_JOBS,          /* POST /api/execute */
    PROFILE_COMPILE,       /* every compile stage */
    PROFILE_COUNT
};

const char *profile_name(enum profile profile);
const struct limits *profile_limits(enum profile profile);

/* profile → raised to `minimum` (memory and processes of a runtime) → replaced
 * by `request` → cut by `ceiling`. Zero entries of the last three do nothing.
 * A limit that is 0 in the profile and in the request stays 0 (none), unless
 * the ceiling sets it. What the request does not ask for and belongs to another
 * limit follows that one: the size of a file the workspace, and cpu time the wall
 * clock where the profile says "as wall". Last, the workspace is cut to half the
 * memory limit, because its files are charged to it. */
struct limits limits_resolve(enum profile profile, const struct limits *minimum,
                             const struct limits *request, const struct limits *ceiling);

#endif
