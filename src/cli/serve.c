/* SPDX-License-Identifier: MIT */
#include "cli/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/front.h"
#include "cli/process.h"
#include "cli/serve_private.h"
#include "cli/versions.h"
#include "loop/loop.h"
#include "observe/log.h"

/* What runs that wait bring: as much as the longest bodies of a full queue, with the defaults. */
#define HELD_BYTES (256 * MIB)

enum {
    KEEP_MS = 10 * 60 * 1000, /* a finished run in memory, for those who come back */
    LAST_ANSWERS_MS = 2000,   /* to send what is decided, when we end */
    LAST_ANSWERS_STEP_MS = 10,
};

/* --- the end --- */

static void end_when_answered(void *context)
{
    struct service *service = context;
    uint64_t waited_ms = (loop_now_ns() - service->drained_at_ns) / NS_PER_MS;
    if (http_server_unfinished(service->server) == 0 || waited_ms > LAST_ANSWERS_MS)
        loop_stop(service->wiring->loop);
    else
        loop_timer_start(service->last_answers, LAST_ANSWERS_STEP_MS);
}

static void on_drained(void *context)
{
    struct service *service = context;
    service->drained_at_ns = loop_now_ns();
    /* The last answers were just written: let them leave. */
    loop_timer_start(service->last_answers, LAST_ANSWERS_STEP_MS);
}

static void on_signal(void *context, int signal)
{
    struct service *service = context;
    uint64_t grace_ms = service->wiring->config.shutdown_grace_ms;
    bool again = service->execute.draining;
    log_event(LOG_INFO, again ? "stopping_now" : "stopping", LOG_TEXT("signal", strsignal(signal)),
              LOG_U64("running", engine_running(service->wiring->engine)),
              LOG_U64("queued", engine_queued(service->wiring->engine)), LOG_END);
    service->execute.draining = true;
    engine_drain(service->wiring->engine, again ? 0 : grace_ms, on_drained, service);
}

/* --- the start --- */

/* What the store has removed is not told from memory either. */
static uint64_t keep_ms(const struct config *config)
{
    uint64_t kept_ms = config->keep_runs_ms;
    return kept_ms != 0 && kept_ms < KEEP_MS ? kept_ms : KEEP_MS;
}

/* Binding may need a right; everything behind it must have none. */
static int start(struct service *service, int socket, struct err *err)
{
    struct wiring *wiring = service->wiring;
    struct engine_config engine = {
        .concurrency = wiring_concurrency(&wiring->config),
        .queue_length = wiring->config.queue_length,
        .held_bytes = HELD_BYTES,
        .memory_bytes = wiring_memory_bytes(&wiring->config),
        .keep_ms = keep_ms(&wiring->config),
        .ceiling = wiring->config.ceiling,
        .observer = service_observe,
        .observer_context = service,
    };
    if (wiring_receive_report(wiring, socket, err) < 0 || wiring_make_executor(wiring, err) < 0 ||
        service_open_storage(service, err) < 0 || service_open_fleet(service, &engine, err) < 0)
        return -1;
    service_set_keepers(service, &engine);
    if (wiring_make_engine(wiring, &engine, err) < 0 || service_make_dialects(service, err) < 0 ||
        service_make_server(service, err) < 0)
        return -1;
    service_start_counts(service);
    service->last_answers = loop_timer_new(wiring->loop, end_when_answered, service);
    service->terminate = loop_signal_new(wiring->loop, SIGTERM, on_signal, service);
    service->interrupt = loop_signal_new(wiring->loop, SIGINT, on_signal, service);
    wiring->on_lost = process_spawner_lost;
    if (front_drop_privilege(err) < 0)
        return -1;
    if (service_start_storage(service, err) < 0 || service_start_fleet(service, err) < 0)
        return -1;
    return http_server_start(service->server, err);
}

/* ::1 right behind 127.0.0.1 at its port: "localhost" says both. */
static bool is_told(const struct service *service, size_t at)
{
    const struct http_listener *listeners = service->listeners->items;
    return at > 0 && strcmp(listeners[at].address, "::1") == 0 &&
           strcmp(listeners[at - 1].address, "127.0.0.1") == 0 &&
           http_server_port(service->server, at) == http_server_port(service->server, at - 1);
}

static void print_listener(const struct service *service, size_t at)
{
    const struct http_listener *listener = &service->listeners->items[at];
    const char *address = listener->address;
    bool six = strchr(address, ':') != NULL;
    if (strcmp(address, "127.0.0.1") == 0)
        address = "localhost";
    (void)printf("%shttp://%s%s%s:%u", at > 0 ? ", " : "runnel serves on ", six ? "[" : "", address,
                 six ? "]" : "", http_server_port(service->server, at));
    if (listener->dialect)
        (void)printf(" (%s)", listener->dialect);
}

/* For the person who started us; what follows is the log. */
static void greet(const struct service *service)
{
    const struct wiring *wiring = service->wiring;
    for (size_t i = 0; i < service->listeners->count; i++) {
        if (!is_told(service, i))
            print_listener(service, i);
    }
    (void)printf("\n");
    process_print_means(wiring);
    (void)fflush(stdout);
    wiring_log_ignored();
    if (service->listeners->no_ipv6)
        log_event(LOG_INFO, "no_ipv6_loopback", LOG_TEXT("served", "127.0.0.1 alone"), LOG_END);
    log_event(LOG_INFO, "started", LOG_TEXT("version", RUNNEL_VERSION),
              LOG_TEXT("isolation", wiring->isolation),
              LOG_U64("port", http_server_port(service->server, 0)),
              LOG_U64("concurrency", wiring_concurrency(&wiring->config)), LOG_END);
}

/* What the store is asked for is done first; then nothing comes back any more. The engine may
 * follow runs of other fronts still: it lets go of them while there is a fleet. */
static void stop(struct service *service)
{
    service_free_storage(service);
    service_free_dialects(service);
    wiring_end_engine(service->wiring);
    service_free_fleet(service);
    loop_signal_free(service->terminate);
    loop_signal_free(service->interrupt);
    loop_timer_free(service->last_answers);
}

int serve(struct wiring *wiring, int socket, const struct listeners *listeners, struct err *err)
{
    struct service service = {.wiring = wiring, .listeners = listeners};
    process_open_log(&wiring->config);
    int rc = start(&service, socket, err);
    if (rc == 0) {
        greet(&service);
        loop_run(wiring->loop);
        log_event(LOG_INFO, "stopped", LOG_END);
    }
    if (service.failure.text[0] != '\0') {
        *err = service.failure;
        rc = -1;
    }
    stop(&service);
    return rc;
}
