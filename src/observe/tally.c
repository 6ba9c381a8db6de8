/* SPDX-License-Identifier: MIT */
#include "observe/tally.h"

#include <string.h>

static size_t find_row(const struct tally *tally, const char *name)
{
    size_t i = 0;
    while (i < tally->len && strcmp(tally->rows[i].name, name) != 0)
        i++;
    return i;
}

void tally_add(struct tally *tally, const char *name)
{
    size_t row = find_row(tally, name);
    if (row >= TALLY_NAMES - 1) {
        name = "other";
        row = TALLY_NAMES - 1;
    }
    if (row == tally->len) {
        tally->rows[row].name = name;
        tally->len++;
    }
    tally->rows[row].count++;
}

uint64_t tally_total(const struct tally *tally)
{
    uint64_t total = 0;
    for (size_t i = 0; i < tally->len; i++)
        total += tally->rows[i].count;
    return total;
}
