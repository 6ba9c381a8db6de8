/* SPDX-License-Identifier: MIT */
#include "fleet/front.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet/foreign.h"
#include "fleet/front_private.h"
#include "fleet/members.h"
#include "observe/log.h"
#include "os/clock.h"

enum {
    RESULTS_PREFETCH = 256,
    FOREIGN_RESULTS_PREFETCH = 16, /* they carry output */
    LINGER_MS = 1000,              /* for what the broker is still to be told, at our end */
};

static const char *isolation(const struct carrier *carrier)
{
    (void)carrier;
    return "as each worker's";
}

static bool has_language(const struct carrier *carrier, const struct language *language)
{
    const struct fleet_front *front = CONTAINER_OF(carrier, struct fleet_front, carrier);
    /* While no worker is known nobody can say that none will have it. */
    return fleet_members_slots(front->members) == 0 ||
           fleet_members_have_language(front->members, language->name) ||
           front_foreign_has_language(front, language);
}

static const struct carrier_ops ops = {
    .name = "fleet",
    .isolation = isolation,
    .has_language = has_language,
    .prepare = front_prepare,
    .send = front_send,
    .write = front_write,
    .close_input = front_close_input,
    .signal = front_signal,
    .resize = front_resize,
    .cancel = front_cancel,
    .taken = front_taken,
    .position = front_position,
    .wait_ms = front_wait_ms,
    .may_have_begun = front_may_have_begun,
    .free = front_cargo_free,
    .find = front_find,
    .list = front_list,
    .resume = front_resume,
};

/* --- the two connections --- */

static void on_broker(void *context)
{
    struct fleet_front *front = context;
    log_event(LOG_INFO, "broker_connected", LOG_END);
    front_send_again(front);
}

static void on_broker_lost(void *context, const struct err *err)
{
    (void)context;
    log_event(LOG_WARN, "broker_lost", LOG_TEXT("reason", err->text), LOG_END);
}

/* Of one that is too large for us its message says the job: who waits for it gets an end. */
static void take_large_result(struct fleet_front *front, const struct amqp_delivery *delivery)
{
    auto_buf struct buf text;
    char reason[100];
    struct amqp_delivery told = *delivery;
    struct foreign_result result = {
        .id = delivery->message_id, .output = {"", 0}, .exit_code = -1, .error = reason};
    (void)snprintf(reason, sizeof reason, "its result of %" PRIu64 " bytes is above the maximum",
                   delivery->size);
    log_event(LOG_WARN, "result_too_large", LOG_TEXT("run", delivery->message_id),
              LOG_U64("bytes", delivery->size), LOG_END);
    buf_init(&text, 8 * KIB);
    if (foreign_result_encode(&result, &text) == 0)
        told.body = buf_slice(&text);
    front_foreign_result(front, &told);
}

static void on_delivered(void *context, const struct amqp_delivery *delivery)
{
    struct fleet_front *front = context;
    if (front_is_foreign_result(delivery)) {
        if (delivery->body.at || !delivery->message_id[0])
            front_foreign_result(front, delivery);
        else
            take_large_result(front, delivery);
        return;
    }
    front_take_result(front, delivery->body);
    amqp_settle(front->amqp, delivery->ref, AMQP_ACK);
}

static void on_stream(void *context)
{
    struct fleet_front *front = context;
    front->unheard_ns = loop_now_ns();
    log_event(LOG_INFO, "stream_connected", LOG_END);
    fleet_members_connected(front->members);
    front_foreign_store(front);
    front_write_again(front);
    front_resume_look(front);
    list_for_each_safe (link, following, &front->cargos) {
        struct front_cargo *cargo = CONTAINER_OF(link, struct front_cargo, link);
        cargo->missed_ns = 0;
        if (!cargo->run || cargo->ended)
            continue;
        front_say_again(cargo);
        front_catch_up(cargo);
    }
}

static void on_stream_lost(void *context, const struct err *err)
{
    (void)context;
    log_event(LOG_WARN, "stream_lost", LOG_TEXT("reason", err->text), LOG_END);
}

static int connect_broker(struct fleet_front *front, struct err *err)
{
    struct amqp_declaration rows[TOPOLOGY_MAX + FOREIGN_TOPOLOGY_MAX];
    struct amqp_consumer results[] = {{front->results.text, RESULTS_PREFETCH},
                                      {FOREIGN_RESULTS_QUEUE, FOREIGN_RESULTS_PREFETCH}};
    size_t count = fleet_topology(front->results.text, rows);
    if (front->config.foreign_workers)
        count += foreign_topology(true, rows + count);
    struct amqp_config config = {
        .url = front->config.broker,
        .name = front->name,
        .declarations = rows,
        .declaration_count = count,
        .consumers = results,
        .consumer_count = front->config.foreign_workers ? 2 : 1,
        .is_held = true,
        .events = {on_broker, on_broker_lost, on_delivered, front_published},
        .context = front,
    };
    front->amqp = amqp_new(front->config.loop, &config, err);
    return front->amqp ? 0 : -1;
}

static int connect_stream(struct fleet_front *front, struct err *err)
{
    struct redis_config config = {
        .url = front->config.stream,
        .name = front->name,
        .events = {on_stream, on_stream_lost, front_message},
        .context = front,
    };
    front->redis = redis_new(front->config.loop, &config, err);
    return front->redis ? 0 : -1;
}

/* --- what it can do --- */

/* As our catalogue has it for who asks: what no worker has is not installed. */
static void on_members(void *context)
{
    struct fleet_front *front = context;
    struct catalogue *catalogue = front->config.catalogue;
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct language *language = catalogue_at(catalogue, i);
        catalogue_set_installed(catalogue, language, has_language(&front->carrier, language));
    }
}

static void on_refused(void *context, const struct err *err)
{
    struct fleet_front *front = context;
    front->config.refused(front->config.refused_context, err);
}

/* What is meant for another front of our name must not be taken from it: until the name is known
 * to be ours nothing is, or until nobody can say. */
static void listen(struct fleet_front *front)
{
    if (front->is_listening)
        return;
    front->is_listening = true;
    amqp_hold(front->amqp, false);
}

static void on_name(void *context)
{
    listen(context);
}

/* What workers say to it is refused, too. */
static void on_unsure(void *context)
{
    struct fleet_front *front = context;
    front->unheard_ns = loop_now_ns();
    listen(front);
}

static void on_impatient(void *context)
{
    struct fleet_front *front = context;
    if (redis_is_connected(front->redis))
        loop_timer_start(front->patience, PATIENCE_MS);
    else
        listen(front);
}

bool front_is_listening(const struct fleet_front *front)
{
    return front->is_listening && amqp_is_connected(front->amqp);
}

static void describe(void *context, struct member *self)
{
    struct fleet_front *front = context;
    self->running = (unsigned)engine_running(front->engine);
}

/* --- its life --- */

struct fleet_front *fleet_front_new(const struct fleet_front_config *config, struct err *err)
{
    if (amqp_check_url(config->broker, err) < 0 || redis_check_url(config->stream, err) < 0 ||
        amqp_load(err) < 0)
        return NULL;
    struct fleet_front *front = calloc(1, sizeof *front);
    if (!front) {
        (void)err_sys(err, ENOMEM, "cannot make the front of the fleet");
        return NULL;
    }
    front->carrier.ops = &ops;
    front->config = *config;
    front->started_ms = clock_unix_ms();
    list_init(&front->questions);
    list_init(&front->resumptions);
    list_init(&front->foreign_ends);
    list_init(&front->cargos);
    for (size_t i = 0; i < CARGO_ROWS; i++)
        list_init(&front->rows[i]);
    node_name(config->node_name, front->name);
    front->results = results_queue(front->name);
    front->answer_lost = loop_task_new(config->loop, front_answer_lost, front);
    front->watch = loop_timer_new(config->loop, front_watch, front);
    front->patience = loop_timer_new(config->loop, on_impatient, front);
    return front;
}

int fleet_front_start(struct fleet_front *front, struct engine *engine, struct err *err)
{
    front->engine = engine;
    if (connect_stream(front, err) < 0 || connect_broker(front, err) < 0)
        return -1;
    loop_timer_start(front->patience, PATIENCE_MS);
    struct fleet_members_config members = {
        .redis = front->redis,
        .loop = front->config.loop,
        .name = front->name,
        .describe = describe,
        .changed = on_members,
        .written = on_name,
        .unsure = on_unsure,
        .refused = on_refused,
        .context = front,
    };
    front->members = fleet_members_new(&members, err);
    if (!front->members)
        return -1;
    on_members(front);
    loop_timer_start(front->watch, WATCH_MS);
    return 0;
}

struct carrier *fleet_front_carrier(struct fleet_front *front)
{
    return &front->carrier;
}

const struct fleet_members *fleet_front_members(const struct fleet_front *front)
{
    return front->members;
}

bool fleet_front_has_broker(const struct fleet_front *front)
{
    return amqp_is_connected(front->amqp);
}

bool fleet_front_has_stream(const struct fleet_front *front)
{
    return redis_is_connected(front->redis);
}

void fleet_front_free(struct fleet_front *front)
{
    if (!front)
        return;
    amqp_free(front->amqp, LINGER_MS);
    fleet_members_free(front->members);
    redis_free(front->redis);
    loop_timer_free(front->watch);
    loop_timer_free(front->patience);
    loop_task_free(front->answer_lost);
    front_answer_all(front);
    front_foreign_drop(front);
    front_resume_drop(front);
    list_for_each_safe (link, following, &front->cargos) {
        struct front_cargo *cargo = CONTAINER_OF(link, struct front_cargo, link);
        if (cargo->found)
            take_ptr (&cargo->found)(cargo->found_context, NULL);
        cargo->holds = 1; /* the answers that were due do not come */
        front_cargo_release(cargo);
    }
    free(front);
}
