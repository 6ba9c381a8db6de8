/* SPDX-License-Identifier: MIT */
/* one_end.h — a run has one terminal result, whoever writes it first: a worker, the
 * front that gives it up, the next worker that finds it dead. Redis decides. */
#ifndef RUNNEL_FLEET_ONE_END_H
#define RUNNEL_FLEET_ONE_END_H

#include "base/slice.h"
#include "broker/redis.h"

/* Stores the result unless there is one, tells those who listen (an event of kind EVENT_END,
 * with the number and the attempt, that carries the result), and lets what Redis knows
 * of the run go RUN_KEPT_S later. The reply is an integer: 1, it is ours; 0, there was one
 * already. -1 (no reply comes) when Redis is away. */
int one_end_store(struct redis *redis, const char *id, struct slice result, unsigned attempt,
                  uint64_t number, redis_reply_fn *stored, void *context);

#endif
