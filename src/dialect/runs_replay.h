/* SPDX-License-Identifier: MIT */
/* runs_replay.h — the events of a run that only the store knows, as they were told when
 * it ran: lines of JSON, each beginning {"n":<number>, … */
#ifndef RUNNEL_DIALECT_RUNS_REPLAY_H
#define RUNNEL_DIALECT_RUNS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct buf;
struct http_request;
struct runs;
struct stored_run;

struct replay_line {
    uint64_t number;
    struct slice text; /* without its newline */
};
/* Takes the first line off *lines; false when there is none. */
bool replay_next(struct slice *lines, struct replay_line *ret_line);
/* All lines of a finished run; one of its end alone, in `spare`, when nobody saw it: it is the
 * first that is wanted, since who has seen others drops what comes before them. */
struct slice replay_lines(const struct stored_run *run, uint64_t from, struct buf *spare);
/* The value of "type" in a line of ours: "stdout". */
struct slice replay_type(struct slice line);

/* Finds the run for a caller that may see it. `go` gets the request and the run with its
 * events, if they are not longer (stored_run.lacks_events); what cannot be is answered here.
 * Nothing comes when the client leaves before. */
typedef void replay_fn(struct http_request *request, const struct stored_run *run, uint64_t from,
                       const struct runs *runs);
void replay_find(const struct runs *runs, struct http_request *request, uint64_t from,
                 size_t events_max, replay_fn *go);

/* A stream of Server-Sent Events that tells them, and ends; what cannot be is answered, too. */
void replay_as_events(const struct runs *runs, struct http_request *request, uint64_t from);
/* A WebSocket that tells them, and ends. */
void replay_on_websocket(struct http_request *request, const struct stored_run *run, uint64_t from,
                         const struct runs *runs);

#endif
