/* SPDX-License-Identifier: MIT */
/* verb_jobs.h — what the files of `runnel jobs` share: verb_jobs.c (the verb, list, show
 * and cancel), verb_jobs_dead.c. */
#ifndef RUNNEL_CLI_VERB_JOBS_H
#define RUNNEL_CLI_VERB_JOBS_H

#include "cli/fleet_link.h"
#include "cli/words.h"
#include "codec/json_write.h"
#include "fleet/wire.h"

struct jobs_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    bool json;
    bool all;
};

/* Prints what is there and ends with -1 when it is not whole. */
int jobs_print(const struct buf *text, bool as_json, struct err *err);
/* "2026-01-02 03:04:05", of UTC. */
const char *jobs_format_time(char text[32], uint64_t unix_ms);

int jobs_dead_list(struct fleet_link *link, const struct jobs_options *options, struct err *err);
int jobs_dead_show(struct fleet_link *link, const struct jobs_options *options, const char *id,
                   struct err *err);
int jobs_dead_replay(struct fleet_link *link, const struct jobs_options *options, const char *id,
                     struct err *err);

#endif
