/* SPDX-License-Identifier: MIT */
/* openapi_write.h — the two forms of the description, and what both need. */
#ifndef RUNNEL_DIALECT_OPENAPI_WRITE_H
#define RUNNEL_DIALECT_OPENAPI_WRITE_H

#include "dialect/openapi.h"

#define OPENAPI_TITLE "Code Executor API"

enum { OPENAPI_SCHEMAS_MAX = 64, OPENAPI_STATUSES_MAX = 16 };

struct openapi_tag {
    const char *name;
    const char *help;
};
extern const struct openapi_tag openapi_tags[OPERATION_TAG_COUNT];

/* With /docs and openapi.json: server is "http://localhost:8080". */
void openapi_write_document(struct buf *buf, const struct openapi *openapi, const char *server);
void openapi_write_page(struct buf *buf, const struct openapi *openapi, const char *server);

/* The route that an operation describes; NULL: none. */
const struct http_route *openapi_route(const struct openapi *openapi,
                                       const struct operation *operation);
/* Its refusals: those that its row names and those that its route implies, in order;
 * ended by 0. */
void openapi_errors(const struct operation *operation, const struct http_route *route,
                    int statuses[OPENAPI_STATUSES_MAX]);
/* Every schema with a name, once, those that others refer to included; ended by NULL. */
void openapi_schemas(const struct openapi *openapi, const struct schema *found[]);
/* What an error's status means, in a few words. */
const char *openapi_status_text(int status);
/* "`run`", of the one scope that a route asks for; NULL: of none. */
const char *openapi_scope(const struct http_route *route);

#endif
