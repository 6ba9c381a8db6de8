/* SPDX-License-Identifier: MIT */
/* serve_fleet.c — a service whose runs are carried out by workers on other machines. */
#include <string.h>

#include "cli/serve_private.h"
#include "fleet/front.h"
#include "fleet/members.h"
#include "loop/loop.h"
#include "observe/log.h"

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
    return fleet_front_start(service->fleet, service->wiring->engine, err);
}

void service_free_fleet(struct service *service)
{
    fleet_front_free(service->fleet);
}
