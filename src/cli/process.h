/* SPDX-License-Identifier: MIT */
/* process.h — what the verbs that stay (`serve`, `worker`) have in common: two lives, of
 * which the first becomes the spawner and the second, started by it, does the work without
 * its rights; a log of lines on stderr; an end when the spawner ends. */
#ifndef RUNNEL_CLI_PROCESS_H
#define RUNNEL_CLI_PROCESS_H

#include "cli/wiring.h"

/* The first life, with argv[0] the verb: does not return but on failure. */
int process_become_spawner(struct wiring *wiring, int argc, char **argv, struct err *err);

/* The second: log lines go to stderr, from the configured level on. */
void process_open_log(const struct config *config);
/* For wiring.on_lost. Every box died with the spawner, and nothing of ours is left that the
 * kernel does not clear away; who started the spawner starts all of it again. */
void process_spawner_lost(void *context);
/* Of a run that has finished: one line, and another when it was our fault. */
void process_log_run(const struct run *run);
/* On stdout, for the person who started us: "languages: …", "not installed: …", "isolation: …" */
void process_print_means(const struct wiring *wiring);

#endif
