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

/* Runs the loop until all have answered or were given up on. */
int versions_find(struct loop *loop, struct executor *executor, struct catalogue *catalogue,
                  const struct limits *ceiling, unsigned at_once, struct err *err);

#endif
