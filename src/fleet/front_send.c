/* SPDX-License-Identifier: MIT */
/* front_send.c — a job, from the engine to the broker's confirm. Redis is told of it,
 * too, for whoever asks elsewhere; that is not waited for. */
#include <inttypes.h>
#include <stdio.h>

#include "fleet/front_private.h"
#include "fleet/members.h"
#include "observe/log.h"
#include "os/clock.h"

/* Whoever floods a lane waits in the second queue of it, so that others do not wait behind. What
 * the slots take within moments may stand in the first: no worker shall be idle for that. */
static bool has_many_waiting(const struct fleet_front *front, const struct run_spec *spec)
{
    size_t share = MAX((size_t)fleet_members_slots(front->members) * 2, (size_t)ASIDE_MIN);
    size_t waiting = 0;
    if (spec->tenant == 0 || front->waiting < share) /* 0: nobody in particular */
        return false;
    list_for_each (link, &front->cargos) {
        const struct front_cargo *cargo = CONTAINER_OF(link, struct front_cargo, link);
        bool counts = cargo->waits && !cargo->is_anothers;
        if (counts && cargo->tenant == spec->tenant && ++waiting >= share)
            return true;
    }
    return false;
}

struct cargo *front_prepare(struct carrier *carrier, struct run *run, const struct run_spec *spec,
                            struct err *err)
{
    struct fleet_front *front = CONTAINER_OF(carrier, struct fleet_front, carrier);
    struct job_header header = {.lane = spec->lane};
    const struct front_form *foreign = front_foreign_form(front, spec);
    struct front_cargo *cargo = front_cargo_new(front, run_id(run), spec, err);
    if (!cargo)
        return NULL;
    if (foreign)
        front_cargo_set_form(cargo, foreign);
    cargo->queue_ms = run_limits(run)->value[LIMIT_QUEUE];
    cargo->aside = cargo->form->has_tickets && has_many_waiting(front, spec);
    header.aside = cargo->aside;
    header.submitted_ms = cargo->submitted_ms;
    (void)snprintf(header.id, sizeof header.id, "%s", cargo->id);
    (void)snprintf(header.front, sizeof header.front, "%s", front->name);
    if (job_encode(&header, spec, false, &cargo->meta, err) < 0 ||
        cargo->form->prepare(cargo, &header, spec, err) < 0) {
        front_cargo_release(cargo);
        return NULL;
    }
    struct fleet_key events = events_key(cargo->id);
    cargo->run = run;
    (void)redis_subscribe(front->redis, events.text, NULL, NULL);
    return &cargo->cargo;
}

/* --- what Redis is told --- */

/* KEYS: lane, run. Its number in the lane stands with the job, for other fronts; and when it came
 * by Redis' clock, which is one for all: a worker's may differ from ours. */
static const char ticket_script[] = "local ticket = redis.call('HINCRBY', KEYS[1], 'in', 1)\n"
                                    "local now = redis.call('TIME')\n"
                                    "redis.call('HSET', KEYS[2], 'ticket', ticket, 'since',\n"
                                    "  now[1] * 1000 + math.floor(now[2] / 1000))\n"
                                    "return tostring(ticket)\n";

static void on_ticket(void *context, const struct redis_reply *reply)
{
    struct front_cargo *cargo = context;
    if (reply)
        front_take_place(cargo, reply);
    front_cargo_release(cargo);
}

static void take_ticket(struct front_cargo *cargo)
{
    struct fleet_key run = run_key(cargo->id);
    struct fleet_key lane = lane_key(cargo->lane, cargo->aside);
    front_cargo_hold(cargo);
    if (redis_command(cargo->front->redis, on_ticket, cargo, slice_of("EVAL"),
                      slice_of(ticket_script), slice_of("2"), slice_of(lane.text),
                      slice_of(run.text)) < 0)
        front_cargo_release(cargo);
}

static void say_sent(const struct front_cargo *cargo)
{
    struct fleet_key run = run_key(cargo->id);
    (void)redis_command(cargo->front->redis, NULL, NULL, slice_of("HDEL"), slice_of(run.text),
                        slice_of("sending"));
}

/* "sending": should we end before we know that the broker has it, it may have been lost on its
 * way (front_resume.c). */
static void write_job(const struct front_cargo *cargo)
{
    struct fleet_key run = run_key(cargo->id);
    const struct slice words[] = {slice_of("HSET"),    slice_of(run.text),
                                  slice_of("job"),     buf_slice(&cargo->meta),
                                  slice_of("front"),   slice_of(cargo->front->name),
                                  slice_of("sending"), slice_of("1")};
    bool is_sent = cargo->job.len == 0;
    (void)redis_command_argv(cargo->front->redis, NULL, NULL, ARRAY_LEN(words) - (is_sent ? 2 : 0),
                             words);
    if (is_sent)
        say_sent(cargo);
}

static void write_down(struct front_cargo *cargo)
{
    struct redis *redis = cargo->front->redis;
    struct fleet_key run = run_key(cargo->id);
    char now[24];
    char lives[16];
    char listed[16];
    if (!redis_is_connected(redis))
        return;
    (void)snprintf(now, sizeof now, "%" PRIu64, cargo->submitted_ms);
    (void)snprintf(lives, sizeof lives, "%d", RUN_LIVES_S);
    (void)snprintf(listed, sizeof listed, "-%d", RUNS_LISTED + 1);
    write_job(cargo);
    (void)redis_command(redis, NULL, NULL, slice_of("EXPIRE"), slice_of(run.text), slice_of(lives));
    (void)redis_command(redis, NULL, NULL, slice_of("ZADD"), slice_of(RUNS_KEY), slice_of(now),
                        slice_of(cargo->id));
    (void)redis_command(redis, NULL, NULL, slice_of("ZREMRANGEBYRANK"), slice_of(RUNS_KEY),
                        slice_of("0"), slice_of(listed));
    if (cargo->form->has_tickets && cargo->ticket == 0)
        take_ticket(cargo);
}

/* --- what the broker is --- */

int front_publish(struct front_cargo *cargo, const struct amqp_message *message, struct err *err)
{
    if (amqp_publish(cargo->front->amqp, message, (uint64_t)(uintptr_t)cargo, err) < 0)
        return -1;
    cargo->publishing = true;
    front_cargo_hold(cargo);
    return 0;
}

static int prepare(struct front_cargo *cargo, const struct job_header *header,
                   const struct run_spec *spec, struct err *err)
{
    return job_encode(header, spec, true, &cargo->job, err);
}

static int publish(struct front_cargo *cargo, struct err *err)
{
    struct amqp_message message = {
        .exchange = JOBS_EXCHANGE,
        .key = lane_routing_key(cargo->lane, cargo->aside),
        .body = buf_slice(&cargo->job),
        .content_type = "application/json",
        .message_id = cargo->id,
        .reply_to = cargo->front->results.text,
        .timestamp = cargo->submitted_ms / 1000,
        .persistent = true,
        .mandatory = true,
    };
    return front_publish(cargo, &message, err);
}

const struct front_form front_own_form = {
    .has_tickets = true,
    .prepare = prepare,
    .publish = publish,
    .take_rest = front_take_rest,
    .look = front_look,
};

int front_send(struct cargo *base, struct err *err)
{
    struct front_cargo *cargo = front_cargo_of(base);
    struct fleet_front *front = cargo->front;
    if (front->waiting >= front->config.queue_length)
        return err_set(err, ERR_BUSY, "%zu runs are waiting already", front->waiting);
    if (cargo->form->publish(cargo, err) < 0)
        return -1;
    front_cargo_waits(cargo, true);
    write_down(cargo);
    return 0;
}

static void accepted(struct front_cargo *cargo)
{
    buf_fini(&cargo->job);
    say_sent(cargo);
    if (cargo->run)
        run_carried_accepted(cargo->run);
}

void front_count_out(const struct front_cargo *cargo)
{
    struct fleet_key lane = lane_key(cargo->lane, cargo->aside);
    if (cargo->form->has_tickets)
        (void)redis_command(cargo->front->redis, NULL, NULL, slice_of("HINCRBY"),
                            slice_of(lane.text), slice_of("out"), slice_of("1"));
}

/* Its end is stored as every other is: other fronts have its job, and would follow it. */
static void refused(struct front_cargo *cargo, enum amqp_outcome outcome)
{
    const char *why = outcome == AMQP_REFUSED ? "the broker takes no more jobs"
                                              : "the broker has no queue for the job";
    front_count_out(cargo);
    (void)front_end(cargo, VERDICT_INTERNAL_ERROR, why);
    if (cargo->run)
        run_carried_refused(cargo->run, why);
}

void front_published(void *context, uint64_t token, enum amqp_outcome outcome)
{
    struct front_cargo *cargo = (struct front_cargo *)(uintptr_t)token; /* NOLINT: as we gave it */
    (void)context;
    cargo->publishing = false;
    if (outcome == AMQP_STORED || cargo->started)
        accepted(cargo);
    else if (outcome != AMQP_UNKNOWN)
        refused(cargo, outcome);
    front_cargo_release(cargo);
}

/* One that may be there already is recognised by its id. */
void front_send_again(struct fleet_front *front)
{
    list_for_each_safe (link, following, &front->cargos) {
        struct front_cargo *cargo = CONTAINER_OF(link, struct front_cargo, link);
        if (cargo->run && cargo->waits && !cargo->publishing && cargo->job.len > 0)
            (void)cargo->form->publish(cargo, NULL);
    }
}

void front_write_again(struct fleet_front *front)
{
    list_for_each (link, &front->cargos) {
        struct front_cargo *cargo = CONTAINER_OF(link, struct front_cargo, link);
        if (cargo->run && !cargo->adopted && !cargo->ended)
            write_down(cargo);
    }
}
