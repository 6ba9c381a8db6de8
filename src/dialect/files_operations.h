/* SPDX-License-Identifier: MIT */
/* files_operations.h — what the routes of files.h take and answer. */
#ifndef RUNNEL_DIALECT_FILES_OPERATIONS_H
#define RUNNEL_DIALECT_FILES_OPERATIONS_H

#include "dialect/request_operation.h"

extern const struct operation files_operations[];

/* files.c, files_upload.c */
extern const struct schema files_list_schema;
extern const struct schema files_form_schema;
extern const struct schema files_uploaded_schema;

#endif
