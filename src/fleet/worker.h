/* SPDX-License-Identifier: MIT */
/* worker.h — the side of a fleet that has the boxes: takes jobs from the broker, runs
 * them in an engine of this process, and says through Redis and the broker what
 * becomes of them.
 *
 *     worker = fleet_worker_new(&config, err);
 *     engine = engine_new(loop, {.recorder = fleet_worker_recorder(worker), …}, …);
 *     fleet_worker_start(worker, engine, err);
 *     …
 *     fleet_worker_drain(worker, grace_ms, drained, context);
 *     engine_free(engine);                 once it is drained
 *     fleet_worker_free(worker);
 *
 * Theory of operation. A delivery is settled exactly once, and not before it is known
 * what became of it: its result is stored in Redis, or confirmed by the broker on the
 * way to the front that wants it. Until then it is the broker's to deliver again, to us
 * or to another; so whatever dies, a job is not lost. That a job is not run twice at
 * once is Redis' part: the worker that has it holds a lease. That it has one end is
 * Redis' part, too (one_end.h). With Redis away, jobs are still run and answered; what
 * they said meanwhile comes with their result.
 */
#ifndef RUNNEL_FLEET_WORKER_H
#define RUNNEL_FLEET_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/engine.h"

struct catalogue;
struct fleet_worker;
struct loop;

struct fleet_worker_config {
    struct loop *loop;
    const struct catalogue *catalogue;
    const char *broker; /* URLs; borrowed, as the name, until fleet_worker_start returned */
    const char *stream;
    const char *node_name; /* NULL: the host's */
    unsigned slots;        /* this and the next: the engine's */
    uint64_t memory_bytes;
    /* LANGUAGE:NAME, that jobs of another form may depend on; NULL-ended, or NULL. Lives as
     * long as the worker. */
    const char *const *dependencies;
    /* Another process has our name: we cannot stay. */
    void (*refused)(void *context, const struct err *err);
    void *refused_context;
};

enum {
    /* What may be in a worker's hands, for each of its slots; no job beyond it is asked for,
     * but those come that were on their way. The engine's queue must take them all. */
    WORKER_IN_HAND = 2,
    WORKER_QUEUE = 8,
};

/* Checks the URLs, and loads what needs a right that the process will give up. */
struct fleet_worker *fleet_worker_new(const struct fleet_worker_config *config, struct err *err);
struct recorder fleet_worker_recorder(struct fleet_worker *worker);
/* Connects, after the process has given up its rights: a thread keeps those it begins with. */
int fleet_worker_start(struct fleet_worker *worker, struct engine *engine, struct err *err);
/* Takes no more jobs, gives back those that have not begun, lets the others end; after
 * grace_ms those that may begin anew elsewhere are given back, and the rest is cancelled.
 * `drained` is called when none is left. Calling again with 0 hurries it. */
void fleet_worker_drain(struct fleet_worker *worker, uint64_t grace_ms,
                        void (*drained)(void *context), void *context);
void fleet_worker_free(struct fleet_worker *worker);

#endif
