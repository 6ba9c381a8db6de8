/* SPDX-License-Identifier: MIT */
/* jobs.h — the dialect of clients of `POST /api/execute`: a job is submitted, asked for
 * again and again until it is done, and its lines come over a WebSocket meanwhile.
 *
 *     POST   /api/execute    {"language", "source_code", …} → {"job_id", "status", …}
 *     GET    /api/jobs/:id   the job, with its result when it has one
 *     GET    /api/jobs       {"jobs": […], "count"}
 *     DELETE /api/jobs/:id   cancels it
 *     WS     /stream/:id     in: subscribe, unsubscribe    out: lines
 *     GET    /health         on its own listeners: {"status":"ok","timestamp"}
 *
 * A job is a run whose note (jobs_note.h) has what was asked for. A job that has ended can
 * be asked for 300 s long. Files: jobs.c routes. jobs_request.c the body. jobs_analysis.c
 * suspicious words. jobs_start.c a job's way into the engine. jobs_record.c what is told of
 * it. jobs_list.c all of them. jobs_stream.c its lines, which jobs_lines.c cuts.
 */
#ifndef RUNNEL_DIALECT_JOBS_H
#define RUNNEL_DIALECT_JOBS_H

#include "base/list.h"
#include "dialect/jobs_analysis.h"
#include "engine/engine.h"
#include "server/http.h"

struct accounts;
struct catalogue;
struct rate_limiter;

#define JOBS_NAME "jobs" /* of the mount, and of --listen ADDR:PORT=jobs */

struct jobs {
    struct engine *engine;
    const struct catalogue *catalogue;
    struct accounts *accounts;
    struct rate_limiter *limiter; /* of POST /api/execute, by client */
    bool rate_limit_loopback;
    const char *const *dependencies; /* LANGUAGE:NAME; NULL-ended */
    enum jobs_analysis_mode analysis;
    struct list followers; /* jobs_stream.c; begun with list_init */
};

extern const struct http_route jobs_routes[];

/* ERR_CONFIG for an entry of the dependencies that is no LANGUAGE:NAME. */
int jobs_check_dependencies(const struct jobs *jobs, struct err *err);

/* jobs_start.c, jobs_list.c, jobs_stream.c */
void jobs_handle_start(struct http_request *request, void *context);
void jobs_handle_too_large(struct http_request *request, void *context);
void jobs_handle_list(struct http_request *request, void *context);
void jobs_handle_stream(struct http_request *request, void *context);

/* Could an engine have given it? Nobody else is asked about other texts. */
bool jobs_is_id(const char *id);

#endif
