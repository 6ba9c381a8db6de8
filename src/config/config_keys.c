/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "base/util.h"
#include "config/config_private.h"

#define FIELD(field_) .offset = offsetof(struct config, field_)
#define RANGE(smallest_, largest_) .smallest = (smallest_), .largest = (largest_)

#define DAY_MS 86400000ULL

/* clang-format off */
const struct config_key config_keys[] = {
    {"listen", .type = CONFIG_LIST, FIELD(listen), .value = "ADDR:PORT[=DIALECT]",
     .help = "serve here; without it, on 127.0.0.1 and ::1 at the port"},
    {"port", "PORT", CONFIG_NUMBER, FIELD(port), RANGE(0, 65535), .preset = "8080",
     .help = "port of the default listeners; 0 is any free one"},
    {"compat", .type = CONFIG_SWITCH, FIELD(compat), .preset = "no",
     .help = "listen at 3000=execute and 3001=jobs too"},
    {"insecure_public", .type = CONFIG_SWITCH, FIELD(insecure_public), .preset = "no",
     .help = "serve a public address although no key is configured"},
    {"server_names", .type = CONFIG_LIST, FIELD(server_names), .value = "NAME",
     .help = "names that clients may use for us in Host, besides localhost"},
    {"cors_origins", "CORS_ORIGIN", CONFIG_LIST, FIELD(cors_origins), .value = "ORIGIN",
     .help = "origins whose pages may call us, besides our own and loopback's"},
    {"trusted_proxies", .type = CONFIG_LIST, FIELD(trusted_proxies), .value = "ADDR[/BITS]",
     .help = "proxies whose X-Forwarded-For and -Proto count"},
    {"concurrency", "MAX_CONCURRENT_EXECUTIONS", CONFIG_NUMBER, FIELD(concurrency), RANGE(0, 4096),
     .preset = "0", .help = "runs at the same time; 0 is twice the cores"},
    {"queue_length", .type = CONFIG_NUMBER, FIELD(queue_length), RANGE(0, 1000000), .preset = "256",
     .help = "runs that may wait for a free slot"},
    {"max_connections", .type = CONFIG_NUMBER, FIELD(max_connections), RANGE(1, 1000000),
     .preset = "1024", .help = "client connections at the same time"},
    {"max_body", .type = CONFIG_BYTES, FIELD(max_body_bytes), RANGE(KIB, GIB), .preset = "1M",
     .help = "size of a request's body; a route may allow less"},
    {"rate_limit_loopback", .type = CONFIG_SWITCH, FIELD(rate_limit_loopback), .preset = "no",
     .help = "rate limits hold for clients on this machine too"},
    {"execute_rate", .type = CONFIG_NUMBER, FIELD(execute_rate), RANGE(1, 1000000000),
     .preset = "100", .help = "requests per window and client at /execute"},
    {"execute_rate_window", .type = CONFIG_DURATION, FIELD(execute_rate_window_ms),
     RANGE(1000, DAY_MS), .preset = "15m", .help = "the window of execute_rate"},
    {"jobs_rate", .type = CONFIG_NUMBER, FIELD(jobs_rate), RANGE(1, 1000000000), .preset = "10",
     .help = "requests per window and client at /api/execute"},
    {"jobs_rate_window", .type = CONFIG_DURATION, FIELD(jobs_rate_window_ms), RANGE(1000, DAY_MS),
     .preset = "1m", .help = "the window of jobs_rate"},
    {"shutdown_grace", .type = CONFIG_DURATION, FIELD(shutdown_grace_ms), RANGE(0, DAY_MS),
     .preset = "10s", .help = "time that runs have to end when we are told to stop"},
    {"languages_dirs", .type = CONFIG_LIST, FIELD(languages_dirs), .value = "DIR",
     .help = "folders with more language files"},
    {"allow_missing", .type = CONFIG_LIST, FIELD(allow_missing), .value = "LAYER",
     .help = "isolation layers to do without (see `runnel doctor`)"},
    {"cgroup_root", .type = CONFIG_TEXT, FIELD(cgroup_root), .value = "PATH",
     .help = "make the cgroups of boxes below this one; without it, below our own"},
    {"uid_base", .type = CONFIG_NUMBER, FIELD(uid_base), RANGE(65536, 4294639616),
     .preset = "1879048192", .help = "the first host user id for boxes"},
    {"log_level", .type = CONFIG_CHOICE, FIELD(log_level), .choices = "error, warn, info, debug",
     .preset = "info", .value = "LEVEL", .help = "log events of this weight and above"},
    {"storage_dir", "STORAGE_DIR", CONFIG_TEXT, FIELD(storage_dir), .value = "DIR",
     .help = "what is kept, here; else in /var/lib/runnel, or ~/.local/state/runnel"},
    {"keep_runs", .type = CONFIG_DURATION, FIELD(keep_runs_ms), RANGE(0, 3650 * DAY_MS),
     .preset = "30d", .help = "keep finished runs and their files so long; 0 is for ever"},
    {"keep_storage", .type = CONFIG_BYTES, FIELD(keep_storage_bytes), RANGE(0, MIB * GIB),
     .preset = "10G", .help = "of runs and files; the key with most loses its oldest; 0 is any"},
    {"max_upload", .type = CONFIG_BYTES, FIELD(max_upload_bytes), RANGE(1, 64 * GIB),
     .preset = "10M", .help = "size of an uploaded file"},
    {"api_keys", "API_KEYS", CONFIG_TEXT, FIELD(api_keys), .is_secret = true,
     .value = "TOKEN[:LABEL[:RPS[:BURST]]],…",
     .help = "keys, besides those of `runnel key`; who has none is refused"},
    {"allow_anonymous", .type = CONFIG_LIST, FIELD(allow_anonymous), .value = "DIALECT",
     .help = "dialects that need no key although there are some; never runs"},
    {"login_lasts", .type = CONFIG_DURATION, FIELD(login_lasts_ms), RANGE(60000, 3650 * DAY_MS),
     .preset = "7d", .help = "how long a browser stays logged in"},
    {"signing_key", "SIGNING_KEY", CONFIG_TEXT, FIELD(signing_key), .is_secret = true,
     .help = "secret that signs links to files; without it, one is made and kept"},
    {"previous_signing_key", "PREVIOUS_SIGNING_KEY", CONFIG_TEXT, FIELD(previous_signing_key),
     .is_secret = true, .help = "the one before: its links stay good"},
    {"public_base_url", "PUBLIC_BASE_URL", CONFIG_TEXT, FIELD(public_base_url), .value = "URL",
     .help = "what links to files begin with; without it, what the client called us"},
    {"webhook_networks", .type = CONFIG_LIST, FIELD(webhook_networks), .value = "ADDR[/BITS]",
     .help = "private networks that webhooks may call"},
    {"broker", "RABBITMQ_URL", CONFIG_TEXT, FIELD(broker), .value = "URL", .is_secret = true,
     .help = "RabbitMQ, as amqp://user:password@host:5672/: runs go to workers"},
    {"stream", "REDIS_URL", CONFIG_TEXT, FIELD(stream), .value = "URL", .is_secret = true,
     .help = "Redis, as redis://host:6379: how runs on workers speak and are spoken to"},
    {"node_name", .type = CONFIG_TEXT, FIELD(node_name), .value = "NAME",
     .help = "of this process among others at a broker; without it, the host's"},
    {"broker_form", .type = CONFIG_CHOICE, FIELD(broker_form), .choices = "runnel, code-execution",
     .preset = "runnel", .value = "FORM",
     .help = "who takes the jobs of /api/execute: our workers or that service's"},
    {"memory_share", .type = CONFIG_NUMBER, FIELD(memory_share), RANGE(0, 1000), .preset = "80",
     .help = "percent of all memory that running boxes may be promised; 0 is any"},
    {"dependencies", .type = CONFIG_LIST, FIELD(dependencies), .value = "LANGUAGE:NAME",
     .help = "packages that are on the machine, which jobs may name"},
    {"analysis", .type = CONFIG_CHOICE, FIELD(analysis), .choices = "off, advise, refuse",
     .preset = "off", .value = "HOW",
     .help = "look for suspicious words in the source of jobs"},
#define X(id, json_, option_, unit_, scale_, smallest_, largest_, help_) \
    {option_, .type = CONFIG_CEILING, .limit = (id), FIELD(ceiling.value[id]), .help = (help_)},
    LIMIT_TABLE(X)
#undef X
    {NULL},
};
/* clang-format on */

/* Far above what the profiles give, and far below what would hurt a usual host.
 * The rest is bounded by these: cpu time by wall time, one file by the workspace. */
static const char *const ceiling_presets[LIMIT_KINDS] = {
    [LIMIT_WALL] = "10m",           [LIMIT_QUEUE] = "10m",
    [LIMIT_MEMORY] = "2G",          [LIMIT_PROCESSES] = "512",
    [LIMIT_OUTPUT] = "64M",         [LIMIT_WORKSPACE] = "1G",
    [LIMIT_INODES] = "65536",       [LIMIT_OPEN_FILES] = "4096",
    [LIMIT_ARTIFACT_FILES] = "256", [LIMIT_ARTIFACT_BYTES] = "256M",
};

const char *config_preset(const struct config_key *key)
{
    return key->type == CONFIG_CEILING ? ceiling_presets[key->limit] : key->preset;
}

static char spell(char letter, enum config_style style)
{
    if (letter == '-' || letter == '_')
        return style == STYLE_OPTION ? '-' : '_';
    if (style == STYLE_ENVIRONMENT)
        return (char)toupper((unsigned char)letter);
    return letter;
}

/* A ceiling is named after its limit, with "max_" before it unless the limit is
 * called so itself. */
const char *config_key_name(const struct config_key *key, enum config_style style,
                            char name[CONFIG_NAME_ROOM])
{
    bool prefix = key->type == CONFIG_CEILING && strncmp(key->name, "max-", 4) != 0;
    (void)snprintf(name, CONFIG_NAME_ROOM, "%s%s%s", style == STYLE_ENVIRONMENT ? "RUNNEL_" : "",
                   prefix ? "max_" : "", key->name);
    for (char *at = name; *at; at++)
        *at = spell(*at, style);
    return name;
}

const struct config_key *config_find(const char *name, enum config_style style)
{
    char known[CONFIG_NAME_ROOM];
    for (const struct config_key *key = config_keys; key->name; key++) {
        if (strcmp(config_key_name(key, style, known), name) == 0)
            return key;
    }
    return NULL;
}

const char *config_nearest(const char *mistyped, enum config_style style,
                           char name[CONFIG_NAME_ROOM])
{
    const struct config_key *best = NULL;
    struct nearest nearest = nearest_within(mistyped, 2);
    for (const struct config_key *key = config_keys; key->name; key++) {
        if (nearest_offer(&nearest, config_key_name(key, style, name)))
            best = key;
    }
    return best ? config_key_name(best, style, name) : NULL;
}

const char *config_value_word(const struct config_key *key)
{
    static const char *const words[] = {
        [CONFIG_SWITCH] = "yes|no", [CONFIG_NUMBER] = "N",      [CONFIG_BYTES] = "SIZE",
        [CONFIG_DURATION] = "TIME", [CONFIG_TEXT] = "TEXT",     [CONFIG_CHOICE] = "WORD",
        [CONFIG_LIST] = "TEXT",     [CONFIG_CEILING] = "VALUE",
    };
    static const char *const ceiling_words[] = {
        [LIMIT_MS] = "TIME", [LIMIT_MILLI] = "N", [LIMIT_BYTES] = "SIZE", [LIMIT_COUNT_OF] = "N"};
    if (key->value)
        return key->value;
    return key->type == CONFIG_CEILING ? ceiling_words[limit_info(key->limit)->unit]
                                       : words[key->type];
}

const char *config_describe(const struct config_key *key, char *text, size_t size)
{
    const struct limit_info *info = limit_info(key->limit); /* of a ceiling */
    switch (key->type) {
    case CONFIG_SWITCH:
        return "yes or no";
    case CONFIG_NUMBER:
        return limit_describe(LIMIT_COUNT_OF, key->smallest, key->largest, text, size);
    case CONFIG_BYTES:
        return limit_describe(LIMIT_BYTES, key->smallest, key->largest, text, size);
    case CONFIG_DURATION:
        return limit_describe(LIMIT_MS, key->smallest, key->largest, text, size);
    case CONFIG_CEILING:
        (void)limit_describe(info->unit, info->smallest, info->largest, text, size);
        (void)snprintf(text + strlen(text), size - strlen(text), ", or none");
        return text;
    case CONFIG_CHOICE:
        (void)snprintf(text, size, "one of %s", key->choices);
        return text;
    case CONFIG_TEXT:
    case CONFIG_LIST:
        break;
    }
    return "a text";
}
