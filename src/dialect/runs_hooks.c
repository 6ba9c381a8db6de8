/* SPDX-License-Identifier: MIT */
#include "dialect/runs_hooks.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "codec/json_write.h"
#include "dialect/request_webhook.h"
#include "dialect/result_output.h"
#include "dialect/runs.h"
#include "dialect/runs_record.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "store/store.h"
#include "webhook/webhook.h"

/* After an attempt that failed, and so on; the last for ever. The hour is by store_steady_ms, and
 * no attempt is made behind its end. */
static const uint64_t pauses_ms[] = {1000, 5000, 30000, 120000, 300000, 600000, 1200000};
enum { GIVE_UP_MS = 60 * 60 * 1000, LOOK_AGAIN_MS = 1000, NOTE_AGAIN_MS = 5000 };
/* Under way. A receiver that never answers takes ten seconds a time: no key may hold them all. */
enum { AT_ONCE = 16, AT_ONCE_OF_KEY = STORE_WEBHOOKS_OF_KEY };

struct runs_hooks {
    const struct runs *runs;
    struct webhooks *webhooks;
    struct loop_timer *timer;
    struct list deliveries; /* under way */
    uint64_t last_key;      /* whose turn it was */
    bool looking;           /* the answer has not come yet */
    bool look_again;
};

/* One attempt, from the store's row until the store has noted what came of it. */
struct delivery {
    struct list link;
    struct runs_hooks *hooks;
    char *url;
    char *base; /* of links; NULL: none */
    char run[STORE_ID_SIZE];
    uint64_t key;
    unsigned attempts; /* before this one */
    uint64_t first_ms;
    uint64_t next_ms;              /* what came of it; 0: no more */
    struct loop_timer *note_again; /* NULL until the store has failed */
};

static void delivery_free(struct delivery *delivery)
{
    list_remove(&delivery->link);
    loop_timer_free(delivery->note_again);
    free(delivery->url);
    free(delivery->base);
    free(delivery);
}

static void note(void *context);

/* As long as the store still has it as due, it counts as under way: else the other side
 * would get it again and again while our disk is full. */
static void on_noted(void *context, const struct err *err)
{
    struct delivery *delivery = context;
    struct runs_hooks *hooks = delivery->hooks;
    if (!err || err->code == ERR_NOT_FOUND) {
        delivery_free(delivery);
        runs_hooks_look(hooks);
        return;
    }
    if (!delivery->note_again)
        delivery->note_again = loop_timer_new(hooks->runs->loop, note, delivery);
    loop_timer_start(delivery->note_again, NOTE_AGAIN_MS);
}

static void note(void *context)
{
    struct delivery *delivery = context;
    store_webhook_tried(delivery->hooks->runs->store, delivery->run, delivery->first_ms,
                        delivery->next_ms, on_noted, delivery);
}

static uint64_t pause_after_ms(unsigned attempts)
{
    return pauses_ms[MIN((size_t)attempts, ARRAY_LEN(pauses_ms) - 1)];
}

static void conclude(struct delivery *delivery, bool delivered, int status, const char *why)
{
    uint64_t next_ms =
        store_steady_ms(delivery->hooks->runs->store) + pause_after_ms(delivery->attempts);
    if (delivered || next_ms >= delivery->first_ms + GIVE_UP_MS)
        next_ms = 0;
    if (!delivered)
        log_event(next_ms ? LOG_INFO : LOG_WARN, next_ms ? "webhook_failed" : "webhook_given_up",
                  LOG_TEXT("run", delivery->run), LOG_U64("status", (uint64_t)status),
                  LOG_TEXT("reason", why), LOG_END);
    delivery->next_ms = next_ms;
    note(delivery);
}

static void on_answer(void *context, int status, const struct err *err)
{
    conclude(context, status >= 200 && status < 300, status, err ? err->text : "");
}

static void on_record(void *context, const struct stored_run *run, const struct err *err)
{
    struct delivery *delivery = context;
    struct runs_hooks *hooks = delivery->hooks;
    struct err failure;
    auto_buf struct buf body = {0};
    if (!run) {
        conclude(delivery, err && err->code == ERR_NOT_FOUND, 0, err ? err->text : "");
        return;
    }
    struct request_links links = hooks->runs->links;
    if (!links.base_url)
        links.base_url = delivery->base;
    buf_init(&body, RESULT_BODY_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    runs_write_stored(&json, run, &links, NULL);
    json_close_object(&json);
    unsigned char secret[WEBHOOK_SECRET_SIZE];
    request_webhook_secret(hooks->runs->webhook_secret, run->run.key, secret);
    const struct webhook_message message = {
        .url = delivery->url,
        .id = delivery->run,
        .body = buf_slice(&body),
        .secret = {(const char *)secret, sizeof secret},
    };
    if (body.failed)
        conclude(delivery, false, 0, "out of memory");
    else if (webhook_post(hooks->webhooks, &message, on_answer, delivery, &failure) < 0)
        conclude(delivery, false, 0, failure.text);
}

/* Not one that is under way already, nor one without a place: whichever ends looks again. */
static bool may_deliver(const struct runs_hooks *hooks, const struct store_webhook *webhook)
{
    unsigned all = 0;
    unsigned of_key = 0;
    list_for_each (link, &hooks->deliveries) {
        const struct delivery *delivery = CONTAINER_OF(link, struct delivery, link);
        if (strcmp(delivery->run, webhook->run) == 0)
            return false;
        all++;
        of_key += delivery->key == webhook->key;
    }
    return all < AT_ONCE && of_key < AT_ONCE_OF_KEY;
}

/* False: there is no memory for it now, and it is still due. */
static bool deliver(struct runs_hooks *hooks, const struct store_webhook *webhook)
{
    struct delivery *delivery = calloc(1, sizeof *delivery);
    if (!delivery)
        return false;
    *delivery = (struct delivery){
        .hooks = hooks,
        .url = strdup(webhook->url),
        .base = webhook->base ? strdup(webhook->base) : NULL,
        .key = webhook->key,
        .attempts = webhook->attempts,
        .first_ms = webhook->attempts > 0 ? webhook->first_ms : store_steady_ms(hooks->runs->store),
    };
    list_init(&delivery->link);
    memcpy(delivery->run, webhook->run, strlen(webhook->run) + 1);
    if (!delivery->url || (webhook->base && !delivery->base)) {
        delivery_free(delivery);
        return false;
    }
    list_append(&hooks->deliveries, &delivery->link);
    hooks->last_key = delivery->key;
    store_run_get(hooks->runs->store, delivery->run, 0, on_record, delivery);
    return true;
}

static void on_due(void *context, const struct store_webhook *webhooks, size_t count,
                   uint64_t next_ms, const struct err *err)
{
    struct runs_hooks *hooks = context;
    uint64_t now_ms = store_steady_ms(hooks->runs->store);
    bool all = true;
    hooks->looking = false;
    for (size_t i = 0; i < count; i++) {
        if (may_deliver(hooks, &webhooks[i]))
            all &= deliver(hooks, &webhooks[i]);
    }
    if (hooks->look_again)
        runs_hooks_look(hooks);
    else if (err || !all)
        loop_timer_start(hooks->timer, LOOK_AGAIN_MS);
    else if (next_ms > 0)
        loop_timer_start(hooks->timer, next_ms > now_ms ? next_ms - now_ms : LOOK_AGAIN_MS);
}

void runs_hooks_look(struct runs_hooks *hooks)
{
    hooks->look_again = hooks->looking;
    if (hooks->looking)
        return;
    hooks->looking = true;
    store_webhook_due(hooks->runs->store, store_steady_ms(hooks->runs->store), hooks->last_key,
                      on_due, hooks);
}

static void on_timer(void *context)
{
    runs_hooks_look(context);
}

/* Those that were left: as if their attempts had taken no time. */
static void resume_pauses(struct store *store)
{
    uint64_t past_ms = 0;
    store_webhook_resume(store, 0, 0, past_ms);
    for (unsigned attempts = 1; past_ms < GIVE_UP_MS; attempts++) {
        uint64_t pause_ms = pause_after_ms(attempts - 1);
        past_ms += pause_ms;
        store_webhook_resume(store, attempts, pause_ms, past_ms);
    }
}

struct runs_hooks *runs_hooks_new(const struct runs *runs, struct webhooks *webhooks)
{
    struct runs_hooks *hooks = calloc(1, sizeof *hooks);
    if (!hooks)
        return NULL;
    *hooks = (struct runs_hooks){.runs = runs, .webhooks = webhooks};
    list_init(&hooks->deliveries);
    hooks->timer = loop_timer_new(runs->loop, on_timer, hooks);
    resume_pauses(runs->store);
    runs_hooks_look(hooks);
    return hooks;
}

void runs_hooks_free(struct runs_hooks *hooks)
{
    if (!hooks)
        return;
    while (!list_empty(&hooks->deliveries))
        delivery_free(CONTAINER_OF(hooks->deliveries.next, struct delivery, link));
    loop_timer_free(hooks->timer);
    free(hooks);
}
