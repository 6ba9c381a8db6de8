/* SPDX-License-Identifier: MIT */
/* serve_fleet.c — a service whose runs are carried out by workers on other machines. */
#include <string.h>

#include "cli/serve_private.h"
#include "codec/json_write.h"
#include "fleet/front.h"
#include "fleet/members.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "os/clock.h"

static void on_drained(void *context)
{
    loop_stop(context);
}

/* Another service has our name: what is meant for it would come to us. */
static void on_refused(void *context, const struct err *err)
{
    struct service *service = context;
    log_event(LOG_ERROR, "fleet_refused", LOG_TEXT("reason", err->text), LOG_END);
    service->failure = *err;
    engine_drain(service->wiring->engine, 0, on_drained, service->wiring->loop);
}

/* --- who is there, for those who watch --- */

struct telling {
    stats_worker_fn *fn;
    void *context;
};

static void tell_worker(void *context, const struct member *member)
{
    const struct telling *telling = context;
    uint64_t now_ms = clock_unix_ms();
    struct stats_worker worker = {
        .name = member->name,
        .host = member->host,
        .version = member->version,
        .slots = member->slots,
        .running = member->running,
        .memory_bytes = member->memory_bytes,
        .promised_bytes = member->promised_bytes,
        .load_milli = member->load_milli,
        .service_ms = member->service_ms,
        .last_seen_ms = now_ms - MIN(now_ms, member->last_seen_ms),
        .draining = member->draining,
    };
    if (member->is_worker)
        telling->fn(telling->context, &worker);
}

static void each_worker(void *context, stats_worker_fn *fn, void *fn_context)
{
    const struct service *service = context;
    struct telling telling = {fn, fn_context};
    fleet_members_each(fleet_front_members(service->fleet), tell_worker, &telling);
}

static bool has_broker(void *context)
{
    const struct service *service = context;
    return fleet_front_has_broker(service->fleet);
}

static bool has_stream(void *context)
{
    const struct service *service = context;
    return fleet_front_has_stream(service->fleet);
}

/* Without them it is up all the same: what runs goes on, and a restart would bring nothing. */
static void write_health(void *context, struct json *json)
{
    json_bool(json, "broker_connected", has_broker(context));
    json_bool(json, "stream_connected", has_stream(context));
}

/* --- its life --- */

int service_open_fleet(struct service *service, struct engine_config *engine, struct err *err)
{
    const struct config *config = &service->wiring->config;
    if (!config->broker && config->stream)
        log_event(LOG_WARN, "ignored", LOG_TEXT("variable", "stream"),
                  LOG_TEXT("reason", "runs go to workers when there is a broker, too"), LOG_END);
    if (!config->broker)
        return 0;
    if (!config->stream)
        return err_config(err, "broker",
                          "a broker needs a stream beside it: redis://HOST:6379, as `stream`");
    struct fleet_front_config fleet = {
        .loop = service->wiring->loop,
        .catalogue = service->wiring->catalogue,
        .broker = config->broker,
        .stream = config->stream,
        .node_name = config->node_name,
        .queue_length = config->queue_length,
        .foreign_workers = strcmp(config->broker_form, "code-execution") == 0,
        .refused = on_refused,
        .refused_context = service,
    };
    service->fleet = fleet_front_new(&fleet, err);
    if (!service->fleet)
        return -1;
    engine->carrier = fleet_front_carrier(service->fleet);
    return 0;
}

int service_start_fleet(struct service *service, struct err *err)
{
    if (!service->fleet)
        return 0;
    service->stats.fleet = (struct stats_fleet){each_worker, has_broker, has_stream, service};
    if (fleet_front_start(service->fleet, service->wiring->engine, err) < 0)
        return -1;
    service->execute.write_health = write_health;
    service->execute.health_context = service;
    return 0;
}

void service_free_fleet(struct service *service)
{
    fleet_front_free(service->fleet);
}
