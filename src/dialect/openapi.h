/* SPDX-License-Identifier: MIT */
/* openapi.h — what the API is, for programs and for people, made of the tables that the
 * dialects keep beside their routes; and what says that there is one.
 *
 *     GET /openapi.json      OpenAPI 3.1
 *     GET /docs              the same as a page, with /docs/style.css
 *     GET /v1/health         {"status":"ok"}
 *     GET /v1/models         {"object":"list","data":[]}, also at /models
 *
 * None of them asks for a key. Files: openapi.c routes, openapi_check.c that no route is
 * without its row, openapi_document.c and openapi_page.c the two forms.
 */
#ifndef RUNNEL_DIALECT_OPENAPI_H
#define RUNNEL_DIALECT_OPENAPI_H

#include "dialect/request_operation.h"
#include "server/http.h"

#define OPENAPI_NAME "openapi"

struct openapi {
    const struct http_mount *mounts;
    size_t mount_count;
    const struct operation *const *tables; /* NULL-ended */
    const char *base_url;                  /* NULL: as the client calls us */
};

extern const struct http_route openapi_routes[];
extern const struct operation openapi_operations[];

/* Is every route below /v1 described by a row of a table, once, and every row a route's?
 * Our own mistake when not; err says whose. */
int openapi_check(const struct openapi *openapi, struct err *err);

#endif
