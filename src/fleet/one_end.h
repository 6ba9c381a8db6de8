/* SPDX-License-Identifier: MIT */
/* one_end.h — a run has one terminal result, whoever writes it first: a worker, the
 * front that gives it up, the next worker that finds it dead. Redis decides. */
#ifndef RUNNEL_FLEET_ONE_END_H
#define RUNNEL_FLEET_ONE_END_H

#include "base/slice.h"
#include "broker/redis.h"

struct one_end {
    const char *id;
    /* A worker that had the run: what it says counts only if no other one has it now. NULL:
     * whoever has it. */
    const char *worker;
    struct slice result;
    unsigned attempt;
    uint64_t number; /* behind the attempt's last event */
};

/* What the reply, an integer, says. */
enum one_end_reply {
    ONE_END_LATE,   /* there is a result already */
    ONE_END_STORED, /* it is this one */
    ONE_END_VOID,   /* another worker has the run */
};

/* Stores the result unless there is one, tells those who listen (an event of kind EVENT_END,
 * with the number and the attempt, that carries the result), lets go of the worker's lease,
 * and lets what Redis knows of the run go RUN_KEPT_S later. -1 (no reply comes) when Redis
 * is away. */
int one_end_store(struct redis *redis, const struct one_end *end, redis_reply_fn *stored,
                  void *context);

#endif
