/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/account.h"
#include "base/parse.h"
#include "base/util.h"
#include "cli/verb_key.h"
#include "codec/json_write.h"
#include "os/clock.h"

enum { JSON_MAX = 4096 };
#define DAY_MS 86400000ULL

/* What may be written for a number, and where it goes. "none" is 0. */
struct reading {
    const char *option;
    const char *value; /* NULL: not given, the field stays as it is */
    int (*parse)(const char *text, uint64_t *ret_value);
    uint64_t largest;
    const char *wanted;
    uint64_t *field;
};

static int read_number(const struct reading *reading, struct err *err)
{
    uint64_t number = 0;
    if (!reading->value)
        return 0;
    if (strcmp(reading->value, "none") != 0 &&
        (reading->parse(reading->value, &number) < 0 || number == 0 || number > reading->largest))
        return err_set(err, ERR_INVALID, "--%s %.40s: write %s", reading->option, reading->value,
                       reading->wanted);
    *reading->field = number;
    return 0;
}

int key_read(const struct key_options *options, uint64_t now_ms, struct store_key *ret_key,
             struct err *err)
{
    uint64_t lasts_ms = 0;
    struct store_key key = {.label = options->label ? options->label : "default",
                            .scopes = STORE_SCOPE_RUN | STORE_SCOPE_FILES,
                            .rate_milli = ACCOUNT_RATE_MILLI,
                            .burst = ACCOUNT_BURST,
                            .created_ms = now_ms};
    const struct reading readings[] = {
        {"rate", options->rate, parse_milli, ACCOUNT_RATE_MILLI_MAX,
         "requests a second from 0.001 to 1000000, or none", &key.rate_milli},
        {"burst", options->burst, parse_u64, ACCOUNT_BURST_MAX, "a number from 1 to 1000000",
         &key.burst},
        {"concurrency", options->concurrency, parse_u64, 1000000,
         "a number of runs from 1 to 1000000, or none", &key.concurrency},
        {"daily", options->daily, parse_duration_ms, 3650000 * DAY_MS,
         "a time of runs a day, as in 3600s, 2h or none", &key.daily_run_ms},
        {"expires", options->expires, parse_duration_ms, 36500 * DAY_MS,
         "a time from now, as in 12h, 30d or none", &lasts_ms},
    };
    if (account_check_label(key.label, err) < 0 ||
        (options->scopes && account_scopes_parse(options->scopes, &key.scopes, err) < 0))
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
        if (read_number(&readings[i], err) < 0)
            return -1;
    }
    if (key.burst == 0)
        return err_set(err, ERR_INVALID, "--burst none: a key without a rate is --rate none");
    key.expires_ms = lasts_ms > 0 ? now_ms + lasts_ms : 0;
    *ret_key = key;
    return 0;
}

static int print_json(const struct store_key *key, const char *token, struct err *err)
{
    auto_buf struct buf text;
    buf_init(&text, JSON_MAX);
    struct json json = json_start(&text);
    json_open_object(&json, NULL);
    json_u64(&json, "number", key->number);
    json_text(&json, "label", key->label);
    json_text(&json, "token", token);
    json_close_object(&json);
    if (text.failed)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)printf("%s\n", buf_text(&text));
    return 0;
}

/* The token alone on stdout, for `TOKEN=$(runnel key create …)`. */
static void print_text(const struct store_key *key, const char *token, const char *dir)
{
    char scopes[32];
    char time[32];
    (void)fprintf(stderr, "key %" PRIu64 ", %s: may %s", key->number, key->label,
                  account_scopes_text(key->scopes, scopes));
    if (key->expires_ms > 0)
        (void)fprintf(stderr, ", until %s", key_format_time(time, key->expires_ms));
    (void)fprintf(
        stderr,
        "\nThis is its token. Only a digest of it is kept, in %s: it is not shown again.\n\n", dir);
    (void)fflush(stderr);
    (void)printf("%s\n", token);
    (void)fflush(stdout);
    (void)fprintf(stderr, "\nUse it so (a service with that folder knows it within two seconds):\n"
                          "  curl -s localhost:8080/v1/runs -H 'Authorization: Bearer TOKEN' \\\n"
                          "       -H 'Content-Type: application/json' \\\n"
                          "       -d '{\"language\":\"python\",\"code\":\"print(6*7)\"}'\n");
}

int key_create(struct store *store, const char *dir, const struct key_options *options,
               struct err *err)
{
    struct store_key key;
    char token[ACCOUNT_TOKEN_SIZE];
    if (key_read(options, clock_unix_ms(), &key, err) < 0 ||
        account_token_new(token, key.token_digest, err) < 0 ||
        store_key_add_now(store, &key, &key.number, err) < 0)
        return -1;
    int rc = 0;
    if (options->json)
        rc = print_json(&key, token, err);
    else
        print_text(&key, token, dir);
    explicit_bzero(token, sizeof token);
    return rc;
}
