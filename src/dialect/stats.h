/* SPDX-License-Identifier: MIT */
/* stats.h — what the service is doing, and did lately, as one JSON object: for the
 * operator's page and for programs that watch.
 *
 *     GET /v1/stats   for keys with the scope admin
 *
 * Who wires it counts (struct stats); here it is told.
 */
#ifndef RUNNEL_DIALECT_STATS_H
#define RUNNEL_DIALECT_STATS_H

#include "observe/history.h"
#include "observe/latency.h"
#include "observe/tally.h"
#include "server/http.h"

struct engine;
struct json;
struct store;

#define STATS_NAME "stats"

struct stats {
    const struct engine *engine;
    const struct store *store;
    const char *version;
    uint64_t slots;
    uint64_t queue_length;
    uint64_t memory_bytes; /* that running boxes may be promised; 0: any */
    uint64_t started_ns;   /* as loop_now_ns says it */
    /* runs that ended since then */
    struct tally verdicts;
    struct tally languages;
    struct latency queued;
    struct latency wall;
    struct history history; /* its clock: milliseconds of loop_now_ns */
    /* Where workers carry runs out: one object each into the open array. NULL: here. */
    void (*write_workers)(void *context, struct json *json);
    void *workers_context;
};

extern const struct http_route stats_routes[];

#endif
