/* SPDX-License-Identifier: MIT */
/* versions.h — asks the installed toolchains for their versions, each in a box:
 * what they print decides nothing, but they are programs like any other. */
#ifndef RUNNEL_CLI_VERSIONS_H
#define RUNNEL_CLI_VERSIONS_H

#include "base/err.h"

struct catalogue;
struct executor;
struct limits;
struct loop;

struct versions;

/* Asks from the loop. The boxes come on top of those of runs. What is passed in is
 * borrowed until versions_free. */
struct versions *versions_start(struct loop *loop, struct executor *executor,
                                struct catalogue *catalogue, const struct limits *ceiling,
                                unsigned at_once, struct err *err);
/* When all have answered or were given up on. */
void versions_on_done(struct versions *versions, void (*done)(void *context), void *context);
void versions_free(struct versions *versions); /* kills those that have not answered */

/* Runs the loop until all have answered or were given up on. */
int versions_find(struct loop *loop, struct executor *executor, struct catalogue *catalogue,
                  const struct limits *ceiling, unsigned at_once, struct err *err);

#endif
