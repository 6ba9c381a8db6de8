/* SPDX-License-Identifier: MIT */
/* front.h — the side of a fleet that has the clients: an engine's carrier that sends
 * runs to workers through RabbitMQ, and hears of them through Redis.
 *
 *     front = fleet_front_new(&config, err);
 *     engine = engine_new(loop, {.carrier = fleet_front_carrier(front), …}, …);
 *     fleet_front_start(front, engine, err);
 *     …
 *     engine_free(engine);
 *     fleet_front_free(front);
 */
#ifndef RUNNEL_FLEET_FRONT_H
#define RUNNEL_FLEET_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/carrier.h"

struct catalogue;
struct fleet_front;
struct fleet_members;
struct loop;

struct fleet_front_config {
    struct loop *loop;
    struct catalogue *catalogue;
    const char *broker; /* URLs; borrowed, as the name, until fleet_front_start returned */
    const char *stream;
    const char *node_name; /* NULL: the host's */
    size_t queue_length;   /* of this front's runs that may wait for a worker */
    bool foreign_workers;  /* runs of profile `jobs` go to runners of that service's form */
    /* Another process has our name: we cannot stay. */
    void (*refused)(void *context, const struct err *err);
    void *refused_context;
};

/* Loads what it needs, and does not connect yet. */
struct fleet_front *fleet_front_new(const struct fleet_front_config *config, struct err *err);
struct carrier *fleet_front_carrier(struct fleet_front *front);
/* Connects. After the process has given up its rights: a thread keeps those it begins with. */
int fleet_front_start(struct fleet_front *front, struct engine *engine, struct err *err);
const struct fleet_members *fleet_front_members(const struct fleet_front *front);
/* Is it connected, now? Of one that was started. */
bool fleet_front_has_broker(const struct fleet_front *front);
bool fleet_front_has_stream(const struct fleet_front *front);
void fleet_front_free(struct fleet_front *front);

#endif
