/* SPDX-License-Identifier: MIT */
/* stats_operations.h — what /v1/stats answers. */
#ifndef RUNNEL_DIALECT_STATS_OPERATIONS_H
#define RUNNEL_DIALECT_STATS_OPERATIONS_H

#include "dialect/request_operation.h"

extern const struct operation stats_operations[];

#endif
