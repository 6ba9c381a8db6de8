/* SPDX-License-Identifier: MIT */
#include "dialect/access.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/account.h"
#include "base/parse.h"
#include "base/util.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "dialect/access_keys.h"
#include "dialect/access_operations.h"
#include "dialect/request_access.h"
#include "dialect/request_answer.h"
#include "dialect/request_webhook.h"
#include "dialect/request_window.h"
#include "loop/loop.h"
#include "os/clock.h"
#include "server/rate_limit.h"

enum { BODY_MAX = 4096, ANSWER_MAX = 1024, SET_COOKIE_SIZE = ACCOUNT_COOKIE_SIZE + 128 };

void access_write_scopes(struct json *json, unsigned scopes)
{
    json_open_array(json, "scopes");
    for (unsigned bit = 1; bit <= STORE_SCOPE_ADMIN; bit <<= 1) {
        char text[32];
        if (scopes & bit)
            json_text(json, NULL, account_scopes_text(bit, text));
    }
    json_close_array(json);
}

/* --- what is taken and answered --- */

const char *const access_scopes[] = {"run", "files", "admin", NULL};

/* clang-format off */
static const struct schema_field login_fields[] = {
    {"key", SCHEMA_TEXT, 0, .required = true, .help = "the token of a key"}, /* into a struct slice */
    {NULL},
};
static const struct schema_field ticket_fields[] = {
    {"ticket",     SCHEMA_TEXT, .required = true, .help = "for ?ticket= of one request"},
    {"expires_at", SCHEMA_TIME, .required = true},
    {NULL},
};
static const struct schema_field me_fields[] = {
    {"key",    SCHEMA_TEXT,  .required = true, .nullable = true, .help = "the label of the caller's key"},
    {"scopes", SCHEMA_TEXTS, .required = true, .choices = access_scopes, .help = "what it may"},
    {"keys_configured", SCHEMA_BOOL, .required = true, .help = "false: anybody may do everything"},
    {"webhook_secret", SCHEMA_TEXT, .required = true, .nullable = true, .help = "what the caller's webhooks are signed with"},
    {NULL},
};
/* clang-format on */
const struct schema access_login_schema = {"Login", login_fields, NULL};
const struct schema access_ticket_schema = {"Ticket", ticket_fields, NULL};
const struct schema access_me_schema = {"Caller", me_fields, NULL};

/* --- the login --- */

static void set_cookie(const struct access *access, struct http_request *request, const char *value,
                       uint64_t lasts_s)
{
    char text[SET_COOKIE_SIZE];
    (void)snprintf(text, sizeof text,
                   "%s=%s; Path=/; Max-Age=%" PRIu64 "; HttpOnly; SameSite=Strict%s",
                   accounts_cookie_name(access->accounts), value, lasts_s,
                   http_request_is_https(request) ? "; Secure" : "");
    http_add_header(request, "Set-Cookie", text);
    http_add_header(request, "Cache-Control", "no-store");
    explicit_bzero(text, sizeof text);
}

/* Of an address that has guessed too often, also the right key is refused. */
static bool guesses_too_often(const struct access *access, struct http_request *request)
{
    const char *client = http_request_client(request);
    struct rate_state rate = rate_limiter_look(access->limiter, client, loop_now_ns() / NS_PER_MS);
    if (rate.remaining > 0)
        return false;
    uint64_t seconds = request_in_seconds(rate.reset_ms);
    request_add_number(request, "Retry-After", seconds);
    struct err err;
    (void)err_set(&err, ERR_RATE_LIMITED,
                  "too many logins that failed; come again in %" PRIu64 " s", seconds);
    http_reply_err(request, &err);
    return true;
}

static void log_in(const struct access *access, struct http_request *request, const char *token)
{
    struct err err;
    struct caller caller;
    char cookie[ACCOUNT_COOKIE_SIZE];
    if (accounts_by_token(access->accounts, token, &caller, &err) < 0) {
        (void)rate_limiter_take(access->limiter, http_request_client(request),
                                loop_now_ns() / NS_PER_MS);
        request_answer_unauthorized(request, &err);
        return;
    }
    if (accounts_make_cookie(access->accounts, &caller, cookie, &err) < 0) {
        http_reply_err(request, &err);
        return;
    }
    set_cookie(access, request, cookie, access->login_ms / 1000);
    http_reply(request, 204, NULL, (struct slice){0});
}

/* Only JSON: a form of a foreign page must not log its visitor in as somebody else. */
static void handle_login(struct http_request *request, void *context)
{
    const struct access *access = context;
    struct slice token = {0};
    struct err err;
    if (!http_request_is_json(request)) {
        (void)err_set(&err, ERR_MEDIA_TYPE, "the body must be application/json");
        http_reply_err(request, &err);
        return;
    }
    auto_json json_t *body = json_read_object(http_request_body(request), &err);
    if (!body || schema_read(login_fields, body, &token, &err) < 0)
        http_reply_err(request, &err);
    else if (!accounts_have_keys(access->accounts))
        http_reply(request, 204, NULL, (struct slice){0});
    else if (!guesses_too_often(access, request))
        log_in(access, request, token.at); /* jansson ends it, and there is no NUL in it */
}

static void handle_logout(struct http_request *request, void *context)
{
    const struct access *access = context;
    char cookie[ACCOUNT_COOKIE_SIZE];
    if (http_request_cookie(request, accounts_cookie_name(access->accounts), cookie, sizeof cookie))
        accounts_end_cookie(access->accounts, cookie);
    set_cookie(access, request, "", 0);
    http_reply(request, 204, NULL, (struct slice){0});
}

/* --- tickets, and who one is --- */

static void handle_ticket(struct http_request *request, void *context)
{
    const struct access *access = context;
    const struct caller caller = {.key = http_request_key(request)};
    char ticket[ACCOUNT_TICKET_SIZE];
    char time[32];
    struct err err;
    if (accounts_make_ticket(access->accounts, &caller, ticket, &err) < 0) {
        http_reply_err(request, &err);
        return;
    }
    auto_buf struct buf body;
    buf_init(&body, ANSWER_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "ticket", ticket);
    json_text(&json, "expires_at", format_time(time, clock_unix_ms() + ACCOUNT_TICKET_MS));
    json_close_object(&json);
    http_add_header(request, "Cache-Control", "no-store");
    http_reply_take(request, 200, ANSWER_JSON, &body);
}

struct label_search {
    uint64_t key;
    char label[64];
    bool found;
};

static void look_at_key(void *context, const struct account_state *state)
{
    struct label_search *search = context;
    if (state->key->number != search->key)
        return;
    search->found = true;
    (void)snprintf(search->label, sizeof search->label, "%s", state->key->label);
}

/* For whoever may have runs. */
static void write_webhook_secret(struct json *json, const struct access *access,
                                 const struct http_request *request)
{
    unsigned char secret[WEBHOOK_SECRET_SIZE];
    char text[WEBHOOK_SECRET_TEXT_SIZE];
    if (!(http_request_scopes(request) & STORE_SCOPE_RUN)) {
        json_nothing(json, "webhook_secret");
        return;
    }
    request_webhook_secret(access->webhook_secret, http_request_key(request), secret);
    request_webhook_text(secret, text);
    json_text(json, "webhook_secret", text);
}

static void handle_me(struct http_request *request, void *context)
{
    const struct access *access = context;
    struct label_search search = {.key = http_request_key(request)};
    if (search.key != 0)
        accounts_list(access->accounts, look_at_key, &search);
    auto_buf struct buf body;
    buf_init(&body, ANSWER_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "key", search.found ? search.label : NULL);
    access_write_scopes(&json, http_request_scopes(request));
    json_bool(&json, "keys_configured", accounts_have_keys(access->accounts));
    write_webhook_secret(&json, access, request);
    json_close_object(&json);
    http_add_header(request, "Cache-Control", "no-store");
    http_reply_take(request, 200, ANSWER_JSON, &body);
}

const struct http_route access_routes[] = {
    {"POST", "/v1/login", BODY_MAX, handle_login, NULL, HTTP_OPEN},
    {"POST", "/v1/logout", BODY_MAX, handle_logout, NULL, HTTP_OPEN},
    {"POST", "/v1/tickets", BODY_MAX, handle_ticket, NULL, HTTP_ANY_KEY},
    {"GET", "/v1/me", 0, handle_me, NULL, HTTP_OPEN},
    {"GET", "/v1/keys", 0, access_handle_list, NULL, STORE_SCOPE_ADMIN},
    {"POST", "/v1/keys", BODY_MAX, access_handle_create, NULL, STORE_SCOPE_ADMIN},
    {"DELETE", "/v1/keys/:number", 0, access_handle_revoke, NULL, STORE_SCOPE_ADMIN},
    {0},
};
