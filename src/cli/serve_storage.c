/* SPDX-License-Identifier: MIT */
/* serve_storage.c — what the service keeps: runs, files, keys, and the secrets that it
 * made; and who it may call. */
#include <string.h>
#include <unistd.h>

#include "cli/front.h"
#include "cli/serve_private.h"
#include "cli/storage.h"
#include "loop/loop.h"
#include "observe/log.h"

enum { WEBHOOK_TIMEOUT_MS = 10000, WEBHOOKS_AT_ONCE = 16 };

/* The folder is in its hands; that much of its rights it gives up here. */
static int become_front(uid_t owner, struct err *err)
{
    return front_become_user(owner == (uid_t)-1 ? 0 : owner, getppid(), err);
}

/* Who is root has a user of its own for the front, which must be able to write. */
static int open_store(struct service *service, struct err *err)
{
    const struct config *config = &service->wiring->config;
    char dir[STORAGE_PATH_SIZE];
    if (storage_find(config, dir, err) < 0)
        return -1;
    uid_t front = (uid_t)service->wiring->report.front_uid;
    struct store_config store = {
        .dir = dir,
        .owner = front == 0 ? (uid_t)-1 : front,
        .become_owner = become_front,
        .keep_ms = config->keep_runs_ms,
        .keep_bytes = config->keep_storage_bytes,
        .keeps_open = config->broker != NULL,
    };
    return store_open(&store, &service->store, err);
}

static int read_secrets(struct service *service, unsigned char cookie_secret[32], struct err *err)
{
    if (store_secret(service->store, "links", service->link_secret, err) < 0 ||
        store_secret(service->store, "cookies", cookie_secret, err) < 0 ||
        store_secret(service->store, "webhooks", service->webhook_secret, err) < 0)
        return -1;
    return 0;
}

/* Without them all else works; who asks for one is told why. */
static int make_webhooks(struct service *service, struct err *err)
{
    if (words_add_list(&service->webhook_networks, &service->wiring->config.webhook_networks, err) <
        0)
        return -1;
    struct webhooks_config webhooks = {
        .allowed = words_list(&service->webhook_networks),
        .timeout_ms = WEBHOOK_TIMEOUT_MS,
        .at_once = WEBHOOKS_AT_ONCE,
    };
    service->webhooks = webhooks_new(service->wiring->loop, &webhooks, &service->no_webhooks);
    if (service->webhooks)
        return 0;
    if (service->no_webhooks.code == ERR_CONFIG) {
        *err = service->no_webhooks;
        return -1;
    }
    log_event(LOG_WARN, "no_webhooks", LOG_TEXT("reason", service->no_webhooks.text), LOG_END);
    return 0;
}

/* Whose client makes such a run. */
static const char *dialect_of(const struct run_spec *spec)
{
    static const char *const dialects[PROFILE_COUNT] = {
        [PROFILE_LIVE] = INTERACTIVE_NAME,
        [PROFILE_EXECUTE] = EXECUTE_NAME,
        [PROFILE_EXECUTE_INPUT] = EXECUTE_NAME,
        [PROFILE_SESSION] = SESSION_NAME,
        [PROFILE_JOBS] = JOBS_NAME,
    };
    const char *dialect = spec->recorded ? NULL : dialects[spec->profile];
    return dialect ? dialect : RUNS_NAME;
}

/* A request, and more so a socket, may be older than the end of its key, or than the first
 * key there was. */
static int check_owner(const struct service *service, const struct run_spec *spec, struct err *err)
{
    if (service_may_stay(service, spec->owner, dialect_of(spec)))
        return 0;
    return err_set(err, ERR_UNAUTHORIZED, "%s",
                   spec->owner == 0 ? "missing bearer token" : "invalid token");
}

/* Of /v1/runs (its are recorded) and of jobs each request has paid, also one that came to
 * nothing; in the other dialects each run pays, or a key's rate would end where they begin. */
static int begin_run(void *context, const struct run_spec *spec, struct err *err)
{
    const struct service *service = context;
    bool paid = spec->recorded || spec->profile == PROFILE_JOBS;
    struct account_rate rate = {.allowed = true};
    if (check_owner(service, spec, err) < 0)
        return -1;
    if (!paid)
        rate = accounts_take(service->accounts, spec->owner);
    if (!rate.allowed) {
        (void)err_set(err, ERR_RATE_LIMITED, "rate limit exceeded");
        if (err)
            err->retry_ms = rate.retry_ms;
        return -1;
    }
    return accounts_run_starts(service->accounts, spec->owner, err);
}

static void end_run(void *context, uint64_t owner, uint64_t run_ms)
{
    const struct service *service = context;
    accounts_run_ended(service->accounts, owner, run_ms);
}

void service_set_keepers(struct service *service, struct engine_config *engine)
{
    engine->recorder = (struct recorder){runs_recorder_ended, service->recorder};
    engine->quota = (struct quota){begin_run, end_run, service};
}

int service_open_storage(struct service *service, struct err *err)
{
    const struct config *config = &service->wiring->config;
    struct accounts_config accounts = {
        .api_keys = config->api_keys,
        .cookie_ms = config->login_lasts_ms,
    };
    if (open_store(service, err) < 0 || read_secrets(service, accounts.secret, err) < 0)
        return -1;
    service->accounts = accounts_new(service->wiring->loop, service->store, &accounts, err);
    explicit_bzero(accounts.secret, sizeof accounts.secret);
    if (!service->accounts || make_webhooks(service, err) < 0)
        return -1;
    service->recorder = runs_recorder_new(&service->runs);
    return service->recorder ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

int service_start_storage(struct service *service, struct err *err)
{
    loop_start_threads(service->wiring->loop);
    if (service->fleet && runs_resume(&service->runs, err) < 0)
        return -1;
    if (store_start(service->store, service->wiring->loop, err) < 0)
        return -1;
    if (!service->webhooks)
        return 0;
    service->runs.hooks = runs_hooks_new(&service->runs, service->webhooks);
    return service->runs.hooks ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

void service_free_storage(struct service *service)
{
    if (service->recorder)
        runs_recorder_hurry(service->recorder);
    store_free(service->store);
    runs_recorder_free(service->recorder);
    runs_hooks_free(service->runs.hooks);
    webhooks_free(service->webhooks);
    accounts_free(service->accounts);
    words_fini(&service->webhook_networks);
}
