/* SPDX-License-Identifier: MIT */
/* router.h — from method and path to a row of a dialect's table.
 *
 * The mount that the listener names is asked first, then all in their order;
 * within a table the first row that fits wins. HEAD is served by GET's rows,
 * and one slash at a path's end does not matter.
 */
#ifndef RUNNEL_SERVER_ROUTER_H
#define RUNNEL_SERVER_ROUTER_H

#include <stdbool.h>

#include "server/http.h"

enum { ROUTE_CAPTURES_MAX = 4 };

struct route_capture {
    struct slice name;  /* of the pattern, without its colon */
    struct slice value; /* of the path */
};

struct route_match {
    const struct http_route *route; /* NULL: none */
    const char *mount;              /* its name */
    void *context;                  /* the mount's */
    size_t capture_count;
    struct route_capture captures[ROUTE_CAPTURES_MAX];
};

struct route_match route_find(const struct http_config *config, const char *dialect,
                              const char *method, const char *path);
/* A row of the named dialect for what no other row of any table takes: its path is "*". */
struct route_match route_find_rest(const struct http_config *config, const char *dialect,
                                   const char *method);

#endif
