/* SPDX-License-Identifier: MIT */
/* runs.h — Runnel's own dialect: runs as things that are made, looked at,
 * attached to and ended.
 *
 *     POST   /v1/runs             made, run, and answered when it is over
 *     POST   /v1/runs?wait=false  made and answered at once (201); its input stays open
 *     GET    /v1/runs/:id         its record
 *     DELETE /v1/runs/:id         cancels it
 *     GET    /v1/runs/:id/events  Server-Sent Events, resumed by Last-Event-ID
 *     GET    /v1/runs/:id/stream  a WebSocket: events out, input and more in
 *     GET    /v1/languages        everything about each
 */
#ifndef RUNNEL_DIALECT_RUNS_H
#define RUNNEL_DIALECT_RUNS_H

#include "server/http.h"

struct engine;
struct catalogue;
struct loop;

#define RUNS_NAME "runs"

enum { RUNS_TERMINAL_SIDE_MAX = 1000 }; /* columns, and rows */

struct runs {
    struct loop *loop;
    struct engine *engine;
    const struct catalogue *catalogue;
    /* Somebody looks at the languages: finds out their versions, which later answers
     * then have. */
    void (*find_versions)(void *context);
    void *find_versions_context;
};

extern const struct http_route runs_routes[];

/* runs_events.c, runs_stream.c, runs_languages.c */
void runs_handle_events(struct http_request *request, void *context);
void runs_handle_stream(struct http_request *request, void *context);
void runs_handle_languages(struct http_request *request, void *context);

/* The run that the path names; NULL when there is none, and 404 was answered. */
struct run *runs_find(const struct runs *runs, struct http_request *request);
/* A decimal; 0 for NULL or anything else. */
uint64_t runs_position(const char *text);

#endif
