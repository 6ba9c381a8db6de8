/* SPDX-License-Identifier: MIT */
/* wiring.h — the modules, joined: what `run`, `serve`, `languages` and `doctor`
 * have in common.
 *
 *     wiring_load(&wiring, &flags, serves, err);      configuration, languages, filter
 *     wiring_settings(&wiring, boxes, &settings, err);  for the spawner
 *     …a spawner is started, or has started us…
 *     wiring_receive_report(&wiring, socket, err);      wiring_start_spawner does it itself
 *     wiring_make_executor(&wiring, err);               and the loop
 *     wiring_make_engine(&wiring, &config, err);
 *     wiring_fini(&wiring);
 */
#ifndef RUNNEL_CLI_WIRING_H
#define RUNNEL_CLI_WIRING_H

#include "cli/configure.h"
#include "cli/words.h"
#include "config/config.h"
#include "engine/engine.h"
#include "sandbox/client.h"
#include "sandbox/seccomp_policy.h"

struct wiring {
    struct config config;
    struct catalogue *catalogue;
    struct words etc;    /* what the toolchains read there */
    struct words rootfs; /* trees of their own */
    struct seccomp_program filter;
    struct layer_report report;
    char isolation[512]; /* "full", or what is reduced */
    int socket;          /* until the executor has it */
    bool own_spawner;
    uint32_t front_uid;             /* that the front had before; 0: none */
    void (*on_lost)(void *context); /* the spawner is gone; may be NULL: runs say so themselves */
    struct loop *loop;
    struct executor *executor;
    struct engine *engine;
};

/* Everything that can be wrong in what the operator wrote is found here. `serves`:
 * requests come from others, so there are ceilings unless the operator lifts them. */
int wiring_load(struct wiring *wiring, const struct config_flags *flags, bool serves,
                struct err *err);
/* Borrows from the wiring. boxes: live at once. */
int wiring_settings(struct wiring *wiring, unsigned boxes, struct sandbox_settings *ret_settings,
                    struct err *err);
/* A spawner of our own, that ends with us. */
int wiring_start_spawner(struct wiring *wiring, unsigned boxes, struct err *err);
/* Takes the spawner's report; -1 also when it refuses to make boxes. */
int wiring_receive_report(struct wiring *wiring, int socket, struct err *err);
/* After the report: the loop, and the executor, which takes the socket. */
int wiring_make_executor(struct wiring *wiring, struct err *err);
/* config's concurrency and queue are filled in by the caller. */
int wiring_make_engine(struct wiring *wiring, const struct engine_config *config, struct err *err);
/* Cancels what still runs, and waits for its end. What the engine was given may be freed then.
 * Part of the next. */
void wiring_end_engine(struct wiring *wiring);
/* … and the spawner's. Part of the next. */
void wiring_stop_boxes(struct wiring *wiring);
void wiring_fini(struct wiring *wiring);

/* A log line for each variable of other services that is set and means nothing here. */
void wiring_log_ignored(void);

/* Runs at once: as configured, else twice the processors that we may use. */
unsigned wiring_concurrency(const struct config *config);
/* What running boxes may be promised of this machine's memory; 0: any. */
uint64_t wiring_memory_bytes(const struct config *config);

#endif
