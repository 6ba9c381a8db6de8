/* SPDX-License-Identifier: MIT */
/* verb_key.c — `runnel key`: who may use the service. Works on the folder that a
 * service keeps its keys in, whether one runs or not. */
#include "cli/verb_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "account/account.h"
#include "base/parse.h"
#include "base/util.h"
#include "cli/storage.h"
#include "cli/verb.h"
#include "codec/json_write.h"
#include "codec/utf8.h"
#include "os/clock.h"

enum { CREATE_ROWS = 7 }; /* the first ones, which only `create` has */

/* clang-format off */
static const struct option rows[] = {
    {"label", 'l', "TEXT", "create: what the key is for (default: default)", option_set_text, offsetof(struct key_options, label)},
    {"scopes", 0, "LIST", "create: of run, files and admin (default: run,files)", option_set_text, offsetof(struct key_options, scopes)},
    {"rate", 0, "N", "create: requests a second, or none for any (default: 5)", option_set_text, offsetof(struct key_options, rate)},
    {"burst", 0, "N", "create: requests at once that the rate then makes up for (default: 10)", option_set_text, offsetof(struct key_options, burst)},
    {"concurrency", 0, "N", "create: runs at the same time (default: none, any)", option_set_text, offsetof(struct key_options, concurrency)},
    {"daily", 0, "TIME", "create: time of runs a day, from 00:00 UTC, as in 8h (default: none, any)", option_set_text, offsetof(struct key_options, daily)},
    {"expires", 0, "TIME", "create: how long the key is good, as in 30d (default: none, for ever)", option_set_text, offsetof(struct key_options, expires)},
    {"json", 0, NULL, "as JSON", option_set_switch, offsetof(struct key_options, json)},
    {"storage-dir", 0, "DIR", "the folder of the service (default: as `serve` finds it)", option_set_config, 0},
    {"config", 'c', "FILE", "configuration file (default: /etc/runnel/runnel.conf)", option_set_text, offsetof(struct config_flags, file)},
    {0},
};
/* clang-format on */

const char *key_format_time(char text[32], uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc;
    if (unix_ms == 0 || !gmtime_r(&seconds, &utc) ||
        strftime(text, 32, "%Y-%m-%d %H:%M", &utc) == 0)
        (void)snprintf(text, 32, "-");
    return text;
}

/* --- list --- */

struct listing {
    const struct key_options *options;
    uint64_t now_ms;
    struct json json;
    struct buf text;
};

static const char *state_of(const struct store_key *key, uint64_t now_ms)
{
    if (key->revoked_ms > 0)
        return "revoked";
    return key->expires_ms > 0 && key->expires_ms <= now_ms ? "expired" : "good";
}

static const char *rate_text(const struct store_key *key, char text[32])
{
    if (key->rate_milli == 0)
        return "-";
    (void)snprintf(text, 32, "%g/s, %" PRIu64, (double)key->rate_milli / 1000, key->burst);
    return text;
}

static const char *number_text(uint64_t number, char text[32])
{
    if (number == 0)
        return "-";
    (void)snprintf(text, 32, "%" PRIu64, number);
    return text;
}

/* What stands in the store was written by one without privilege, who may have been taken over. */
static struct slice label_of(const struct store_key *key)
{
    return slice_of(key->label ? key->label : "");
}

static void print_row(const struct store_key *key, uint64_t now_ms)
{
    char texts[6][32];
    char label[128];
    (void)printf(
        "%-6" PRIu64 " %-20s %-15s %-12s %-7s %-10s %-16s  %-16s  %s\n", key->number,
        utf8_for_people(label, sizeof label, label_of(key)),
        account_scopes_text(key->scopes, texts[0]), rate_text(key, texts[1]),
        number_text(key->concurrency, texts[2]),
        key->daily_run_ms > 0 ? format_duration(texts[3], sizeof texts[3], key->daily_run_ms) : "-",
        key_format_time(texts[4], key->created_ms), key_format_time(texts[5], key->expires_ms),
        state_of(key, now_ms));
}

static void write_row(struct json *json, const struct store_key *key, uint64_t now_ms)
{
    char scopes[32];
    json_open_object(json, NULL);
    json_u64(json, "number", key->number);
    json_text(json, "label", key->label);
    json_text(json, "scopes", account_scopes_text(key->scopes, scopes));
    json_milli(json, "rate", key->rate_milli);
    json_u64(json, "burst", key->burst);
    json_u64(json, "concurrency", key->concurrency);
    json_u64(json, "daily_ms", key->daily_run_ms);
    json_u64(json, "created_ms", key->created_ms);
    json_u64(json, "expires_ms", key->expires_ms);
    json_u64(json, "revoked_ms", key->revoked_ms);
    json_text(json, "state", state_of(key, now_ms));
    json_close_object(json);
}

static void print_keys(void *context, const struct store_key *keys, size_t count,
                       const struct err *err)
{
    struct listing *listing = context;
    for (size_t i = 0; !err && i < count; i++) {
        if (listing->options->json)
            write_row(&listing->json, &keys[i], listing->now_ms);
        else
            print_row(&keys[i], listing->now_ms);
    }
}

static int key_list(struct store *store, const struct key_options *options, struct err *err)
{
    struct listing listing = {.options = options, .now_ms = clock_unix_ms()};
    buf_init(&listing.text, SIZE_MAX);
    listing.json = json_start(&listing.text);
    json_open_array(&listing.json, NULL);
    if (!options->json)
        (void)printf("%-6s %-20s %-15s %-12s %-7s %-10s %-16s  %-16s  %s\n", "NUMBER", "LABEL",
                     "SCOPES", "RATE, BURST", "AT ONCE", "A DAY", "CREATED (UTC)", "EXPIRES",
                     "STATE");
    int rc = store_key_list_now(store, print_keys, &listing, err);
    json_close_array(&listing.json);
    if (rc == 0 && options->json)
        (void)printf("%s\n", buf_text(&listing.text));
    if (rc == 0 && listing.text.failed)
        rc = err_set(err, ERR_INTERNAL, "out of memory");
    buf_fini(&listing.text);
    return rc;
}

/* --- revoke --- */

/* A key that is meant by its number or by its label. */
struct search {
    const char *meant;
    uint64_t number; /* of the last one that fits */
    size_t count;
    bool is_revoked;
};

static bool fits(const struct search *search, const struct store_key *key)
{
    uint64_t number = 0;
    if (parse_u64(search->meant, &number) == 0)
        return number == key->number;
    return slice_equal(label_of(key), slice_of(search->meant));
}

static void find_keys(void *context, const struct store_key *keys, size_t count,
                      const struct err *err)
{
    struct search *search = context;
    for (size_t i = 0; !err && i < count; i++) {
        if (!fits(search, &keys[i]))
            continue;
        search->is_revoked = search->is_revoked || keys[i].revoked_ms > 0;
        search->count += keys[i].revoked_ms == 0;
        if (keys[i].revoked_ms == 0)
            search->number = keys[i].number;
    }
}

static int key_revoke(struct store *store, const struct key_options *options, const char *meant,
                      struct err *err)
{
    struct search search = {.meant = meant};
    if (store_key_list_now(store, find_keys, &search, err) < 0)
        return -1;
    if (search.count == 0 && search.is_revoked)
        return err_set(err, ERR_CONFLICT, "key %.80s is revoked already", meant);
    if (search.count == 0)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no key %.80s ('runnel key list' shows them; those of API_KEYS are "
                       "taken out there)",
                       meant);
    if (search.count > 1)
        return err_set(err, ERR_CONFLICT,
                       "%zu keys have the label %.80s: say the number of one ('runnel key list' "
                       "shows it)",
                       search.count, meant);
    if (store_key_revoke_now(store, search.number, clock_unix_ms(), err) < 0)
        return -1;
    if (options->json)
        (void)printf("{\"number\":%" PRIu64 ",\"state\":\"revoked\"}\n", search.number);
    else
        (void)printf("key %" PRIu64 " is revoked; a service that runs refuses it within two "
                     "seconds\n",
                     search.number);
    return 0;
}

/* --- the verb --- */

static int act(const struct key_options *options, const struct words *operands, struct store *store,
               const char *dir, struct err *err)
{
    const char *action = operands->items[0];
    if (strcmp(action, "create") == 0)
        return key_create(store, dir, options, err);
    if (strcmp(action, "list") == 0)
        return key_list(store, options, err);
    return key_revoke(store, options, operands->items[1], err);
}

static int check_operands(const struct words *operands, struct err *err)
{
    static const struct {
        const char *name;
        size_t operands;
    } actions[] = {{"create", 1}, {"list", 1}, {"revoke", 2}};
    for (size_t i = 0; operands->count > 0 && i < ARRAY_LEN(actions); i++) {
        if (strcmp(operands->items[0], actions[i].name) == 0 &&
            operands->count == actions[i].operands)
            return 0;
    }
    return err_set(err, ERR_INVALID,
                   "write 'runnel key create', 'runnel key list' or 'runnel key revoke "
                   "NUMBER|LABEL'");
}

static int check_options(const struct key_options *options, const char *action, struct err *err)
{
    for (size_t i = 0; i < CREATE_ROWS && strcmp(action, "create") != 0; i++) {
        if (*(const char *const *)((const char *)options + rows[i].which))
            return err_set(err, ERR_INVALID, "--%s is for 'runnel key create' alone", rows[i].name);
    }
    return 0;
}

static int open_and_act(const void *target, const struct words *operands, struct err *err)
{
    const struct key_options *options = target;
    char path[STORAGE_PATH_SIZE];
    struct store_key unused;
    struct store *store = NULL;
    struct config config;
    int rc = config_init(&config, err);
    if (rc == 0)
        rc = check_operands(operands, err);
    if (rc == 0)
        rc = check_options(options, operands->items[0], err);
    if (rc == 0) /* before a folder is made for nothing */
        rc = key_read(options, 0, &unused, err);
    if (rc == 0)
        rc = configure(&config, &options->config, err);
    if (rc == 0)
        rc = storage_find(&config, path, err);
    if (rc == 0)
        rc = store_open_beside(path, &store, err);
    if (rc == 0)
        rc = act(options, operands, store, path, err);
    store_free(store);
    config_fini(&config);
    return rc;
}

static int run_key(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct key_options options = {0};
    return verb_act(verb, argc, argv, &options, open_and_act, err);
}

const struct verb verb_key = {
    .name = "key",
    .summary = "who may use the service: make, list and revoke keys",
    .synopsis = "key create [options] | key list | key revoke NUMBER|LABEL",
    .teaching = "examples:\n"
                "  runnel key create --label ci --rate 5 --burst 10 --concurrency 4\n"
                "  runnel key create --label guest --daily 3600s --expires 30d\n"
                "  TOKEN=$(runnel key create --label me --scopes run,files,admin)\n"
                "  runnel key list\n"
                "  runnel key revoke ci\n"
                "\n"
                "Until a key is made, whoever reaches the service may use it. From the first one\n"
                "on, requests need one: 'Authorization: Bearer TOKEN'.\n",
    .options = {.rows = rows},
    .run = run_key,
};
