/* SPDX-License-Identifier: MIT */
/* runs_wait.h — a client that waits for the end of a run, and then gets its record. */
#ifndef RUNNEL_DIALECT_RUNS_WAIT_H
#define RUNNEL_DIALECT_RUNS_WAIT_H

struct http_request;
struct run;
struct runs;

/* What becomes of the run when its client leaves before the end. */
enum runs_absence {
    RUNS_ENDS_WITH_CLIENT,
    RUNS_CLIENT_RETURNS, /* it has an Idempotency-Key to come back with */
};

/* Takes the request, whose http_on_gone is nobody's. Where the end cannot be waited for, the
 * run is cancelled, and that is the answer. */
void runs_wait(const struct runs *runs, struct http_request *http, struct run *run,
               enum runs_absence absence);
/* The same of one that the store has and the engine need not know (yet): what a process before this
 * one took is looked for until it is found or lost (engine_resume). Its client returns. */
void runs_wait_stored(const struct runs *runs, struct http_request *http, const char *id);

#endif
