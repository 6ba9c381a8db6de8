/* SPDX-License-Identifier: MIT */
/* result_fields.h — how the figures of a result are named on every wire of ours. */
#ifndef RUNNEL_DIALECT_RESULT_FIELDS_H
#define RUNNEL_DIALECT_RESULT_FIELDS_H

#include <stdbool.h>

#include "dialect/request_schema.h"

struct json;
struct limit_hits;
struct limits;
struct run;
struct run_artifact;
struct run_usage;

/* "usage", "limits" (in the unit that a request gives them in; those that are
 * not limited are left out), "isolation" and "limits_hit", into an open object.
 * The run must have its result. */
void result_fields_write(struct json *json, const struct run *run, const char *isolation);
/* Each of them alone. */
void result_usage_write(struct json *json, const struct run_usage *usage);
/* keeps_artifacts: where they can be kept, 0 of them is a limit, too. */
void result_limits_write(struct json *json, const struct limits *limits, bool keeps_artifacts);
void result_hits_write(struct json *json, const struct limit_hits *hits);
/* "artifacts_refused", those that have a refusal, and "artifacts_unlisted". */
void result_refused_write(struct json *json, const struct run_artifact *artifacts, size_t count,
                          uint64_t unlisted);

/* What they look like. */
extern const struct schema result_usage_schema;
extern const struct schema result_hits_schema;

#endif
