/* SPDX-License-Identifier: MIT */
/* front_watch.c — once a second: do the workers of our interactive runs live, has something
 * been missed, and how far have the lanes come? */
#include <stdio.h>
#include <string.h>

#include "fleet/front_private.h"
#include "fleet/members.h"

#define LOST_AFTER_NS ((uint64_t)LEASE_MS * NS_PER_MS)
#define RENEWED_NS (2 * (uint64_t)LEASE_RENEW_MS * NS_PER_MS)

/* --- workers that are lost --- */

/* A Redis that is full, or a copy, lets leases end that living workers would renew. */
static void on_probe(void *context, const struct redis_reply *reply)
{
    struct front_cargo *cargo = context;
    if (reply && reply->kind != REDIS_ERROR)
        cargo->missed_ns = loop_now_ns();
    front_cargo_release(cargo);
}

static void probe(struct front_cargo *cargo)
{
    front_cargo_hold(cargo);
    if (redis_command(cargo->front->redis, on_probe, cargo, slice_of("SET"), slice_of(PROBE_KEY),
                      slice_of(cargo->front->name), slice_of("PX"), slice_of("1000")) < 0)
        front_cargo_release(cargo);
}

/* Once it could be written a worker that lives has the time of two renewals. */
static void miss_lease(struct front_cargo *cargo)
{
    uint64_t now_ns = loop_now_ns();
    if (cargo->missed_ns == 0)
        probe(cargo);
    else if (now_ns - cargo->leased_ns > LOST_AFTER_NS && now_ns - cargo->missed_ns > RENEWED_NS)
        (void)front_end(cargo, VERDICT_INTERNAL_ERROR, "worker lost");
}

/* What stands in Redis may be anybody's: only a worker that is known there is told of. */
static void name_worker(struct front_cargo *cargo, struct slice name)
{
    char text[NODE_NAME_SIZE];
    (void)snprintf(text, sizeof text, "%.*s", (int)MIN(name.len, sizeof text), name.at);
    if (fleet_members_have(cargo->front->members, true, text))
        run_carried_worker(cargo->run, text);
}

static void on_lease(void *context, const struct redis_reply *reply)
{
    struct front_cargo *cargo = context;
    bool goes_on = cargo->run && !cargo->ended;
    if (!reply || (reply->kind != REDIS_STRING && reply->kind != REDIS_NIL)) {
        cargo->missed_ns = 0;
    } else if (goes_on && reply->kind == REDIS_STRING) {
        cargo->leased_ns = loop_now_ns();
        cargo->missed_ns = 0;
        name_worker(cargo, reply->text);
    } else if (goes_on) {
        miss_lease(cargo);
    }
    front_cargo_release(cargo);
}

static void ask_lease(struct front_cargo *cargo)
{
    struct fleet_key lease = lease_key(cargo->id);
    front_cargo_hold(cargo);
    if (redis_command(cargo->front->redis, on_lease, cargo, slice_of("GET"), slice_of(lease.text)) <
        0)
        front_cargo_release(cargo);
}

void front_look(struct front_cargo *cargo)
{
    if (cargo->started && !cargo->batch)
        ask_lease(cargo);
}

static void look_at(struct front_cargo *cargo)
{
    if (!cargo->run || cargo->ended || (!cargo->waits && !cargo->started))
        return;
    cargo->form->look(cargo);
    front_say_closed(cargo);
    if (cargo->quiet)
        front_catch_up(cargo);
    cargo->quiet = true;
}

/* --- places --- */

static void on_lane(void *context, const struct redis_reply *reply)
{
    struct front_lane *lane = context;
    lane->is_asked = false;
    if (!reply || reply->kind != REDIS_ARRAY || reply->count != 3)
        return;
    lane->sent = redis_reply_number(&reply->items[0]);
    lane->started = redis_reply_number(&reply->items[1]);
    lane->service_ms = redis_reply_number(&reply->items[2]);
}

static void ask_lane(struct fleet_front *front, enum lane at, bool aside)
{
    struct front_lane *lane = &front->lanes[at][aside];
    struct fleet_key key = lane_key(at, aside);
    if (lane->is_asked || front->waiting + front->others_waiting == 0)
        return;
    lane->asked_ns = loop_now_ns();
    lane->is_asked =
        redis_command(front->redis, on_lane, lane, slice_of("HMGET"), slice_of(key.text),
                      slice_of("in"), slice_of("out"), slice_of("service_ms")) == 0;
}

void front_take_place(struct front_cargo *cargo, const struct redis_reply *ticket)
{
    const struct front_lane *lane = &cargo->front->lanes[cargo->lane][cargo->aside];
    cargo->ticket = redis_reply_number(ticket);
    if (loop_now_ns() - lane->asked_ns > (uint64_t)WATCH_MS * NS_PER_MS)
        ask_lane(cargo->front, cargo->lane, cargo->aside);
}

size_t front_position(const struct cargo *base)
{
    const struct front_cargo *cargo = CONTAINER_OF(base, struct front_cargo, cargo);
    const struct front_lane *lanes = cargo->front->lanes[cargo->lane];
    uint64_t started = lanes[cargo->aside].started;
    if (!cargo->waits || cargo->ticket == 0)
        return 0;
    size_t place = cargo->ticket > started ? (size_t)(cargo->ticket - started) : 1;
    return place +
           (cargo->aside ? (size_t)(lanes[0].sent - MIN(lanes[0].sent, lanes[0].started)) : 0);
}

uint64_t front_wait_ms(const struct cargo *base)
{
    const struct front_cargo *cargo = CONTAINER_OF(base, struct front_cargo, cargo);
    const struct fleet_front *front = cargo->front;
    uint64_t slots = fleet_members_slots(front->members);
    return front_position(base) * front->lanes[cargo->lane][cargo->aside].service_ms /
           MAX(slots, (uint64_t)1);
}

void front_watch(void *context)
{
    struct fleet_front *front = context;
    loop_timer_start(front->watch, WATCH_MS);
    if (amqp_is_connected(front->amqp))
        front_send_again(front);
    if (!redis_is_connected(front->redis))
        return;
    front_foreign_store(front);
    front_resume_look(front);
    for (int lane = 0; lane < LANES; lane++)
        for (int aside = 0; aside < 2; aside++)
            ask_lane(front, (enum lane)lane, aside);
    list_for_each_safe (link, following, &front->cargos)
        look_at(CONTAINER_OF(link, struct front_cargo, link));
}
