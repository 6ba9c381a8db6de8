/* SPDX-License-Identifier: MIT */
/* serve_private.h — the parts of the service, for the files that put it together:
 * serve.c (its life), serve_counts.c (its figures), serve_storage.c (what it keeps, and who may do
 * what), serve_dialects.c (what it speaks), serve_fleet.c (who else carries out its runs). */
#ifndef RUNNEL_CLI_SERVE_PRIVATE_H
#define RUNNEL_CLI_SERVE_PRIVATE_H

#include "account/account.h"
#include "cli/listeners.h"
#include "cli/wiring.h"
#include "cli/words.h"
#include "dialect/access.h"
#include "dialect/execute.h"
#include "dialect/files.h"
#include "dialect/interactive.h"
#include "dialect/jobs.h"
#include "dialect/openapi.h"
#include "dialect/request_access.h"
#include "dialect/runs.h"
#include "dialect/runs_hooks.h"
#include "dialect/runs_recorder.h"
#include "dialect/runs_resume.h"
#include "dialect/session.h"
#include "dialect/stats.h"
#include "server/engineio.h"
#include "server/http.h"
#include "store/store.h"
#include "webhook/webhook.h"

struct service {
    struct wiring *wiring;
    const struct listeners *listeners;
    /* what it keeps */
    struct store *store;
    struct accounts *accounts;
    struct webhooks *webhooks;
    struct err no_webhooks; /* why there are none */
    unsigned char link_secret[32];
    unsigned char webhook_secret[32];
    struct words webhook_networks;
    /* what it speaks */
    struct execute execute;
    struct session_dialect session;
    struct jobs jobs;
    struct words dependencies;
    struct runs runs;
    struct list replays; /* of runs */
    struct openapi openapi;
    struct runs_recorder *recorder;
    struct files files;
    struct access access;
    struct request_access request_access;
    struct rate_limiter *failed_logins;
    struct interactive interactive;
    struct stats stats;
    struct engineio_config engineio_config;
    struct engineio *engineio;
    struct versions *versions; /* asked for when somebody wants to know them */
    struct http_mount mounts[10];
    struct words server_names;
    struct words cors_origins;
    struct words trusted_proxies;
    struct words allow_anonymous;
    struct http_config http;
    struct http_server *server;
    struct fleet_front *fleet; /* NULL: runs are carried out here */
    /* its life */
    struct err failure; /* why it ends, when nobody told it to */
    struct loop_signal *terminate;
    struct loop_signal *interrupt;
    struct loop_timer *last_answers;
    uint64_t drained_at_ns;
};

/* serve_counts.c: the engine's observer, and what it counts into; once there is an engine */
void service_observe(void *context, const struct run *run);
void service_start_counts(struct service *service);

/* serve_storage.c: opens with the rights that we start with, and is the front's user then … */
int service_open_storage(struct service *service, struct err *err);
/* Who keeps the engine's runs, and counts them. */
void service_set_keepers(struct service *service, struct engine_config *engine);
/* … and works without them. */
int service_start_storage(struct service *service, struct err *err);
void service_free_storage(struct service *service);

/* serve_fleet.c: before the engine is made … */
int service_open_fleet(struct service *service, struct engine_config *engine, struct err *err);
/* … and once there is one, and no rights any more: threads keep those that they begin with. */
int service_start_fleet(struct service *service, struct err *err);
void service_free_fleet(struct service *service);

/* serve_dialects.c */
int service_make_dialects(struct service *service, struct err *err);
/* May what this key opened in this dialect still be used (0: without a key)? */
bool service_may_stay(const struct service *service, uint64_t key, const char *dialect);
int service_make_server(struct service *service, struct err *err);
void service_free_dialects(struct service *service);

#endif
