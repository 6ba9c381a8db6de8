/* SPDX-License-Identifier: MIT */
/* verb_jobs.h — what the files of `runnel jobs` share: verb_jobs.c (the verb), and its
 * actions in verb_jobs_list.c, verb_jobs_show.c (cancel, too) and verb_jobs_dead.c. */
#ifndef RUNNEL_CLI_VERB_JOBS_H
#define RUNNEL_CLI_VERB_JOBS_H

#include "cli/fleet_link.h"
#include "codec/json_write.h"
#include "fleet/wire.h"

struct jobs_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    bool json;
    bool all;
};

/* Prints a whole text; -1 when it is not whole. */
int jobs_print(const struct buf *text, bool as_json, struct err *err);
/* "2026-01-02 03:04:05", of UTC. */
const char *jobs_format_time(char text[32], uint64_t unix_ms);

/* The attempt, as Redis has it: 0 when none began. */
uint64_t jobs_attempt(struct slice text);

/* Adds the reason of the job's end, as a line for people; false: Redis does not know it, or
 * not any more. */
bool jobs_add_reason(struct fleet_link *link, const char *id, struct buf *text);

/* id: the last operand; of those that name no job it is not looked at. */
typedef int jobs_action(struct fleet_link *link, const struct jobs_options *options, const char *id,
                        struct err *err);
jobs_action jobs_list;
jobs_action jobs_show;
jobs_action jobs_cancel;
jobs_action jobs_dead_list; /* this and the next two need the broker */
jobs_action jobs_dead_show;
jobs_action jobs_dead_replay;

#endif
