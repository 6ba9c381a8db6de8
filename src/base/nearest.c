/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <string.h>

#include "base/util.h"

/* Longer words are no typing slips of our names. */
enum { LONGEST = 63 };

/* Insertions, deletions, replacements and swaps of neighbours between a and b. */
static size_t slips(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replace = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(replace, MIN(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_len];
}

struct nearest nearest_to(const char *word)
{
    /* A third of the word may be wrong, and at least one letter, but not all of it. */
    size_t len = strlen(word);
    return nearest_within(word, len < 2 ? 0 : MAX(len / 3, 1U));
}

struct nearest nearest_within(const char *word, size_t most)
{
    return (struct nearest){.word = word, .distance = most == 0 ? 0 : most + 1};
}

bool nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t word_len = strlen(nearest->word);
    size_t len = strlen(candidate);
    if (word_len > LONGEST || len > LONGEST)
        return false;
    size_t distance = slips(nearest->word, word_len, candidate, len);
    if (distance >= nearest->distance)
        return false;
    nearest->distance = distance;
    nearest->best = candidate;
    return true;
}
