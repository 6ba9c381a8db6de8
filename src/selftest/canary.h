/* SPDX-License-Identifier: MIT */
/* canary.h — what of this host no program may find: files, a variable and sockets of
 * ours, with a secret that may show nowhere.
 *
 * Made before the spawner starts, because the variable is inherited. Files are planted
 * where we may write, and removed by canaries_free. */
#ifndef RUNNEL_SELFTEST_CANARY_H
#define RUNNEL_SELFTEST_CANARY_H

#include "base/err.h"
#include "selftest/corpus.h"
#include "selftest/judge.h"

struct canaries;

struct canaries *canaries_new(struct err *err);
void canaries_free(struct canaries *canaries);

const char *canaries_secret(const struct canaries *canaries);
/* CANARY and CANARY_TMP (files), PORT, SOCKET, ABSTRACT. NULL-ended. */
const struct corpus_value *canaries_values(const struct canaries *canaries);
/* All files; NULL-ended. */
const char *const *canaries_files(const struct canaries *canaries);

/* A file that was touched, a connection that came in. Told once. */
void canaries_look(struct canaries *canaries, struct complaints *complaints);

#endif
