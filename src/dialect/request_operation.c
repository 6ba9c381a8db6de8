/* SPDX-License-Identifier: MIT */
#include "dialect/request_operation.h"

#include "base/err.h"

static const char *const codes[] = {
#define X(code, name, http, exit_status) name,
    ERR_TABLE(X)
#undef X
        NULL,
};

/* clang-format off */
static const struct schema_field error_fields[] = {
    {"error", SCHEMA_TEXT, .required = true, .help = "what is wrong, in one sentence for people"},
    {"code",  SCHEMA_TEXT, .choices = codes, .help = "the same for programs"},
    {"field", SCHEMA_TEXT, .help = "the field, parameter or header that it speaks of"},
    {"data",  SCHEMA_NOTHING, .help = "for clients that look for it"},
    {NULL},
};
/* clang-format on */

const struct schema request_error_schema = {"Error", error_fields, "Why a request was refused."};
