/* SPDX-License-Identifier: MIT */
/* runs_operations.h — what the routes of runs.h take and answer. */
#ifndef RUNNEL_DIALECT_RUNS_OPERATIONS_H
#define RUNNEL_DIALECT_RUNS_OPERATIONS_H

#include "dialect/request_operation.h"

extern const struct operation runs_operations[];

/* runs_list.c, runs_languages.c */
extern const struct schema runs_list_schema;
extern const struct schema_field runs_list_query[];
extern const struct schema runs_languages_schema;

#endif
