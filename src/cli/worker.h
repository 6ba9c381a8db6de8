/* SPDX-License-Identifier: MIT */
/* worker.h — `runnel worker`, from the spawner's report to the end. */
#ifndef RUNNEL_CLI_WORKER_H
#define RUNNEL_CLI_WORKER_H

#include "cli/wiring.h"

/* ERR_CONFIG when it is not said where jobs come from. */
int worker_check(const struct config *config, struct err *err);
/* Works until it is told to stop. Returns the exit status, or -1. */
int worker(struct wiring *wiring, int socket, struct err *err);

#endif
