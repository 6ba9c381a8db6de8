/* SPDX-License-Identifier: MIT */
#include "broker/amqp.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "broker/amqp_private.h"

/* The owner's side. */

static const struct place_form form = {"the broker", "broker", "amqp", "5672"};

struct amqp {
    struct amqp_api api;
    struct amqp_config *config;
    struct place place;
    struct relay relay;
    struct line line; /* the thread's */
    pthread_t thread;
    bool has_thread;

    bool is_connected; /* as far as we have been told, as the next one */
    uint64_t connection;
    size_t waiting_bytes; /* of messages without an outcome */
    bool is_telling;      /* inside of callbacks: one of them may free all this */
    bool is_gone;         /* it has, and we do as soon as it returns */
};

int amqp_check_url(const char *url, struct err *err)
{
    struct place place;
    return place_parse(url, &form, &place, err);
}

int amqp_load(struct err *err)
{
    struct amqp_api api;
    return amqp_api_load(&api, err);
}

/* --- news --- */

static void on_lost(struct amqp *amqp, const struct loss *loss)
{
    amqp->is_connected = false;
    if (amqp->config->events.lost)
        amqp->config->events.lost(amqp->config->context, &loss->err);
}

static void on_connected(struct amqp *amqp, const struct item *item)
{
    amqp->is_connected = true;
    amqp->connection = item->connection;
    if (amqp->config->events.connected)
        amqp->config->events.connected(amqp->config->context);
}

static void on_published(struct amqp *amqp, const struct posting *posting)
{
    amqp->waiting_bytes -= posting->size;
    if (amqp->config->events.published)
        amqp->config->events.published(amqp->config->context, posting->token, posting->outcome);
}

static void on_delivered(struct amqp *amqp, const struct parcel *parcel)
{
    if (amqp->config->events.delivered)
        amqp->config->events.delivered(amqp->config->context, &parcel->delivery);
}

static void on_answered(const struct question *question)
{
    if (question->got)
        question->got(question->context, question->found ? &question->found->delivery : NULL);
    else
        question->counted(question->context, question->count);
}

static void hand_over(struct amqp *amqp, const struct item *item)
{
    switch (item->kind) {
    case ITEM_CONNECTED:
        on_connected(amqp, item);
        break;
    case ITEM_LOST:
        on_lost(amqp, CONTAINER_OF(item, struct loss, item));
        break;
    case ITEM_POSTING:
        on_published(amqp, CONTAINER_OF(item, struct posting, item));
        break;
    case ITEM_PARCEL:
        on_delivered(amqp, CONTAINER_OF(item, struct parcel, item));
        break;
    case ITEM_QUESTION:
        on_answered(CONTAINER_OF(item, struct question, item));
        break;
    case ITEM_SETTLING:
        break;
    }
}

/* After the thread has ended. */
static void release(struct amqp *amqp)
{
    if (amqp->config)
        relay_fini(&amqp->relay);
    free(amqp->config);
    explicit_bzero(&amqp->place, sizeof amqp->place);
    free(amqp);
}

static void on_wake(void *context)
{
    struct amqp *amqp = context;
    struct list news;
    list_init(&news);
    relay_take_news(&amqp->relay, &news);
    amqp->is_telling = true;
    while (!list_empty(&news)) {
        struct item *item = CONTAINER_OF(news.next, struct item, link);
        list_remove(&item->link);
        if (!amqp->is_gone)
            hand_over(amqp, item);
        item_free(item);
    }
    amqp->is_telling = false;
    if (amqp->is_gone)
        release(amqp);
}

/* --- its life --- */

/* It begins with every signal blocked: they are the loop's. */
static int start_thread(struct amqp *amqp)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&amqp->thread, NULL, line_run, &amqp->line);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static int start(struct amqp *amqp, struct loop *loop, const struct amqp_config *config,
                 struct err *err)
{
    amqp->config = config_copy(config);
    if (!amqp->config)
        return err_sys(err, ENOMEM, "the broker's connection");
    struct line *line = &amqp->line;
    line->api = &amqp->api;
    line->config = amqp->config;
    line->place = &amqp->place;
    line->relay = &amqp->relay;
    list_init(&line->orders);
    list_init(&line->parked);
    list_init(&line->questions);
    if (relay_init(&amqp->relay, err) < 0)
        return -1;
    amqp->relay.is_held = config->is_held;
    amqp->relay.wake = loop_wake_new(loop, on_wake, amqp);
    int rc = start_thread(amqp);
    if (rc != 0)
        return err_sys(err, rc, "the broker's thread cannot be started");
    amqp->has_thread = true;
    (void)pthread_setname_np(amqp->thread, "amqp");
    return 0;
}

struct amqp *amqp_new(struct loop *loop, const struct amqp_config *config, struct err *err)
{
    struct amqp *amqp = calloc(1, sizeof *amqp);
    if (!amqp) {
        (void)err_sys(err, ENOMEM, "the broker's connection");
        return NULL;
    }
    if (place_parse(config->url, &form, &amqp->place, err) < 0 ||
        amqp_api_load(&amqp->api, err) < 0) {
        free(amqp);
        return NULL;
    }
    if (start(amqp, loop, config, err) < 0) {
        amqp_free(amqp, 0);
        return NULL;
    }
    return amqp;
}

void amqp_free(struct amqp *amqp, uint64_t linger_ms)
{
    if (!amqp)
        return;
    if (amqp->has_thread) {
        relay_end(&amqp->relay, amqp->is_connected ? linger_ms : 0);
        (void)pthread_join(amqp->thread, NULL);
    }
    loop_wake_free(amqp->relay.wake);
    if (amqp->is_telling)
        amqp->is_gone = true;
    else
        release(amqp);
}

bool amqp_is_connected(const struct amqp *amqp)
{
    return amqp->is_connected;
}

/* --- orders --- */

static int check_connected(const struct amqp *amqp, struct err *err)
{
    return amqp->is_connected ? 0 : err_set(err, ERR_BROKER, "the broker cannot be reached");
}

static const char *put_text(char **at, const char *text)
{
    if (!text)
        return NULL;
    char *start = *at;
    size_t size = strlen(text) + 1;
    memcpy(start, text, size);
    *at += size;
    return start;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static size_t posting_size(const struct amqp_message *message)
{
    return sizeof(struct posting) + text_size(message->exchange) + text_size(message->key) +
           text_size(message->content_type) + text_size(message->message_id) +
           text_size(message->correlation_id) + text_size(message->reply_to) + message->body.len;
}

static struct posting *posting_new(const struct amqp_message *message, size_t size)
{
    struct posting *posting = malloc(size);
    if (!posting)
        return NULL;
    *posting = (struct posting){.item.kind = ITEM_POSTING, .message = *message, .size = size};
    list_init(&posting->item.link);
    char *at = (char *)(posting + 1);
    struct amqp_message *copy = &posting->message;
    copy->exchange = put_text(&at, message->exchange);
    copy->key = put_text(&at, message->key);
    copy->content_type = put_text(&at, message->content_type);
    copy->message_id = put_text(&at, message->message_id);
    copy->correlation_id = put_text(&at, message->correlation_id);
    copy->reply_to = put_text(&at, message->reply_to);
    copy->body.at = at;
    if (message->body.len > 0)
        memcpy(at, message->body.at, message->body.len);
    return posting;
}

int amqp_publish(struct amqp *amqp, const struct amqp_message *message, uint64_t token,
                 struct err *err)
{
    if (check_connected(amqp, err) < 0)
        return -1;
    size_t size = posting_size(message);
    if (size > AMQP_WAITING_MAX - amqp->waiting_bytes)
        return err_set(err, ERR_BROKER, "the broker does not keep up: 64 MiB of messages wait");
    struct posting *posting = posting_new(message, size);
    if (!posting)
        return err_sys(err, ENOMEM, "a message to the broker");
    posting->item.connection = amqp->connection;
    posting->token = token;
    amqp->waiting_bytes += size;
    relay_order(&amqp->relay, &posting->item);
    return 0;
}

void amqp_settle(struct amqp *amqp, struct amqp_ref ref, enum amqp_settlement settlement)
{
    if (!amqp->is_connected || ref.connection != amqp->connection)
        return;
    struct settling *settling = item_new(ITEM_SETTLING, sizeof *settling, ref.connection);
    settling->tag = ref.tag;
    settling->settlement = settlement;
    relay_order(&amqp->relay, &settling->item);
}

void amqp_hold(struct amqp *amqp, bool hold)
{
    relay_hold(&amqp->relay, hold);
}

static struct question *question_new(const struct amqp *amqp, const char *queue, void *context)
{
    size_t size = strlen(queue) + 1;
    struct question *question = item_new(ITEM_QUESTION, sizeof *question + size, amqp->connection);
    question->context = context;
    question->count = -1;
    memcpy(question->queue, queue, size);
    return question;
}

int amqp_get(struct amqp *amqp, const char *queue,
             void (*got)(void *context, const struct amqp_delivery *delivery), void *context,
             struct err *err)
{
    if (check_connected(amqp, err) < 0)
        return -1;
    struct question *question = question_new(amqp, queue, context);
    question->got = got;
    relay_order(&amqp->relay, &question->item);
    return 0;
}

int amqp_count(struct amqp *amqp, const char *queue, void (*counted)(void *context, int64_t count),
               void *context, struct err *err)
{
    if (check_connected(amqp, err) < 0)
        return -1;
    struct question *question = question_new(amqp, queue, context);
    question->counted = counted;
    relay_order(&amqp->relay, &question->item);
    return 0;
}
