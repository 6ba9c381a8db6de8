/* SPDX-License-Identifier: MIT */
/* access_operations.h — what the routes of access.h take and answer. */
#ifndef RUNNEL_DIALECT_ACCESS_OPERATIONS_H
#define RUNNEL_DIALECT_ACCESS_OPERATIONS_H

#include "dialect/request_operation.h"

extern const struct operation access_operations[];

/* access.c, access_keys.c */
extern const struct schema access_login_schema;
extern const struct schema access_ticket_schema;
extern const struct schema access_me_schema;
extern const struct schema access_key_schema; /* a key that is wanted */
extern const struct schema access_new_key_schema;
extern const struct schema access_keys_schema;

extern const char *const access_scopes[]; /* their names */

#endif
