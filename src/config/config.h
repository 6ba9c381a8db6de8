/* SPDX-License-Identifier: MIT */
/* config.h — one table of keys; file, environment and flags are three ways to
 * set the same key, in rising order.
 *
 *     config_init(&config, err);
 *     config_load_file(&config, path, err);       "runnel.conf:12: unknown key 'prot'"
 *     config_load_environment(&config, environ, err);
 *     config_set(&config, "listen", "0.0.0.0:80", "--listen", err);
 *
 * The table also prints `--help` and docs/CONFIG.md. Config is plain data and
 * knows nothing of the modules that it is for.
 */
#ifndef RUNNEL_CONFIG_CONFIG_H
#define RUNNEL_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"

struct config_place;

/* A list of texts that a repeatable key collects. */
struct config_list {
    char **items; /* owned; NULL when empty */
    size_t count;
    int layer; /* where the items came from: see config_set */
};

struct config {
    struct config_list listen;           /* ADDR:PORT[=DIALECT]; empty: 127.0.0.1 and ::1 at port */
    uint64_t port;                       /* PORT: 8080 */
    bool compat;                         /* 3000=execute and 3001=jobs too */
    bool insecure_public;                /* serve a public address without keys */
    struct config_list server_names;     /* Host values besides localhost */
    struct config_list cors_origins;     /* CORS_ORIGIN: origins besides loopback's */
    struct config_list trusted_proxies;  /* addresses or CIDR whose X-Forwarded-* count */
    uint64_t concurrency;                /* MAX_CONCURRENT_EXECUTIONS: 0 = twice the cores */
    uint64_t queue_length;               /* runs that may wait: 256 */
    uint64_t max_connections;            /* 1024 */
    uint64_t max_body_bytes;             /* 1 MiB ceiling; a route may have a smaller one */
    bool rate_limit_loopback;            /* rate limits hold for loopback clients too */
    uint64_t execute_rate;               /* requests per window at /execute: 100 */
    uint64_t execute_rate_window_ms;     /* 15 min */
    uint64_t jobs_rate;                  /* requests per window at /api/execute: 10 */
    uint64_t jobs_rate_window_ms;        /* 1 min */
    uint64_t shutdown_grace_ms;          /* 10 s */
    struct config_list languages_dirs;   /* besides the built-in one */
    struct config_list allow_missing;    /* isolation layers the operator does without */
    char *cgroup_root;                   /* NULL: our own cgroup */
    uint64_t uid_base;                   /* first host uid for boxes */
    char *log_level;                     /* error, warn, info, debug */
    char *storage_dir;                   /* STORAGE_DIR: NULL: see cli/storage.h */
    uint64_t keep_runs_ms;               /* finished runs and their files: 30 d; 0: for ever */
    uint64_t keep_storage_bytes;         /* all of it: 10 GiB; 0: any */
    uint64_t max_upload_bytes;           /* of one file: 10 MiB */
    char *api_keys;                      /* API_KEYS: token[:label[:rps[:burst]]], … */
    struct config_list allow_anonymous;  /* dialects that need no key */
    uint64_t login_lasts_ms;             /* a browser's: 7 d */
    char *signing_key;                   /* SIGNING_KEY: of links to files; NULL: one of our own */
    char *previous_signing_key;          /* PREVIOUS_SIGNING_KEY: whose links are good, too */
    char *public_base_url;               /* PUBLIC_BASE_URL: what such links begin with */
    struct config_list webhook_networks; /* private ones that webhooks may call */
    char *broker;                        /* amqp://…; NULL: runs are carried out here */
    char *stream;                        /* redis://… */
    char *node_name;                     /* NULL: the host's */
    char *broker_form;                   /* "runnel" or "code-execution" */
    uint64_t memory_share;               /* percent; 0: not bounded */
    struct config_list dependencies;     /* LANGUAGE:NAME */
    char *analysis;                      /* "off", "advise" or "refuse" */
    struct limits
        ceiling; /* max_<limit> keys ("none" lifts one): cut every request last; 0 = none */
    struct config_place *places; /* where what was set was written: see config_blame */
    size_t place_count;
};

/* The defaults; no ceilings. -1: there is no memory for them. */
int config_init(struct config *config, struct err *err);
/* Those of `serve`, whose requests come from others. Before anything is loaded. */
int config_set_ceilings(struct config *config, struct err *err);
void config_fini(struct config *config);

/* From the command line: the key as option ("max-memory") or as in a file; a NULL
 * value turns a switch on. `source` starts the error's sentence: "--port". A list
 * grows with each call and splits at commas, but a higher way to set a key drops
 * what the lower ones collected; so load the file first, then the environment. */
int config_set(struct config *config, const char *key, const char *value, const char *source,
               struct err *err);

/* Lines `max_memory = 512M`, comments with '#'. Unknown keys and sections are errors. */
int config_load_file(struct config *config, const char *path, struct err *err);

/* RUNNEL_MAX_MEMORY=512M, and the plain names that other services have (PORT, API_KEYS),
 * which yield to ours. Empty is the same as unset;
 * another name with RUNNEL_ in front is an error. */
int config_load_environment(struct config *config, char *const *environment, struct err *err);

/* Is `--name` (without the dashes) a key? `ret_wants_value` is false for a switch. */
bool config_is_option(const char *name, bool *ret_wants_value);

/* Of an error that names a key (err_config): puts before its sentence where the value was
 * written, "runnel.conf:12: " or "RUNNEL_LISTEN: ". Of a list it is the item that the sentence
 * shows. An option stays as it is: who gave it has it before him. */
void config_blame(const struct config *config, struct err *err);

void config_print_options(FILE *out);  /* for `serve --help` */
void config_print_markdown(FILE *out); /* docs/CONFIG.md */

#endif
