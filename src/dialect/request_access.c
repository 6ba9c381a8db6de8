/* SPDX-License-Identifier: MIT */
#include "dialect/request_access.h"

#include <string.h>
#include <strings.h>

#include "account/account.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/util.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/request_window.h"
#include "server/websocket.h"

enum { ANSWER_MAX = 1024 };

static void answer(struct http_request *request, const struct err *err, const char *code)
{
    auto_buf struct buf body;
    buf_init(&body, ANSWER_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "error", err->text);
    json_nothing(&json, "data");
    if (code)
        json_text(&json, "code", code);
    json_close_object(&json);
    http_reply_take(request, err_http_status(err->code), ANSWER_JSON, &body);
}

void request_answer_unauthorized(struct http_request *request, const struct err *err)
{
    answer(request, err, NULL);
}

/* --- who asks --- */

/* Two tokens are none: who is in front of us may have judged the other one. */
static int by_header(const struct request_access *access, const struct http_request *request,
                     struct caller *ret_caller, struct err *err)
{
    static const char prefix[] = "Bearer ";
    const char *header = http_request_header(request, "Authorization");
    auto_free char *token = NULL;
    if (http_request_header_count(request, "Authorization") > 1)
        return err_set(err, ERR_UNAUTHORIZED, "invalid token");
    if (strncmp(header, prefix, sizeof prefix - 1) != 0)
        return accounts_by_token(access->accounts, NULL, ret_caller, err);
    header += sizeof prefix - 1;
    header += strspn(header, " \t");
    size_t len = strlen(header);
    while (len > 0 && strchr(" \t", header[len - 1]))
        len--;
    token = strndup(header, len);
    if (!token)
        return err_sys(err, errno, "authorization");
    int rc = accounts_by_token(access->accounts, token, ret_caller, err);
    explicit_bzero(token, len);
    return rc;
}

/* A browser cannot give these a header. Elsewhere a ticket would be a key in a URL. */
static bool may_bring_ticket(const struct http_request *request)
{
    const char *accept = http_request_header(request, "Accept");
    return slice_is(http_request_method(request), "GET") &&
           (websocket_wanted(request) || (accept && strcasestr(accept, "text/event-stream")));
}

/* A cookie's SameSite takes all ports of a host for one site, and Origin lets pages of
 * every loopback port in: what they bring must be a token, not our page's login. */
static bool is_own_page(const struct http_request *request)
{
    const char *origin = http_request_header(request, "Origin");
    const char *host = http_request_header(request, "Host");
    const char *site = http_request_header(request, "Sec-Fetch-Site");
    const char *authority = origin ? strstr(origin, "://") : NULL;
    if (origin)
        return authority && host && strcasecmp(authority + 3, host) == 0;
    return !site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

static int identify(const struct request_access *access, const struct http_request *request,
                    struct caller *ret_caller, struct err *err)
{
    char cookie[ACCOUNT_COOKIE_SIZE];
    const char *name = accounts_cookie_name(access->accounts);
    if (!accounts_have_keys(access->accounts))
        return accounts_by_token(access->accounts, NULL, ret_caller, err);
    if (http_request_header(request, "Authorization"))
        return by_header(access, request, ret_caller, err);
    const char *ticket = may_bring_ticket(request) ? http_request_query(request, "ticket") : NULL;
    if (ticket)
        return accounts_by_ticket(access->accounts, ticket, ret_caller, err);
    if (http_request_cookie(request, name, cookie, sizeof cookie) && is_own_page(request))
        return accounts_by_cookie(access->accounts, cookie, ret_caller, err);
    return accounts_by_token(access->accounts, NULL, ret_caller, err);
}

/* --- whether he may --- */

static bool is_of_v1(const struct http_route *route)
{
    return strncmp(route->path, "/v1/", 4) == 0;
}

static bool is_listed(const char *const *list, const char *name)
{
    for (; list && *list; list++) {
        if (strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

/* What makes a run pays from another bucket. The other dialects have rates as their clients know
 * them, and polls, which a program's output decides the number of: but jobs are asked for by the
 * clock, and what is told of them may be long. */
static bool pays_for_request(const struct http_request *request, const struct http_route *route)
{
    static const char jobs[] = "/api/jobs";
    if (!is_of_v1(route))
        return strncmp(route->path, jobs, sizeof jobs - 1) == 0;
    return !slice_is(http_request_method(request), "POST") || strcmp(route->path, "/v1/runs") != 0;
}

static bool pass_rate(const struct request_access *access, struct http_request *request)
{
    struct account_rate rate = accounts_take_request(access->accounts, http_request_key(request));
    struct err err;
    if (rate.allowed)
        return true;
    request_add_rate(request, &rate);
    (void)err_set(&err, ERR_RATE_LIMITED, "rate limit exceeded");
    answer(request, &err, err_code_name(err.code));
    return false;
}

void request_charge(void *context, const struct http_request *request,
                    const struct http_route *route, size_t len)
{
    const struct request_access *access = context;
    if (pays_for_request(request, route))
        accounts_owe_requests(access->accounts, http_request_key(request), len / MIB);
}

static void refuse_scope(struct http_request *request, unsigned missing)
{
    struct err err;
    char text[32];
    (void)err_set(&err, ERR_FORBIDDEN, "this key lacks the scope %s",
                  account_scopes_text(missing, text));
    answer(request, &err, err_code_name(err.code));
}

/* Whoever has no scope at all was not known, which is said again. */
bool request_may(const struct request_access *access, struct http_request *request, unsigned scopes)
{
    struct caller caller;
    struct err err;
    unsigned missing = scopes & ~http_request_scopes(request);
    if (missing == 0)
        return true;
    if (http_request_scopes(request) == 0 && identify(access, request, &caller, &err) < 0)
        request_answer_unauthorized(request, &err);
    else
        refuse_scope(request, missing);
    return false;
}

bool request_is_anonymous(const struct request_access *access, const char *dialect)
{
    return is_listed(access->allow_anonymous, dialect);
}

bool request_authorize(void *context, struct http_request *request, const char *mount,
                       const struct http_route *route)
{
    const struct request_access *access = context;
    struct caller caller = {0};
    struct err err;
    if (identify(access, request, &caller, &err) < 0) {
        bool is_anonymous = !is_of_v1(route) && is_listed(access->allow_anonymous, mount);
        if (route->access != HTTP_OPEN && !is_anonymous) {
            request_answer_unauthorized(request, &err);
            return false;
        }
        caller = (struct caller){.scopes = is_anonymous ? STORE_SCOPE_RUN : 0};
    }
    http_set_caller(request, caller.key, caller.scopes);
    unsigned wanted = route->access > 0 ? (unsigned)route->access : 0;
    if (route->access == HTTP_ANY_KEY && !is_of_v1(route))
        wanted = STORE_SCOPE_RUN;
    if ((caller.scopes & wanted) == wanted)
        return !pays_for_request(request, route) || pass_rate(access, request);
    refuse_scope(request, wanted & ~caller.scopes);
    return false;
}

int request_access_check(const char *const *allow_anonymous, const char *const *dialects,
                         struct err *err)
{
    char known[160];
    for (; allow_anonymous && *allow_anonymous; allow_anonymous++) {
        const char *name = *allow_anonymous;
        if (strcmp(name, "runs") == 0)
            return err_config(err, "allow_anonymous", "allow_anonymous: 'runs' always needs a key");
        if (!is_listed(dialects, name))
            return err_config(err, "allow_anonymous",
                              "allow_anonymous: there is no dialect '%.40s' (they are %s)", name,
                              format_list(known, sizeof known, dialects));
    }
    return 0;
}
