/* SPDX-License-Identifier: MIT */
/* serve_dialects.c — what the service speaks, and the server under it. */
#include <assert.h>
#include <string.h>

#include "cli/serve.h"
#include "cli/serve_private.h"
#include "cli/versions.h"
#include "dialect/access_operations.h"
#include "dialect/files_operations.h"
#include "dialect/page.h"
#include "dialect/runs_operations.h"
#include "dialect/stats_operations.h"
#include "server/engineio_http.h"
#include "server/rate_limit.h"

enum {
    REQUEST_TIMEOUT_S = 30, /* for headers, for body, and between two requests */
    CLIENTS_REMEMBERED = 65536,
    LINK_LASTS_MS = 600 * 1000, /* as clients of services of this form know it */
    FAILED_LOGINS = 10,
    FAILED_LOGINS_WINDOW_MS = 5 * 60 * 1000,
};

const char *const serve_dialects[] = {EXECUTE_NAME,     SESSION_NAME, RUNS_NAME,
                                      INTERACTIVE_NAME, JOBS_NAME,    NULL};

/* What is served below /v1 is described, or not served: openapi_check names what was
 * forgotten. */
static int describe(struct service *service, struct err *err)
{
    static const struct operation *const tables[] = {
        runs_operations,  files_operations,   access_operations,
        stats_operations, openapi_operations, NULL,
    };
    service->openapi = (struct openapi){
        .mounts = service->mounts,
        .mount_count = ARRAY_LEN(service->mounts),
        .tables = tables,
        .base_url = service->wiring->config.public_base_url,
    };
    return openapi_check(&service->openapi, err);
}

/* --- what outlives the request that opened it --- */

bool service_may_stay(const struct service *service, uint64_t key, const char *dialect)
{
    return accounts_is_good(service->accounts, key) ||
           (key == 0 && request_is_anonymous(&service->request_access, dialect));
}

static bool may_stay(void *service, uint64_t key, const char *dialect)
{
    return service_may_stay(service, key, dialect);
}

static bool may_stay_interactive(void *service, uint64_t key)
{
    return service_may_stay(service, key, INTERACTIVE_NAME);
}

/* Sockets before the sessions on them: so they are told why. */
static void end_callers(void *context)
{
    struct service *service = context;
    http_server_end_callers(service->server, may_stay, service);
    engineio_end_callers(service->engineio, may_stay_interactive, service);
}

/* --- the server --- */

int service_make_server(struct service *service, struct err *err)
{
    const struct config *config = &service->wiring->config;
    if (words_add_list(&service->server_names, &config->server_names, err) < 0 ||
        words_add_list(&service->cors_origins, &config->cors_origins, err) < 0 ||
        words_add_list(&service->trusted_proxies, &config->trusted_proxies, err) < 0)
        return -1;
    const struct http_mount mounts[] = {
        {EXECUTE_NAME, execute_routes, &service->execute},
        {INTERACTIVE_NAME, engineio_http_routes, service->engineio},
        {SESSION_NAME, session_routes, &service->session},
        {JOBS_NAME, jobs_routes, &service->jobs},
        {RUNS_NAME, runs_routes, &service->runs},
        {STATS_NAME, stats_routes, &service->stats},
        {FILES_NAME, files_routes, &service->files},
        {ACCESS_NAME, access_routes, &service->access},
        {OPENAPI_NAME, openapi_routes, &service->openapi},
        {PAGE_NAME, page_routes, NULL},
    };
    static_assert(sizeof mounts == sizeof service->mounts, "as many places as dialects");
    memcpy(service->mounts, mounts, sizeof mounts);
    service->http = (struct http_config){
        .listeners = service->listeners->items,
        .listener_count = service->listeners->count,
        .mounts = service->mounts,
        .mount_count = ARRAY_LEN(service->mounts),
        .server_names = words_list(&service->server_names),
        .cors_origins = words_list(&service->cors_origins),
        .trusted_proxies = words_list(&service->trusted_proxies),
        .max_connections = (unsigned)config->max_connections,
        .max_body = (size_t)config->max_body_bytes,
        .timeout_s = REQUEST_TIMEOUT_S,
        .authorize = request_authorize,
        .authorize_context = &service->request_access,
        .charge = request_charge,
    };
    if (describe(service, err) < 0)
        return -1;
    service->server = http_server_new(service->wiring->loop, &service->http, err);
    if (!service->server)
        return -1;
    accounts_on_looked(service->accounts, end_callers, service);
    return 0;
}

/* One at a time: whoever runs programs meanwhile comes first. */
static void find_versions(void *context)
{
    struct service *service = context;
    struct wiring *wiring = service->wiring;
    if (!service->versions)
        service->versions = versions_start(wiring->loop, wiring->executor, wiring->catalogue,
                                           &wiring->config.ceiling, 1, NULL);
}

static struct slice secret_of(const char *configured, const unsigned char kept[32])
{
    return configured ? slice_of(configured) : (struct slice){(const char *)kept, 32};
}

static struct request_links service_links(const struct service *service)
{
    const struct config *config = &service->wiring->config;
    struct request_links links = {
        .keys = {secret_of(config->signing_key, service->link_secret)},
        .key_count = 1,
        .base_url = config->public_base_url,
        .lifetime_ms = LINK_LASTS_MS,
    };
    if (config->previous_signing_key)
        links.keys[links.key_count++] = slice_of(config->previous_signing_key);
    return links;
}

static int make_jobs(struct service *service, struct err *err)
{
    const struct config *config = &service->wiring->config;
    if (words_add_list(&service->dependencies, &config->dependencies, err) < 0)
        return -1;
    service->jobs = (struct jobs){
        .engine = service->wiring->engine,
        .catalogue = service->wiring->catalogue,
        .accounts = service->accounts,
        .limiter =
            rate_limiter_new(config->jobs_rate, config->jobs_rate_window_ms, CLIENTS_REMEMBERED),
        .rate_limit_loopback = config->rate_limit_loopback,
        .dependencies = words_list(&service->dependencies),
        .analysis = jobs_analysis_mode(config->analysis),
    };
    list_init(&service->jobs.followers);
    if (!service->jobs.limiter)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return jobs_check_dependencies(&service->jobs, err);
}

static int make_execute(struct service *service, struct err *err)
{
    const struct config *config = &service->wiring->config;
    service->execute = (struct execute){
        .engine = service->wiring->engine,
        .catalogue = service->wiring->catalogue,
        .limiter = rate_limiter_new(config->execute_rate, config->execute_rate_window_ms,
                                    CLIENTS_REMEMBERED),
        .rate_limit_loopback = config->rate_limit_loopback,
    };
    service->session = (struct session_dialect){
        .engine = service->wiring->engine,
        .catalogue = service->wiring->catalogue,
    };
    return service->execute.limiter ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

static void make_runs(struct service *service)
{
    const struct config *config = &service->wiring->config;
    list_init(&service->replays);
    service->runs = (struct runs){
        .loop = service->wiring->loop,
        .engine = service->wiring->engine,
        .catalogue = service->wiring->catalogue,
        .store = service->store,
        .accounts = service->accounts,
        .hooks = service->runs.hooks,
        .why_no_hooks = service->no_webhooks.text,
        .webhook_secret = service->webhook_secret,
        .links = service_links(service),
        .max_file_bytes = config->max_upload_bytes,
        .replays = &service->replays,
        .find_versions = find_versions,
        .find_versions_context = service,
    };
    service->files = (struct files){
        .loop = service->wiring->loop,
        .store = service->store,
        .access = &service->request_access,
        .links = service->runs.links,
        .max_bytes = config->max_upload_bytes,
        .keep_ms = config->keep_runs_ms,
    };
}

static int make_access(struct service *service, struct err *err)
{
    service->request_access = (struct request_access){
        .accounts = service->accounts,
        .allow_anonymous = words_list(&service->allow_anonymous),
    };
    service->failed_logins =
        rate_limiter_new(FAILED_LOGINS, FAILED_LOGINS_WINDOW_MS, CLIENTS_REMEMBERED);
    service->access = (struct access){
        .accounts = service->accounts,
        .store = service->store,
        .limiter = service->failed_logins,
        .webhook_secret = service->webhook_secret,
        .login_ms = service->wiring->config.login_lasts_ms,
    };
    return service->failed_logins ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}

/* Over Socket.IO; its rate is that of /execute. */
static int make_interactive(struct service *service, struct err *err)
{
    const struct config *config = &service->wiring->config;
    service->interactive = (struct interactive){
        .engine = service->wiring->engine,
        .catalogue = service->wiring->catalogue,
        .limiter = service->execute.limiter,
        .rate_limit_loopback = config->rate_limit_loopback,
    };
    service->engineio_config = (struct engineio_config){
        .transport = &engineio_http_transport,
        .owner = &interactive_ops,
        .context = &service->interactive,
        .max_sessions = config->max_connections,
    };
    service->engineio = engineio_new(service->wiring->loop, &service->engineio_config, err);
    return service->engineio ? 0 : -1;
}

int service_make_dialects(struct service *service, struct err *err)
{
    const struct config *config = &service->wiring->config;
    if (words_add_list(&service->allow_anonymous, &config->allow_anonymous, err) < 0 ||
        request_access_check(words_list(&service->allow_anonymous), serve_dialects, err) < 0 ||
        request_check_base(config->public_base_url, err) < 0)
        return -1;
    make_runs(service);
    if (make_jobs(service, err) < 0 || make_execute(service, err) < 0 ||
        make_access(service, err) < 0)
        return -1;
    return make_interactive(service, err);
}

void service_free_dialects(struct service *service)
{
    http_server_free(service->server);
    engineio_free(service->engineio);
    versions_free(service->versions);
    rate_limiter_free(service->execute.limiter);
    rate_limiter_free(service->failed_logins);
    rate_limiter_free(service->jobs.limiter);
    words_fini(&service->dependencies);
    words_fini(&service->server_names);
    words_fini(&service->cors_origins);
    words_fini(&service->trusted_proxies);
    words_fini(&service->allow_anonymous);
}
