/* SPDX-License-Identifier: MIT */
#include "base/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"
#include "base/util.h"

static const struct limit_info infos[] = {
#define X(id, json, option, unit, scale, smallest, largest, help) \
    [id] = {json, option, unit, scale, smallest, largest, help},
    LIMIT_TABLE(X)
#undef X
};

const struct limit_info *limit_info(enum limit limit)
{
    return &infos[limit];
}

int limit_parse(enum limit limit, const char *text, uint64_t *ret_value)
{
    static int (*const parsers[])(const char *, uint64_t *) = {
        [LIMIT_MS] = parse_duration_ms,
        [LIMIT_MILLI] = parse_milli,
        [LIMIT_BYTES] = parse_bytes,
        [LIMIT_COUNT_OF] = parse_u64,
    };
    const struct limit_info *info = &infos[limit];
    uint64_t value = 0;
    int rc = parsers[info->unit](text, &value);
    if (rc < 0)
        return rc;
    if (value < info->smallest || value > info->largest)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

const char *limit_format(enum limit_unit unit, uint64_t value, char *text, size_t size)
{
    switch (unit) {
    case LIMIT_MS:
        return format_duration(text, size, value);
    case LIMIT_BYTES:
        return format_bytes(text, size, value);
    case LIMIT_MILLI:
        (void)snprintf(text, size, "%g", (double)value / 1000);
        break;
    case LIMIT_COUNT_OF:
        (void)snprintf(text, size, "%" PRIu64, value);
        break;
    }
    return text;
}

const char *limit_describe(enum limit_unit unit, uint64_t smallest, uint64_t largest, char *text,
                           size_t size)
{
    static const struct {
        const char *what;
        const char *examples;
    } words[] = {
        [LIMIT_MS] = {"time", ", as in 500ms, 10s or 5m"},
        [LIMIT_MILLI] = {"number", ", as in 0.5"},
        [LIMIT_BYTES] = {"size", ", as in 512K, 64M or 1G"},
        [LIMIT_COUNT_OF] = {"whole number", ""},
    };
    char from[32];
    char to[32];
    (void)snprintf(text, size, "a %s from %s to %s%s", words[unit].what,
                   limit_format(unit, smallest, from, sizeof from),
                   limit_format(unit, largest, to, sizeof to), words[unit].examples);
    return text;
}
