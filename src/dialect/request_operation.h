/* SPDX-License-Identifier: MIT */
/* request_operation.h — what a route takes and answers, as data. A dialect has a table of
 * these beside its table of routes, and the dialect "openapi" makes /openapi.json and
 * /docs of them. What the route itself says (who may, whether there is a body) is not
 * said again here.
 */
#ifndef RUNNEL_DIALECT_REQUEST_OPERATION_H
#define RUNNEL_DIALECT_REQUEST_OPERATION_H

#include "dialect/request_schema.h"

/* The tags, in the order of the page. openapi.c has their words. */
enum operation_tag {
    OPERATION_EXECUTION,
    OPERATION_EVENTS,
    OPERATION_FILES,
    OPERATION_ACCESS,
    OPERATION_SYSTEM,
    OPERATION_TAG_COUNT
};

/* One that is no Error. */
struct operation_answer {
    int status; /* 0 ends the list */
    const char *help;
    const struct schema *schema; /* NULL: none, or its type says it */
    const char *content_type;    /* NULL: JSON, when there is a schema */
    const struct schema *item;   /* of a stream: what each of its messages is */
};

enum { OPERATION_ANSWERS_MAX = 4, OPERATION_ERRORS_MAX = 6 };

struct operation {
    const char *method; /* of the route; NULL ends the table */
    const char *path;   /* "/v1/runs/:id" */
    const char *id;     /* "execute_code": clients that are generated call it so */
    const char *summary;
    const char *help;         /* NULL, or sentences */
    const char *capture_help; /* of what stands for :id */
    const struct schema_field *query;
    const struct schema_field *headers;
    const struct schema *body;
    const char *body_type; /* NULL: JSON */
    const char *example;   /* what stands behind `curl -s URL`; NULL: nothing */
    struct operation_answer answers[OPERATION_ANSWERS_MAX];
    enum operation_tag tag;
    int errors[OPERATION_ERRORS_MAX]; /* statuses, besides those that the route itself implies */
    bool body_optional;
    bool key_optional; /* an open route, on which a key changes the answer */
};

/* {"error", …}: of every refusal. */
extern const struct schema request_error_schema;

#endif
