/* SPDX-License-Identifier: MIT */
/* serve.h — the front of `runnel serve`, from the spawner's report to the end. */
#ifndef RUNNEL_CLI_SERVE_H
#define RUNNEL_CLI_SERVE_H

#include "cli/listeners.h"
#include "cli/wiring.h"

/* Names that --listen ADDR:PORT=NAME may say; NULL-ended. */
extern const char *const serve_dialects[];

/* Serves until it is told to stop. Returns the exit status, or -1. */
int serve(struct wiring *wiring, int socket, const struct listeners *listeners, struct err *err);

#endif
