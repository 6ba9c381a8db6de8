/* SPDX-License-Identifier: MIT */
#include "engine/profile.h"

#include <assert.h>
#include <stdbool.h>

#include "base/util.h"

#define SECONDS(n) ((n)*1000ULL)
#define MINUTES(n) ((n)*60000ULL)

/* What every profile has, and why the ones are so that no service documents:
 * open files   far above what a program of one page holds, below what select() can
 * stack        a recursion some hundred thousand frames deep, as judges allow;
 *              only pages that are touched are charged to the memory limit
 * file size    the whole workspace (limits_resolve lets it follow): the disk is the limit */
/* clang-format off */
#define USUAL EVERY, \
    [LIMIT_CPUS] = 1000
#define EVERY \
    [LIMIT_OUTPUT] = MIB, \
    [LIMIT_INODES] = 4096, \
    [LIMIT_OPEN_FILES] = 256, \
    [LIMIT_ARTIFACT_FILES] = 10, \
    [LIMIT_ARTIFACT_BYTES] = 5 * MIB, \
    [LIMIT_STACK] = 64 * MIB

/* A box for a program, and one for a compiler: their memory, processes and disk. */
#define PROGRAM USUAL, \
    [LIMIT_MEMORY] = 256 * MIB, \
    [LIMIT_PROCESSES] = 64, \
    [LIMIT_WORKSPACE] = 64 * MIB, \
    [LIMIT_FILE_SIZE] = 64 * MIB
#define COMPILER USUAL, \
    [LIMIT_MEMORY] = 512 * MIB, \
    [LIMIT_PROCESSES] = 128, \
    [LIMIT_WORKSPACE] = 128 * MIB, \
    [LIMIT_FILE_SIZE] = 128 * MIB

/* As those services document it, but for what is the same as everywhere. */
#define SESSION EVERY, \
    [LIMIT_CPUS] = 500, \
    [LIMIT_IDLE] = SECONDS(30), \
    [LIMIT_MEMORY] = 200 * MIB, \
    [LIMIT_PROCESSES] = 64, \
    [LIMIT_WORKSPACE] = 32 * MIB, \
    [LIMIT_FILE_SIZE] = 32 * MIB

#define JOBS EVERY, \
    [LIMIT_CPUS] = 500, \
    [LIMIT_MEMORY] = 256 * MIB, \
    [LIMIT_PROCESSES] = 64, \
    [LIMIT_WORKSPACE] = 100 * MIB, \
    [LIMIT_FILE_SIZE] = 100 * MIB

#define TIMES(wall, queue) \
    [LIMIT_WALL] = (wall), [LIMIT_CPU_TIME] = (wall), [LIMIT_QUEUE] = (queue)

static const struct {
    const char *name;
    bool cpu_time_is_wall; /* follows it, unless the request asks for one */
    struct limits limits;
} profiles[] = {
    [PROFILE_BATCH]         = {"batch",              false, {{TIMES(SECONDS(10), MINUTES(1)), PROGRAM}}},
    [PROFILE_LIVE]          = {"live",               true,  {{TIMES(MINUTES(5),  MINUTES(1)), PROGRAM}}},
    [PROFILE_EXECUTE]       = {"execute",            true,  {{TIMES(SECONDS(10), MINUTES(1)), PROGRAM}}},
    [PROFILE_EXECUTE_INPUT] = {"execute with input", true,  {{TIMES(SECONDS(15), MINUTES(1)), PROGRAM}}},
    [PROFILE_RUNS]          = {"runs",               false, {{TIMES(SECONDS(5),  MINUTES(1)), PROGRAM}}},
    [PROFILE_SESSION]       = {"session",            true,  {{TIMES(MINUTES(2),  MINUTES(2)), SESSION}}},
    [PROFILE_JOBS]          = {"jobs",               true,  {{TIMES(SECONDS(30), MINUTES(10)), JOBS}}},
    [PROFILE_COMPILE]       = {"compile",            true,  {{TIMES(SECONDS(30), 0),          COMPILER}}},
};
/* clang-format on */
static_assert(ARRAY_LEN(profiles) == PROFILE_COUNT, "the last profile has no row");

const char *profile_name(enum profile profile)
{
    return profiles[profile].name;
}

const struct limits *profile_limits(enum profile profile)
{
    return &profiles[profile].limits;
}

static uint64_t resolve_one(uint64_t value, uint64_t minimum, uint64_t request)
{
    if (request != 0)
        return request;
    return value == 0 ? 0 : MAX(value, minimum);
}

static uint64_t cut(uint64_t value, uint64_t ceiling)
{
    return ceiling != 0 && (value == 0 || value > ceiling) ? ceiling : value;
}

struct limits limits_resolve(enum profile profile, const struct limits *minimum,
                             const struct limits *request, const struct limits *ceiling)
{
    struct limits result;
    for (int i = 0; i < LIMIT_KINDS; i++)
        result.value[i] =
            resolve_one(profiles[profile].limits.value[i], minimum->value[i], request->value[i]);

    /* Followers: what nobody asked for goes with the limit that it belongs to. */
    if (profiles[profile].cpu_time_is_wall && request->value[LIMIT_CPU_TIME] == 0)
        result.value[LIMIT_CPU_TIME] = result.value[LIMIT_WALL];
    if (request->value[LIMIT_FILE_SIZE] == 0)
        result.value[LIMIT_FILE_SIZE] = result.value[LIMIT_WORKSPACE];

    for (int i = 0; i < LIMIT_KINDS; i++)
        result.value[i] = cut(result.value[i], ceiling->value[i]);

    /* Files in a tmpfs are charged to the run's memory. Past half of it a full
     * disk would be an out-of-memory kill instead of an ENOSPC. */
    result.value[LIMIT_WORKSPACE] =
        cut(result.value[LIMIT_WORKSPACE], result.value[LIMIT_MEMORY] / 2);
    result.value[LIMIT_FILE_SIZE] =
        cut(result.value[LIMIT_FILE_SIZE], result.value[LIMIT_WORKSPACE]);
    return result;
}
