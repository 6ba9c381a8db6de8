/* SPDX-License-Identifier: MIT */
/* nearest.h — "did you mean …": the word of a set that is fewest typing slips away.
 *
 *     struct nearest nearest = nearest_to("pyhton");
 *     nearest_offer(&nearest, "python");              for every word there is
 *     if (nearest.best) …                             NULL: none is near
 */
#ifndef RUNNEL_BASE_NEAREST_H
#define RUNNEL_BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

struct nearest {
    const char *word;
    const char *best;
    size_t distance; /* of best; only smaller ones replace it */
};

struct nearest nearest_to(const char *word);
/* The same for names of which much is alike: no more slips than `most`. */
struct nearest nearest_within(const char *word, size_t most);
/* True: it is the nearest of those that were offered so far. It is borrowed. */
bool nearest_offer(struct nearest *nearest, const char *candidate);

#endif
