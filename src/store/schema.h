/* SPDX-License-Identifier: MIT */
/* schema.h — the tables, as numbered steps from an empty file to what this
 * version knows. A step that was published is never changed: what comes next is
 * a further step.
 */
#ifndef RUNNEL_STORE_SCHEMA_H
#define RUNNEL_STORE_SCHEMA_H

#include <stddef.h>

#include "base/err.h"

struct database;

struct schema {
    const char *const *steps; /* the first makes version 1 of nothing */
    size_t version;           /* their count */
};

const struct schema *schema_current(void);
/* Takes the database to the schema's version, a transaction a step. ERR_CONFIG when it is
 * newer than that, or not ours. */
int schema_migrate(struct database *db, const struct schema *schema, struct err *err);
/* 1: the database has this version, 0: another. */
int schema_is(struct database *db, const struct schema *schema, struct err *err);

#endif
