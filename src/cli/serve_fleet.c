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
    log_event(LOG_ERROR, "fleet_refused", LOG_TEXT("why", err->text), LOG_END);
    service->failure = *err;
    engine_drain(service->wiring->engine, 0, on_drained, service->wiring->loop);
}

/* --- who is there, for those who watch --- */

static void write_worker(void *context, const struct member *member)
{
    struct json *json = context;
    uint64_t now_ms = clock_unix_ms();
    if (!member->is_worker)
        return;
    json_open_object(json, NULL);
    json_text(json, "name", member->name);
    json_text(json, "host", member->host);
    json_text(json, "version", member->version);
    json_u64(json, "slots", member->slots);
    json_u64(json, "running", member->running);
    json_u64(json, "memory_mb", member->memory_bytes / MIB);
    json_u64(json, "promised_mb", member->promised_bytes / MIB);
    json_milli(json, "load", member->load_milli);
    json_u64(json, "service_ms", member->service_ms);
    json_u64(json, "last_seen_ms", now_ms - MIN(now_ms, member->last_seen_ms));
    json_bool(json, "draining", member->draining);
    json_close_object(json);
}

static void write_workers(void *context, struct json *json)
{
    const struct service *service = context;
    fleet_members_each(fleet_front_members(service->fleet), write_worker, json);
}

/* Without them it is up all the same: what runs goes on, and a restart would bring nothing. */
static void write_health(void *context, struct json *json)
{
    const struct service *service = context;
    json_bool(json, "broker_connected", fleet_front_has_broker(service->fleet));
    json_bool(json, "stream_connected", fleet_front_has_stream(service->fleet));
}

/* --- its life --- */

int service_open_fleet(struct service *service, struct engine_config *engine, struct err *err)
{
    const struct config *config = &service->wiring->config;
    if (!config->broker)
        return 0;
    if (!config->stream)
        return err_field(err, "stream", "a broker needs a stream beside it: redis://HOST:6379");
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
    service->stats.write_workers = write_workers;
    service->stats.workers_context = service;
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
