/* SPDX-License-Identifier: MIT */
/* tally.h — how often something was said, by its name. At most TALLY_NAMES of them:
 * a name that comes when all places are taken counts for the last, "other". */
#ifndef RUNNEL_OBSERVE_TALLY_H
#define RUNNEL_OBSERVE_TALLY_H

#include <stddef.h>
#include <stdint.h>

enum { TALLY_NAMES = 128 };

struct tally { /* zeroed: nothing yet */
    struct {
        const char *name; /* borrowed */
        uint64_t count;
    } rows[TALLY_NAMES];
    size_t len; /* rows that are used, in the order of their first time */
};

/* The name must live as long as the tally does. */
void tally_add(struct tally *tally, const char *name);
uint64_t tally_total(const struct tally *tally);

#endif
