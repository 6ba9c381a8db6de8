/* SPDX-License-Identifier: MIT */
#include "cli/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/amqp.h"
#include "broker/redis.h"
#include "cli/front.h"
#include "cli/process.h"
#include "fleet/worker.h"
#include "loop/loop.h"
#include "observe/log.h"

struct workplace {
    struct wiring *wiring;
    struct fleet_worker *worker;
    struct words dependencies;
    struct loop_signal *terminate;
    struct loop_signal *interrupt;
    bool draining;
    struct err failure; /* why it ends, when nobody told it to */
};

/* --- the end --- */

static void on_drained(void *context)
{
    struct workplace *place = context;
    loop_stop(place->wiring->loop);
}

static void on_signal(void *context, int signal)
{
    struct workplace *place = context;
    uint64_t grace_ms = place->wiring->config.shutdown_grace_ms;
    log_event(LOG_INFO, place->draining ? "stopping_now" : "stopping",
              LOG_TEXT("signal", strsignal(signal)),
              LOG_U64("running", engine_running(place->wiring->engine)), LOG_END);
    fleet_worker_drain(place->worker, place->draining ? 0 : grace_ms, on_drained, place);
    place->draining = true;
}

/* Another worker has our name: what one says of a run the other would seem to say. */
static void on_refused(void *context, const struct err *err)
{
    struct workplace *place = context;
    place->failure = *err;
    place->draining = true;
    fleet_worker_drain(place->worker, 0, on_drained, place);
}

/* --- the start --- */

static void observe(void *context, const struct run *run)
{
    (void)context;
    if (run_state(run) == RUN_FINISHED)
        process_log_run(run);
}

static int start(struct workplace *place, int socket, struct err *err)
{
    struct wiring *wiring = place->wiring;
    const struct config *config = &wiring->config;
    if (wiring_receive_report(wiring, socket, err) < 0 || wiring_make_executor(wiring, err) < 0 ||
        words_add_list(&place->dependencies, &config->dependencies, err) < 0)
        return -1;
    struct fleet_worker_config fleet = {
        .loop = wiring->loop,
        .catalogue = wiring->catalogue,
        .broker = config->broker,
        .stream = config->stream,
        .node_name = config->node_name,
        .slots = wiring_concurrency(config),
        .memory_bytes = wiring_memory_bytes(config),
        .dependencies = words_list(&place->dependencies),
        .refused = on_refused,
        .refused_context = place,
    };
    place->worker = fleet_worker_new(&fleet, err);
    if (!place->worker)
        return -1;
    struct engine_config engine = {
        .concurrency = fleet.slots,
        .queue_length = (size_t)WORKER_QUEUE * fleet.slots,
        .memory_bytes = fleet.memory_bytes,
        .ceiling = config->ceiling,
        .observer = observe,
        .recorder = fleet_worker_recorder(place->worker),
    };
    if (wiring_make_engine(wiring, &engine, err) < 0)
        return -1;
    place->terminate = loop_signal_new(wiring->loop, SIGTERM, on_signal, place);
    place->interrupt = loop_signal_new(wiring->loop, SIGINT, on_signal, place);
    wiring->on_lost = process_spawner_lost;
    if (front_become_user((uid_t)wiring->report.front_uid, getppid(), err) < 0 ||
        front_drop_privilege(err) < 0)
        return -1;
    return fleet_worker_start(place->worker, wiring->engine, err);
}

static void greet(const struct workplace *place)
{
    const struct wiring *wiring = place->wiring;
    unsigned slots = wiring_concurrency(&wiring->config);
    (void)printf("runnel works, up to %u runs at once\n", slots);
    process_print_means(wiring);
    (void)fflush(stdout);
    wiring_log_ignored();
    log_event(LOG_INFO, "started", LOG_TEXT("version", RUNNEL_VERSION),
              LOG_TEXT("isolation", wiring->isolation), LOG_U64("slots", slots), LOG_END);
}

int worker_check(const struct config *config, struct err *err)
{
    if (!config->broker || !config->stream)
        return err_set(err, ERR_CONFIG, "a worker needs --broker amqp://… and --stream redis://…");
    return amqp_check_url(config->broker, err) < 0 ? -1 : redis_check_url(config->stream, err);
}

int worker(struct wiring *wiring, int socket, struct err *err)
{
    struct workplace place = {.wiring = wiring};
    process_open_log(&wiring->config);
    int rc = start(&place, socket, err);
    if (rc == 0) {
        greet(&place);
        loop_run(wiring->loop);
        log_event(LOG_INFO, "stopped", LOG_END);
    }
    if (place.failure.text[0] != '\0') {
        *err = place.failure;
        rc = -1;
    }
    fleet_worker_free(place.worker);
    words_fini(&place.dependencies);
    loop_signal_free(place.terminate);
    loop_signal_free(place.interrupt);
    return rc;
}
