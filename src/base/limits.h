/* SPDX-License-Identifier: MIT */
/* limits.h — every limit of a run is one row, and a set of them is one array.
 *
 * Order of force (engine/profile.h applies it): the profile's value; raised to
 * what the language's runtime needs; replaced by what the request asks; cut by
 * the operator's ceiling. 0 means "not set" while they are merged, and "no
 * limit" in the result, except where a row's smallest value forbids it.
 *
 * A new limit is a new row here, and the place that enforces it.
 */
#ifndef RUNNEL_BASE_LIMITS_H
#define RUNNEL_BASE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum limit_unit { LIMIT_MS, LIMIT_MILLI, LIMIT_BYTES, LIMIT_COUNT_OF };

/* JSON number × scale = stored value. Stored: ms, thousandths of a CPU, bytes, counts. */
/* clang-format off */
/*    id                      JSON name             option and key      unit            scale smallest  largest      what it bounds */
#define LIMIT_TABLE(X) \
    X(LIMIT_WALL,             "timeout_ms",         "timeout",          LIMIT_MS,       1,    1,        86400000,    "wall clock time of a stage") \
    X(LIMIT_IDLE,             "idle_timeout_ms",    "idle-timeout",     LIMIT_MS,       1,    1,        86400000,    "time without output or accepted input") \
    X(LIMIT_QUEUE,            "queue_timeout_ms",   "queue-timeout",    LIMIT_MS,       1,    1,        86400000,    "time a run may wait for a free slot") \
    X(LIMIT_CPU_TIME,         "cpu_ms",             "cpu-time",         LIMIT_MS,       1,    1,        86400000,    "cpu time of all processes together") \
    X(LIMIT_CPUS,             "cpus",               "cpus",             LIMIT_MILLI,    1000, 10,       1024000,     "share of the processors") \
    X(LIMIT_MEMORY,           "memory_mb",          "memory",           LIMIT_BYTES,    MIB,  4 * MIB,  1024 * GIB,  "memory of all processes together") \
    X(LIMIT_PROCESSES,        "processes",          "processes",        LIMIT_COUNT_OF, 1,    1,        32768,       "processes and threads") \
    X(LIMIT_OUTPUT,           "max_output_bytes",   "max-output",       LIMIT_BYTES,    1,    1,        GIB,         "bytes of each output stream") \
    X(LIMIT_WORKSPACE,        "workspace_mb",       "workspace",        LIMIT_BYTES,    MIB,  64 * KIB, 64 * GIB,    "bytes in the workspace") \
    X(LIMIT_INODES,           "workspace_inodes",   "inodes",           LIMIT_COUNT_OF, 1,    16,       1048576,     "files in the workspace") \
    X(LIMIT_FILE_SIZE,        "max_file_mb",        "max-file",         LIMIT_BYTES,    MIB,  64 * KIB, 64 * GIB,    "bytes of one file") \
    X(LIMIT_OPEN_FILES,       "open_files",         "open-files",       LIMIT_COUNT_OF, 1,    16,       65536,       "open descriptors of a process") \
    X(LIMIT_STACK,            "stack_mb",           "stack",            LIMIT_BYTES,    MIB,  64 * KIB, 4 * GIB,     "stack of the first thread") \
    X(LIMIT_ARTIFACT_FILES,   "max_artifact_files", "artifact-files",   LIMIT_COUNT_OF, 1,    1,        4096,        "files that are kept of a run's outputs/") \
    X(LIMIT_ARTIFACT_BYTES,   "max_artifact_bytes", "artifact-bytes",   LIMIT_BYTES,    1,    1,        4 * GIB,     "bytes of them together")
/* clang-format on */

enum limit {
#define X(id, json, option, unit, scale, smallest, largest, help) id,
    LIMIT_TABLE(X)
#undef X
        LIMIT_KINDS
};

/* Of a language: eight that compile, and the program itself; each is a stage, and gets a
 * box of its own in the run's workspace. */
enum { COMMANDS_MAX = 9 };

struct limits {
    uint64_t value[LIMIT_KINDS];
};

struct limit_info {
    const char *json_name;
    const char *option;
    enum limit_unit unit;
    uint64_t scale; /* JSON number × scale = stored value */
    uint64_t smallest;
    uint64_t largest;
    const char *help;
};

const struct limit_info *limit_info(enum limit limit);

/* Parses `text` by the limit's unit ("64M", "2s", "0.5", "100"), for options
 * and config keys. 0, -EINVAL or -ERANGE (outside smallest … largest). */
int limit_parse(enum limit limit, const char *text, uint64_t *ret_value);

/* "10 s", "0.5", "64 MiB", "100". Both return text. */
const char *limit_format(enum limit_unit unit, uint64_t value, char *text, size_t size);
/* "a time from 1 ms to 24 h, as in 500ms, 10s or 5m": what limit_parse takes. */
const char *limit_describe(enum limit_unit unit, uint64_t smallest, uint64_t largest, char *text,
                           size_t size);

#endif
