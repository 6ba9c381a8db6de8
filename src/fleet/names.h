/* SPDX-License-Identifier: MIT */
/* names.h — what a fleet calls its things in the broker and in Redis, in one place.
 *
 * RabbitMQ
 *   runnel.jobs            direct exchange; key = LANE or LANE.aside
 *   runnel.jobs.LANE       quorum queues: x-delivery-limit as a backstop, dead letters to
 *   runnel.jobs.LANE.aside the same, for jobs of tenants that have many waiting already
 *   runnel.dead            fanout exchange and quorum queue
 *   runnel.results.of.FRONT  what a front hears of its runs when Redis does not say it: gone
 *                          10 min after its front. Durable, since RabbitMQ from 4.3 on has no
 *                          others for all; what is in it is not
 *
 * Redis
 *   runnel:run:ID          hash: job, sending (until the broker has it), ticket (its number in its
 *                          lane), since (when it came, by Redis' clock), state, attempt, worker,
 *                          cancel, result
 *   runnel:events:ID       stream of events (field "e"), and the channel on which they come
 *   runnel:commands:ID     channel
 *   runnel:lease:ID        the worker that has the run; gone 5 s after it stops saying so
 *   runnel:runs            sorted set of ids by time of submission
 *   runnel:lane:LANE       hash: in, out (how many jobs came, and have started), service_ms
 *   runnel:lane:LANE.aside the same of its second queue
 *   runnel:worker:NAME     and runnel:front:NAME: members, gone 5 s after …
 *   runnel:members         set of the keys of members
 *   runnel:probe           written to see whether Redis takes what is written; gone at once
 */
#ifndef RUNNEL_FLEET_NAMES_H
#define RUNNEL_FLEET_NAMES_H

#include "broker/amqp.h"
#include "engine/engine.h"

#define JOBS_EXCHANGE "runnel.jobs"
#define DEAD_EXCHANGE "runnel.dead"
#define DEAD_QUEUE "runnel.dead"
#define RESULTS_PREFIX "runnel.results." /* of every queue that is told results */
#define FRONT_RESULTS_PREFIX RESULTS_PREFIX "of."
#define RUN_PREFIX "runnel:run:"
#define EVENTS_PREFIX "runnel:events:"
#define COMMANDS_PREFIX "runnel:commands:"
#define LEASE_PREFIX "runnel:lease:"
#define RUNS_KEY "runnel:runs"
#define PROBE_KEY "runnel:probe"

enum {
    LEASE_MS = 5000, /* a worker that has said nothing for so long is lost */
    LEASE_RENEW_MS = 1500,
    MEMBER_MS = 5000,
    MEMBER_RENEW_MS = 1000,
    RUN_KEPT_S = 600,        /* what Redis knows of a run, after its end */
    RUN_LIVES_S = 2 * 86400, /* … and in all, should nobody end it */
    RUNS_LISTED = 1000,
    ATTEMPTS_MAX = 2,    /* a job that has ended so many workers is dead */
    DELIVERIES_MAX = 64, /* the broker's own limit, behind ours */
};

struct fleet_key {
    char text[96];
};

enum { LANE_QUEUES = 2 * LANES };
const char *lane_queue(enum lane lane, bool aside); /* "runnel.jobs.normal" */
const char *lane_routing_key(enum lane lane, bool aside);
struct fleet_key results_queue(const char *front);
struct fleet_key run_key(const char *id);
struct fleet_key events_key(const char *id);
struct fleet_key commands_key(const char *id);
struct fleet_key lease_key(const char *id);
struct fleet_key lane_key(enum lane lane, bool aside);
struct fleet_key member_key(bool is_worker, const char *name);
/* EVENTS_PREFIX "ID" → ID; NULL when it is not such a channel. */
const char *id_of_channel(const char *channel, const char *prefix);

/* What each member declares, into `rows`; how many. A front has a queue of results of its own,
 * which the rows borrow; NULL: a worker. */
enum { TOPOLOGY_MAX = 24 };
size_t fleet_topology(const char *results_queue_name, struct amqp_declaration rows[TOPOLOGY_MAX]);

/* "HOST" when nothing is configured; what is not of letters, digits, "-", "_" and "." is "-". */
enum { NODE_NAME_SIZE = 64 };
void node_name(const char *configured, char ret_name[NODE_NAME_SIZE]);

#endif
