/* SPDX-License-Identifier: MIT */
#include "webhook/webhook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/parse.h"
#include "loop/loop.h"
#include "webhook/curl_loop.h"
#include "webhook/webhook_private.h"

/* Theory of operation. An attempt is a transfer of libcurl's (curl_loop.h). What has ended
 * is told from a task of its own, so that whoever is told may do what he likes, also free
 * all this. */

enum {
    TIMEOUT_MS = 10 * 1000,
    AT_ONCE = 16,
    ANSWER_MAX = 64 * 1024, /* of which we want the first line */
};

struct webhooks {
    struct curl_api curl;
    struct loop *loop;
    struct webhook_networks networks;
    uint64_t timeout_ms;
    unsigned at_once;
    unsigned count; /* attempts, under way and ended */
    /* Where all certificates are one file, libcurl keeps it parsed, unless a folder is
     * set too; parsing it takes tens of milliseconds, and nobody else is served then. */
    bool has_bundle;
    struct curl_loop *transfers;
    struct loop_task *task;
    struct list attempts; /* under way */
    struct list ended;    /* and not yet told */
};

struct attempt {
    struct list link;
    struct webhooks *webhooks;
    CURL *easy;
    struct curl_slist *headers;
    size_t answered;  /* bytes */
    bool is_refused;  /* an address of its */
    bool is_admitted; /* another one */
    webhook_fn *done;
    void *context;
    int status;
    struct err err;
};

/* --- the end of an attempt --- */

static void attempt_free(struct attempt *attempt)
{
    const struct curl_api *curl = &attempt->webhooks->curl;
    if (attempt->easy)
        curl->easy_cleanup(attempt->easy);
    curl->slist_free_all(attempt->headers);
    list_remove(&attempt->link);
    attempt->webhooks->count--;
    free(attempt);
}

static void on_task(void *context)
{
    struct webhooks *webhooks = context;
    if (list_empty(&webhooks->ended))
        return;
    struct attempt *attempt = CONTAINER_OF(webhooks->ended.next, struct attempt, link);
    webhook_fn *done = attempt->done;
    void *done_context = attempt->context;
    int status = attempt->status;
    struct err err = attempt->err;
    attempt_free(attempt);
    if (!list_empty(&webhooks->ended))
        loop_task_schedule(webhooks->task);
    done(done_context, status, status > 0 ? NULL : &err);
}

static void describe_failure(struct attempt *attempt, CURLcode result)
{
    const struct webhooks *webhooks = attempt->webhooks;
    char time[32];
    if (attempt->is_refused && !attempt->is_admitted)
        (void)err_set(&attempt->err, ERR_FORBIDDEN,
                      "webhook_url leads into a network that this server does not call (an "
                      "operator can allow it: webhook_networks)");
    else if (result == CURLE_OPERATION_TIMEDOUT)
        (void)err_set(&attempt->err, ERR_INTERNAL, "webhook: no answer within %s",
                      format_duration(time, sizeof time, webhooks->timeout_ms));
    else
        (void)err_set(&attempt->err, ERR_INTERNAL, "webhook: %.200s",
                      webhooks->curl.easy_strerror(result));
}

static void on_transfer_ended(void *context, CURLcode result)
{
    struct attempt *attempt = context;
    struct webhooks *webhooks = attempt->webhooks;
    long status = 0;
    (void)webhooks->curl.easy_getinfo(attempt->easy, CURLINFO_RESPONSE_CODE, &status);
    /* Its first line is all that counts, however the rest ends; 1xx is none. */
    attempt->status = status >= 200 && status <= 999 ? (int)status : 0;
    if (attempt->status == 0)
        describe_failure(attempt, result);
    list_remove(&attempt->link);
    list_append(&webhooks->ended, &attempt->link);
    loop_task_schedule(webhooks->task);
}

static void on_broken(void *context)
{
    struct webhooks *webhooks = context;
    list_for_each_safe (member, following, &webhooks->attempts) {
        struct attempt *attempt = CONTAINER_OF(member, struct attempt, link);
        curl_loop_remove(webhooks->transfers, attempt->easy);
        on_transfer_ended(attempt, CURLE_OUT_OF_MEMORY);
    }
}

static const struct curl_loop_ops transfer_ops = {on_transfer_ended, on_broken};

/* --- an attempt --- */

/* The address that is judged here is the one that is connected to: nothing is
 * resolved again. */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct attempt *attempt = context;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        !webhook_networks_admit(&attempt->webhooks->networks, &address->addr)) {
        attempt->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    attempt->is_admitted = true;
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

/* Headers and body alike: counted and forgotten. */
static size_t on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct attempt *attempt = context;
    (void)bytes;
    attempt->answered += size * count;
    return attempt->answered <= ANSWER_MAX ? size * count : 0;
}

static bool set_headers(struct attempt *attempt, const struct webhook_message *message)
{
    struct webhooks *webhooks = attempt->webhooks;
    char signature[WEBHOOK_SIGNATURE_SIZE];
    char lines[3][128];
    uint64_t now_s = (uint64_t)time(NULL);
    webhook_sign(message->secret, message->id, now_s, message->body, signature);
    if (snprintf(lines[0], sizeof lines[0], "Webhook-Id: %s", message->id) >= (int)sizeof lines[0])
        return false;
    (void)snprintf(lines[1], sizeof lines[1], "Webhook-Timestamp: %" PRIu64, now_s);
    (void)snprintf(lines[2], sizeof lines[2], "Webhook-Signature: %s", signature);
    const char *const all[] = {"Content-Type: application/json", lines[0], lines[1], lines[2],
                               "Expect:"};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct curl_slist *list = webhooks->curl.slist_append(attempt->headers, all[i]);
        if (!list)
            return false;
        attempt->headers = list;
    }
    return true;
}

/* One that libcurl does not take is one that does not protect us: no attempt is made. */
static bool set_guards(const struct attempt *attempt)
{
    static const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},       {CURLOPT_QUICK_EXIT, 1},
        {CURLOPT_FOLLOWLOCATION, 0}, {CURLOPT_MAXREDIRS, 0},
        {CURLOPT_NETRC, 0},          {CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
        {CURLOPT_PATH_AS_IS, 1},     {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_FRESH_CONNECT, 1},  {CURLOPT_FORBID_REUSE, 1},
        {CURLOPT_HTTP09_ALLOWED, 0}, {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
    };
    static const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_PROTOCOLS_STR, "http,https"},
        {CURLOPT_PROXY, ""},
        {CURLOPT_NOPROXY, "*"},
        {CURLOPT_USERAGENT, "runnel/" RUNNEL_VERSION},
    };
    const struct curl_api *curl = &attempt->webhooks->curl;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (curl->easy_setopt(attempt->easy, numbers[i].option, numbers[i].value) != CURLE_OK)
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (curl->easy_setopt(attempt->easy, texts[i].option, texts[i].value) != CURLE_OK)
            return false;
    }
    return true;
}

static bool set_request(struct attempt *attempt, const char *url, struct slice body)
{
    const struct webhooks *webhooks = attempt->webhooks;
    CURL *easy = attempt->easy;
    CURLcode (*set)(CURL *, CURLoption, ...) = webhooks->curl.easy_setopt;
    return set(easy, CURLOPT_URL, url) == CURLE_OK &&
           set(easy, CURLOPT_TIMEOUT_MS, (long)webhooks->timeout_ms) == CURLE_OK &&
           set(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)webhooks->timeout_ms) == CURLE_OK &&
           set(easy, CURLOPT_HTTPHEADER, attempt->headers) == CURLE_OK &&
           set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) == CURLE_OK &&
           set(easy, CURLOPT_COPYPOSTFIELDS, body.len > 0 ? body.at : "") == CURLE_OK &&
           set(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
           set(easy, CURLOPT_OPENSOCKETDATA, attempt) == CURLE_OK &&
           set(easy, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
           set(easy, CURLOPT_WRITEDATA, attempt) == CURLE_OK &&
           set(easy, CURLOPT_HEADERFUNCTION, on_bytes) == CURLE_OK &&
           set(easy, CURLOPT_HEADERDATA, attempt) == CURLE_OK &&
           (!webhooks->has_bundle || set(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

int webhook_post(struct webhooks *webhooks, const struct webhook_message *message, webhook_fn *done,
                 void *context, struct err *err)
{
    if (webhooks->count >= webhooks->at_once)
        return err_set(err, ERR_BUSY, "%u webhooks are under way", webhooks->count);
    if (webhook_check_url(message->url, err) < 0)
        return -1;
    struct attempt *attempt = calloc(1, sizeof *attempt);
    if (!attempt)
        return err_sys(err, errno, "webhook");
    *attempt = (struct attempt){.webhooks = webhooks, .done = done, .context = context};
    webhooks->count++;
    list_append(&webhooks->attempts, &attempt->link);
    attempt->easy = webhooks->curl.easy_init();
    if (attempt->easy && set_headers(attempt, message) && set_guards(attempt) &&
        set_request(attempt, message->url, message->body) &&
        curl_loop_add(webhooks->transfers, attempt->easy, attempt) == 0)
        return 0;
    attempt_free(attempt);
    return err_set(err, ERR_INTERNAL, "webhook: libcurl does not take what it is told");
}

/* --- the object --- */

struct webhooks *webhooks_new(struct loop *loop, const struct webhooks_config *config,
                              struct err *err)
{
    struct webhooks *webhooks = calloc(1, sizeof *webhooks);
    if (!webhooks) {
        (void)err_sys(err, errno, "webhooks");
        return NULL;
    }
    *webhooks = (struct webhooks){
        .loop = loop,
        .timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : TIMEOUT_MS,
        .at_once = config->at_once > 0 ? config->at_once : AT_ONCE,
    };
    list_init(&webhooks->attempts);
    list_init(&webhooks->ended);
    if (webhook_networks_init(&webhooks->networks, config->allowed, err) < 0 ||
        curl_api_load(&webhooks->curl, err) < 0) {
        webhook_networks_fini(&webhooks->networks);
        free(webhooks);
        return NULL;
    }
    webhooks->has_bundle = webhooks->curl.version_info(CURLVERSION_NOW)->cainfo != NULL;
    webhooks->task = loop_task_new(loop, on_task, webhooks);
    webhooks->transfers = curl_loop_new(&webhooks->curl, loop, &transfer_ops, webhooks);
    if (!webhooks->transfers) {
        (void)err_set(err, ERR_UNAVAILABLE, "webhooks: libcurl does not take what it is told");
        webhooks_free(webhooks);
        return NULL;
    }
    return webhooks;
}

static void free_attempts(struct webhooks *webhooks, struct list *attempts)
{
    list_for_each_safe (member, following, attempts) {
        struct attempt *attempt = CONTAINER_OF(member, struct attempt, link);
        curl_loop_remove(webhooks->transfers, attempt->easy);
        attempt_free(attempt);
    }
}

void webhooks_free(struct webhooks *webhooks)
{
    if (!webhooks)
        return;
    int saved = errno;
    free_attempts(webhooks, &webhooks->attempts);
    free_attempts(webhooks, &webhooks->ended);
    curl_loop_free(webhooks->transfers);
    webhooks->curl.global_cleanup();
    loop_task_free(webhooks->task);
    webhook_networks_fini(&webhooks->networks);
    free(webhooks);
    errno = saved;
}
