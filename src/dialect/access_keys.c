/* SPDX-License-Identifier: MIT */
#include "dialect/access_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "base/parse.h"
#include "base/util.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/access_operations.h"
#include "dialect/request_answer.h"
#include "os/clock.h"

#define DAY_MS 86400000ULL
#define LASTS_MAX (36500 * DAY_MS)

struct key_wanted {
    struct slice label;
    const char **scopes;
    uint64_t rate_milli;
    uint64_t burst;
    uint64_t concurrency;
    uint64_t daily_ms;
    uint64_t lasts_ms;
};

/* clang-format off */
#define AT(member) SCHEMA_AT(struct key_wanted, member)
static const struct schema_field wanted_fields[] = {
    {"label",       SCHEMA_TEXT,   AT(label), .help = "for people, in lists and in the log; default"},
    {"scopes",      SCHEMA_TEXTS,  AT(scopes), .choices = access_scopes, .help = "what it may; run and files"},
    {"rate",        SCHEMA_MILLI,  AT(rate_milli), .largest = ACCOUNT_RATE_MILLI_MAX / 1000,
     .help = "runs a second that it may start; 5; 0 is any"},
    {"burst",       SCHEMA_NUMBER, AT(burst), .smallest = 1, .largest = ACCOUNT_BURST_MAX,
     .help = "runs that it may start at once; 10"},
    {"concurrency", SCHEMA_NUMBER, AT(concurrency), .largest = ACCOUNT_BURST_MAX,
     .help = "runs that it may have at a time; 0 is any"},
    {"daily_ms",    SCHEMA_NUMBER, AT(daily_ms), .largest = LASTS_MAX,
     .help = "time of its runs in a day; 0 is any"},
    {"lasts_ms",    SCHEMA_NUMBER, AT(lasts_ms), .largest = LASTS_MAX,
     .help = "when it ends, from now; 0 is never"},
    {NULL},
};
static const struct schema_field created_fields[] = {
    {"number", SCHEMA_NUMBER, .required = true, .nullable = true},
    {"label",  SCHEMA_TEXT,   .required = true},
    {"token",  SCHEMA_TEXT,   .required = true, .help = "what its holder sends"},
    {NULL},
};
static const struct schema_field key_fields[] = {
    {"number",       SCHEMA_NUMBER, .required = true, .nullable = true, .help = "null: it stands in the configuration"},
    {"label",        SCHEMA_TEXT,   .required = true},
    {"from_environment", SCHEMA_BOOL, .required = true},
    {"scopes",       SCHEMA_TEXTS,  .required = true, .choices = access_scopes},
    {"rate",         SCHEMA_MILLI,   .required = true},
    {"burst",        SCHEMA_NUMBER, .required = true},
    {"concurrency",  SCHEMA_NUMBER, .required = true},
    {"daily_ms",     SCHEMA_NUMBER, .required = true},
    {"created_at",   SCHEMA_TIME,   .required = true, .nullable = true},
    {"expires_at",   SCHEMA_TIME,   .required = true, .nullable = true},
    {"revoked_at",   SCHEMA_TIME,   .required = true, .nullable = true},
    {"running",      SCHEMA_NUMBER, .required = true, .help = "its runs now"},
    {"today_runs",   SCHEMA_NUMBER, .required = true},
    {"today_run_ms", SCHEMA_NUMBER, .required = true, .help = "what counts for daily_ms"},
    {NULL},
};
static const struct schema key_schema = {"Key", key_fields, NULL};
static const struct schema_field list_fields[] = {
    {"keys", SCHEMA_OBJECTS, .required = true, .items = &key_schema},
    {NULL},
};
/* clang-format on */
const struct schema access_key_schema = {"KeyRequest", wanted_fields, "A key that is wanted."};
const struct schema access_new_key_schema = {"NewKey", created_fields, NULL};
const struct schema access_keys_schema = {"KeyList", list_fields, NULL};

/* --- list --- */

static void write_time(struct json *json, const char *key, uint64_t unix_ms)
{
    char text[32];
    json_text(json, key, unix_ms > 0 ? format_time(text, unix_ms) : NULL);
}

static void write_key(void *context, const struct account_state *state)
{
    struct json *json = context;
    const struct store_key *key = state->key;
    json_open_object(json, NULL);
    json_exact_u64(json, "number", key->number); /* by others nothing is done */
    json_text(json, "label", key->label);
    json_bool(json, "from_environment", state->from_environment);
    access_write_scopes(json, key->scopes);
    json_milli(json, "rate", key->rate_milli);
    json_u64(json, "burst", key->burst);
    json_u64(json, "concurrency", key->concurrency);
    json_u64(json, "daily_ms", key->daily_run_ms);
    write_time(json, "created_at", key->created_ms);
    write_time(json, "expires_at", key->expires_ms);
    write_time(json, "revoked_at", key->revoked_ms);
    json_u64(json, "running", state->running);
    json_u64(json, "today_runs", state->today_runs);
    json_u64(json, "today_run_ms", state->today_run_ms);
    json_close_object(json);
}

void access_handle_list(struct http_request *request, void *context)
{
    const struct access *access = context;
    struct buf body;
    buf_init(&body, 64 * MIB);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_open_array(&json, "keys");
    accounts_list(access->accounts, write_key, &json);
    json_close_array(&json);
    json_close_object(&json);
    http_reply_take(request, 200, ANSWER_JSON, &body);
    buf_fini(&body);
}

/* --- a change, which is answered when it counts --- */

struct change {
    const struct access *access;
    struct http_request *request; /* NULL: the client left */
    char label[64];
    char token[ACCOUNT_TOKEN_SIZE]; /* "": a key was revoked */
};

static void change_free(struct change *change)
{
    explicit_bzero(change->token, sizeof change->token);
    free(change);
}

static void on_gone(void *context)
{
    struct change *change = context;
    change->request = NULL;
}

static struct change *change_new(const struct access *access, struct http_request *request)
{
    struct err err;
    struct change *change = access->store ? calloc(1, sizeof *change) : NULL;
    if (change) {
        *change = (struct change){.access = access, .request = request};
        return change;
    }
    (void)(access->store ? err_sys(&err, errno, "key")
                         : err_set(&err, ERR_CONFLICT,
                                   "keys are not stored here: api_keys of the configuration holds "
                                   "them"));
    http_reply_err(request, &err);
    return NULL;
}

static void answer_created(const struct change *change)
{
    struct caller caller = {0};
    auto_buf struct buf body;
    buf_init(&body, KIB);
    struct json json = json_start(&body);
    bool is_known = accounts_by_token(change->access->accounts, change->token, &caller, NULL) == 0;
    json_open_object(&json, NULL);
    if (is_known)
        json_u64(&json, "number", caller.key);
    else
        json_nothing(&json, "number"); /* it could not be looked up just now */
    json_text(&json, "label", change->label);
    json_text(&json, "token", change->token);
    json_close_object(&json);
    http_add_header(change->request, "Cache-Control", "no-store");
    http_reply_take(change->request, 201, ANSWER_JSON, &body);
}

/* A token is shown all the same: there is no other time for that. */
static void on_reloaded(void *context, const struct err *err)
{
    struct change *change = context;
    struct err later;
    if (change->request && *change->token) {
        answer_created(change);
    } else if (change->request && err) {
        (void)err_set(&later, err->code,
                      "it is revoked, but good here until the keys can be read again: %s",
                      err->text);
        http_reply_err(change->request, &later);
    } else if (change->request) {
        http_reply(change->request, 204, NULL, (struct slice){0});
    }
    change_free(change);
}

static void on_stored(void *context, const struct err *err)
{
    struct change *change = context;
    if (!err) {
        accounts_reload(change->access->accounts, on_reloaded, change);
        return;
    }
    if (change->request)
        http_reply_err(change->request, err);
    change_free(change);
}

/* --- create --- */

static int take_scopes(const struct key_wanted *wanted, unsigned *ret_scopes, struct err *err)
{
    unsigned all = 0;
    for (size_t i = 0; wanted->scopes && wanted->scopes[i]; i++) {
        unsigned bits = 0;
        if (account_scopes_parse(wanted->scopes[i], &bits, err) < 0)
            return -1;
        all |= bits;
    }
    if (wanted->scopes && all == 0)
        return err_field(err, "scopes", "scopes must be a list of run, files and admin");
    *ret_scopes = wanted->scopes ? all : STORE_SCOPE_RUN | STORE_SCOPE_FILES;
    return 0;
}

/* Its label stays the tree's. */
static int read_key(const json_t *body, struct store_key *key, struct err *err)
{
    struct key_wanted wanted = {
        .label = slice_of("default"),
        .rate_milli = ACCOUNT_RATE_MILLI,
        .burst = ACCOUNT_BURST,
    };
    uint64_t now_ms = clock_unix_ms();
    unsigned scopes = 0;
    int rc = schema_refuse_unknown(wanted_fields, body, err);
    if (rc == 0)
        rc = schema_read(wanted_fields, body, &wanted, err);
    if (rc == 0)
        rc = account_check_label(wanted.label.at, err);
    if (rc == 0)
        rc = take_scopes(&wanted, &scopes, err);
    *key = (struct store_key){
        .label = wanted.label.at,
        .scopes = scopes,
        .rate_milli = wanted.rate_milli,
        .burst = wanted.burst,
        .concurrency = wanted.concurrency,
        .daily_run_ms = wanted.daily_ms,
        .created_ms = now_ms,
        .expires_ms = wanted.lasts_ms > 0 ? now_ms + wanted.lasts_ms : 0,
    };
    schema_fini(wanted_fields, &wanted);
    return rc;
}

void access_handle_create(struct http_request *request, void *context)
{
    const struct access *access = context;
    struct store_key key;
    struct err err;
    struct slice text = http_request_body(request);
    if (text.len > 0 && !http_request_is_json(request)) {
        (void)err_set(&err, ERR_MEDIA_TYPE, "the body must be application/json");
        http_reply_err(request, &err);
        return;
    }
    auto_json json_t *body = json_read_object(text.len > 0 ? text : slice_of("{}"), &err);
    if (!body || read_key(body, &key, &err) < 0) {
        http_reply_err(request, &err);
        return;
    }
    struct change *change = change_new(access, request);
    if (!change)
        return;
    if (account_token_new(change->token, key.token_digest, &err) < 0) {
        http_reply_err(request, &err);
        change_free(change);
        return;
    }
    memcpy(change->label, key.label, strlen(key.label) + 1); /* it was checked */
    http_on_gone(request, on_gone, change);
    store_key_add(access->store, &key, on_stored, change);
}

/* --- revoke --- */

void access_handle_revoke(struct http_request *request, void *context)
{
    const struct access *access = context;
    const char *text = http_request_capture(request, "number");
    uint64_t number = 0;
    struct err err;
    if (parse_u64(text, &number) < 0 || number == 0 || number >= 1ULL << 62) {
        (void)err_set(&err, ERR_NOT_FOUND, "there is no such key");
        http_reply_err(request, &err);
        return;
    }
    struct change *change = change_new(access, request);
    if (!change)
        return;
    http_on_gone(request, on_gone, change);
    store_key_revoke(access->store, number, clock_unix_ms(), on_stored, change);
}
