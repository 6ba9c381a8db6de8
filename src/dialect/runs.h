/* SPDX-License-Identifier: MIT */
/* runs.h — Runnel's own dialect, which is that of a known service widened: runs as things
 * that are made, looked at, attached to, found again and ended.
 *
 *     POST   /v1/runs             made, run, and answered when it is over
 *     POST   /v1/runs?wait=false  made and answered at once (201); its input stays open
 *     GET    /v1/runs             those of the key, newest first
 *     GET    /v1/runs/:id         its record
 *     DELETE /v1/runs/:id         cancels it, or forgets it when it is over, unless ?only=cancel
 *     GET    /v1/runs/:id/events  Server-Sent Events, resumed by Last-Event-ID
 *     GET    /v1/runs/:id/stream  a WebSocket: events out, input and more in
 *     GET    /v1/languages        everything about each
 *
 * Files: runs.c routes, ownership, cancelling. runs_request.c the body. runs_start.c a
 * run's way into store and engine, runs_wait.c a client that waits for its end.
 * runs_recorder.c its way from the engine into the store. runs_record.c its record as
 * JSON. runs_list.c many of them. runs_event.c, runs_events.c, runs_stream.c,
 * runs_replay.c its events. runs_resume.c those of a process before this one.
 * runs_hooks.c webhooks.
 */
#ifndef RUNNEL_DIALECT_RUNS_H
#define RUNNEL_DIALECT_RUNS_H

#include "dialect/request_link.h"
#include "engine/engine.h"
#include "server/http.h"

struct accounts;
struct catalogue;
struct list;
struct loop;
struct runs_hooks;
struct store;

#define RUNS_NAME "runs"

struct runs {
    struct loop *loop;
    struct engine *engine;
    const struct catalogue *catalogue;
    struct store *store;
    struct accounts *accounts;
    struct runs_hooks *hooks; /* NULL: none, and why */
    const char *why_no_hooks;
    const unsigned char *webhook_secret; /* request_webhook.h */
    struct request_links links;
    uint64_t max_file_bytes; /* of an uploaded file that a run takes */
    struct list *replays;    /* WebSockets that hold stored events */
    /* Somebody looks at the languages: finds out their versions, which later answers
     * then have. */
    void (*find_versions)(void *context);
    void *find_versions_context;
};

extern const struct http_route runs_routes[];

/* runs_start.c, runs_list.c, runs_events.c, runs_stream.c, runs_languages.c */
void runs_handle_start(struct http_request *request, void *context);
void runs_handle_list(struct http_request *request, void *context);
void runs_handle_events(struct http_request *request, void *context);
void runs_handle_stream(struct http_request *request, void *context);
void runs_handle_languages(struct http_request *request, void *context);

void runs_answer_not_found(struct http_request *request);
/* It goes on, perhaps, and is looked for (runs_resume.h). */
void runs_answer_sought(struct http_request *request);
/* A decimal; 0 for NULL or anything else. */
uint64_t runs_position(const char *text);

#endif
