/* SPDX-License-Identifier: MIT */
/* result_fields.h — how the figures of a result are named on every wire of ours. */
#ifndef RUNNEL_DIALECT_RESULT_FIELDS_H
#define RUNNEL_DIALECT_RESULT_FIELDS_H

struct json;
struct run;

/* "usage", "limits" (in the unit that a request gives them in; those that are
 * not limited are left out), "isolation" and "limits_hit", into an open object.
 * The run must have its result. */
void result_fields_write(struct json *json, const struct run *run, const char *isolation);

#endif
