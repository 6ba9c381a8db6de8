/* SPDX-License-Identifier: MIT */
/* stats.h — what the service is doing, and did lately: for the operator's page, and for
 * programs that watch. Both for keys with the scope admin.
 *
 *     GET /v1/stats   one JSON object
 *     GET /metrics    the text form of Prometheus (stats_metrics.c)
 *
 * Who wires it counts (struct stats); here it is told.
 */
#ifndef RUNNEL_DIALECT_STATS_H
#define RUNNEL_DIALECT_STATS_H

#include "observe/histogram.h"
#include "observe/history.h"
#include "observe/latency.h"
#include "observe/tally.h"
#include "server/http.h"

struct engine;
struct store;

#define STATS_NAME "stats"

/* One that carries runs out, elsewhere. Texts are borrowed. */
struct stats_worker {
    const char *name;
    const char *host;
    const char *version;
    uint64_t slots;
    uint64_t running;
    uint64_t memory_bytes; /* that may be promised to boxes; 0: not bounded */
    uint64_t promised_bytes;
    uint64_t load_milli;
    uint64_t service_ms;
    uint64_t last_seen_ms; /* ago */
    bool draining;
};

typedef void stats_worker_fn(void *context, const struct stats_worker *worker);

/* Of a service whose runs are carried out elsewhere. */
struct stats_fleet {
    void (*each_worker)(void *context, stats_worker_fn *fn, void *fn_context);
    bool (*has_broker)(void *context);
    bool (*has_stream)(void *context);
    void *context;
};

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
    struct histogram queued_all;
    struct histogram wall_all;
    struct history history;   /* its clock: milliseconds of loop_now_ns */
    struct stats_fleet fleet; /* zeroed: runs are carried out here */
};

/* What may run at once, and the memory that boxes may be promised and are. */
struct stats_room {
    uint64_t slots;
    uint64_t memory_bytes; /* 0: any */
    uint64_t promised_bytes;
};
/* This machine's; where there is a broker that of the workers which take runs. */
struct stats_room stats_room(const struct stats *stats);

extern const struct http_route stats_routes[];

void stats_handle_metrics(struct http_request *request, void *context);

#endif
