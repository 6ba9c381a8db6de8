/* SPDX-License-Identifier: MIT */
/* execute.h — the dialect of clients of `POST /execute`: a whole run in one
 * request, answered when it is over.
 *
 *     POST /execute   {"language", "code", "input"?, "args"?, "limits"?}
 *     GET  /languages ["python", …]
 *     GET  /health    {"status": "UP", …}
 *
 * The answer begins with the four fields that those clients know, in their
 * order, and goes on with ours (execute_result.c).
 */
#ifndef RUNNEL_DIALECT_EXECUTE_H
#define RUNNEL_DIALECT_EXECUTE_H

#include <stdbool.h>

#include "server/http.h"

struct engine;
struct catalogue;
struct json;
struct rate_limiter;

#define EXECUTE_NAME "execute" /* of the mount, and of --listen ADDR:PORT=execute */

/* What its handlers need: the context of the mount, filled in by the caller. */
struct execute {
    struct engine *engine;
    const struct catalogue *catalogue;
    struct rate_limiter *limiter; /* of requests under /execute */
    bool rate_limit_loopback;
    bool draining; /* set when the service is about to end: /health says so */
    /* Further members of /health's object; NULL: none */
    void (*write_health)(void *context, struct json *json);
    void *health_context;
};

extern const struct http_route execute_routes[];

#endif
