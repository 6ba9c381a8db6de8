/* SPDX-License-Identifier: MIT */
/* runs_request.h — the body of POST /v1/runs, and the run that it describes. */
#ifndef RUNNEL_DIALECT_RUNS_REQUEST_H
#define RUNNEL_DIALECT_RUNS_REQUEST_H

#include "dialect/request_schema.h"
#include "engine/engine.h"

struct runs;

enum {
    RUNS_CODE_MAX = 200 * 1024,
    RUNS_UPLOADS_MAX = 64,
    RUNS_TERMINAL_SIDE_MAX = 1000, /* columns, and rows */
};

/* Of `files`: an upload by its id, or content. */
struct runs_request_file {
    struct slice id;
    struct slice path;
    struct slice content;
    struct slice encoding;
    char *decoded; /* owned */
};

struct runs_request {
    struct slice language;
    struct slice code;
    struct slice input;
    struct slice entrypoint;
    struct slice on_disconnect;
    struct slice webhook_url;
    struct slice priority;
    const char **args;
    const char **compile_args;
    const char **env;
    struct schema_list files;    /* struct runs_request_file */
    struct schema_list metadata; /* struct schema_pair */
    struct limits limits;
    uint64_t grace_ms;
    uint64_t columns;
    uint64_t rows;
    bool tty;
    bool no_artifacts; /* a limit of theirs was 0 */
    bool waits;        /* the answer comes at the run's end */
};

extern const struct schema runs_request_schema;
extern const char *const runs_priorities[]; /* the words of the lanes */

/* `body` stays borrowed. waits: the answer comes at the run's end, which has maxima
 * of its own. */
int runs_request_read(const struct runs *runs, json_t *body, bool waits,
                      struct runs_request *request, struct err *err);
void runs_request_fini(struct runs_request *request);

enum lane runs_lane_of(const struct runs_request *request);
/* A run's description, which borrows from the request and from `uploads`: the bytes of
 * those of its files that have an id, in their order. What it needs besides is in
 * `block`, to be freed. */
int runs_request_spec(const struct runs *runs, const struct runs_request *request,
                      const struct slice *uploads, struct run_spec *spec, void **ret_block,
                      struct err *err);

#endif
