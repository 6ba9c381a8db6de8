/* SPDX-License-Identifier: MIT */
#include "base/limits.h"

#include <errno.h>

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
