/* SPDX-License-Identifier: MIT */
#include "cli/fleet_link.h"

#include "base/cleanup.h"
#include "loop/loop.h"

enum { ANSWER_MS = 5000, LINGER_MS = 1000 };

/* Drivers never answer from inside a call, and always answer in the end. */
static void wait_for(struct fleet_link *link)
{
    link->is_settled = false;
    while (!link->is_settled)
        loop_run(link->loop);
}

void fleet_link_settle(struct fleet_link *link)
{
    link->is_settled = true;
    loop_stop(link->loop);
}

/* What came of a question, it is told itself. */
static void on_connected(void *context)
{
    struct fleet_link *link = context;
    if (link->ends_when_lost)
        fleet_link_settle(link);
}

static void on_lost(void *context, const struct err *err)
{
    struct fleet_link *link = context;
    link->lost = *err;
    if (link->ends_when_lost)
        fleet_link_settle(link);
}

void fleet_link_wait(struct fleet_link *link)
{
    link->ends_when_lost = true;
    wait_for(link);
    link->ends_when_lost = false;
}

static int open_redis(struct fleet_link *link, struct err *err)
{
    const struct redis_config config = {
        .url = link->config.stream,
        .name = "runnel-cli",
        .timeout_ms = ANSWER_MS,
        .events = {.connected = on_connected, .lost = on_lost},
        .context = link,
    };
    if (!config.url)
        return err_set(err, ERR_CONFIG,
                       "a fleet's runs and workers are found in its Redis: name it with --stream, "
                       "or as `stream` in the configuration");
    link->redis = redis_new(link->loop, &config, err);
    if (!link->redis)
        return -1;
    fleet_link_wait(link);
    return redis_is_connected(link->redis) ? 0 : err_set(err, ERR_BROKER, "%s", link->lost.text);
}

int fleet_link_open(struct fleet_link *link, const struct config_flags *flags, struct err *err)
{
    if (config_init(&link->config, err) < 0)
        return -1;
    link->loop = loop_new();
    if (!link->loop)
        return err_set(err, ERR_INTERNAL, "there is no event loop");
    if (configure(&link->config, flags, err) < 0)
        return -1;
    int rc = open_redis(link, err);
    config_blame(&link->config, rc < 0 ? err : NULL);
    return rc;
}

void fleet_link_close(struct fleet_link *link)
{
    if (!link->loop)
        return;
    if (link->amqp)
        amqp_free(link->amqp, LINGER_MS);
    redis_free(link->redis);
    loop_free(link->loop);
    config_fini(&link->config);
    *link = (struct fleet_link){0};
}

/* --- Redis --- */

struct question {
    struct fleet_link *link;
    redis_reply_fn *take;
    void *context;
    struct err *err;
    int rc;
};

static void on_reply(void *context, const struct redis_reply *reply)
{
    struct question *question = context;
    if (!reply)
        question->rc = err_set(question->err, ERR_BROKER, "Redis did not answer: %s",
                               question->link->lost.text);
    else if (reply->kind == REDIS_ERROR)
        question->rc = err_set(question->err, ERR_BROKER, "Redis says: %.*s",
                               (int)MIN(reply->text.len, (size_t)300), reply->text.at);
    else if (question->take)
        question->take(question->context, reply);
    fleet_link_settle(question->link);
}

int fleet_link_ask_argv(struct fleet_link *link, redis_reply_fn *take, void *context,
                        struct err *err, size_t argc, const struct slice *argv)
{
    struct question question = {link, take, context, err, 0};
    if (redis_command_argv(link->redis, on_reply, &question, argc, argv) < 0)
        return err_set(err, ERR_BROKER, "the connection to Redis is lost: %s", link->lost.text);
    wait_for(link);
    return question.rc;
}

/* --- RabbitMQ --- */

static void on_published(void *context, uint64_t token, enum amqp_outcome outcome)
{
    struct fleet_link *link = context;
    (void)token; /* one message at a time */
    link->outcome = outcome;
    fleet_link_settle(link);
}

int fleet_link_open_broker(struct fleet_link *link, struct err *err)
{
    const struct amqp_config config = {
        .url = link->config.broker,
        .name = "runnel-cli",
        .timeout_ms = ANSWER_MS,
        .events = {.connected = on_connected, .lost = on_lost, .published = on_published},
        .context = link,
    };
    if (!config.url)
        return err_set(err, ERR_CONFIG,
                       "dead jobs are in a fleet's broker: name it with --broker, or as `broker` "
                       "in the configuration");
    link->amqp = amqp_new(link->loop, &config, err);
    if (!link->amqp)
        return -1;
    fleet_link_wait(link);
    return amqp_is_connected(link->amqp) ? 0 : err_set(err, ERR_BROKER, "%s", link->lost.text);
}

struct search {
    struct fleet_link *link;
    void (*take)(void *context, const struct amqp_delivery *delivery);
    void *context;
    bool has_found;
};

static void on_got(void *context, const struct amqp_delivery *delivery)
{
    struct search *search = context;
    search->has_found = delivery != NULL;
    if (delivery)
        search->take(search->context, delivery);
    fleet_link_settle(search->link);
}

int fleet_link_get(struct fleet_link *link, const char *queue,
                   void (*take)(void *context, const struct amqp_delivery *delivery), void *context,
                   struct err *err)
{
    struct search search = {link, take, context, false};
    if (amqp_get(link->amqp, queue, on_got, &search, err) < 0)
        return -1;
    wait_for(link);
    if (search.has_found)
        return 1;
    return amqp_is_connected(link->amqp) ? 0 : err_set(err, ERR_BROKER, "%s", link->lost.text);
}

static void on_late(void *context)
{
    struct fleet_link *link = context;
    link->is_late = true;
    fleet_link_settle(link);
}

/* A broker that is short of memory or disk says nothing, and its connection stands. */
static void wait_for_outcome(struct fleet_link *link)
{
    struct loop_timer *timer = loop_timer_new(link->loop, on_late, link);
    link->is_late = false;
    loop_timer_start(timer, ANSWER_MS);
    wait_for(link);
    loop_timer_free(timer);
}

int fleet_link_publish(struct fleet_link *link, const struct amqp_message *message, struct err *err)
{
    static const char *const outcomes[] = {
        [AMQP_STORED] = "it has it",
        [AMQP_REFUSED] = "it refuses the message",
        [AMQP_UNROUTABLE] = "no queue takes the message: has a worker ever run?",
        [AMQP_UNKNOWN] = "the connection was lost before it answered",
    };
    link->outcome = AMQP_REFUSED;
    if (amqp_publish(link->amqp, message, 1, err) < 0)
        return -1;
    link->outcome = AMQP_UNKNOWN;
    wait_for_outcome(link);
    if (link->is_late) { /* what waits here shall not be sent after all */
        amqp_free(take_ptr(&link->amqp), 0);
        return err_set(err, ERR_BROKER,
                       "the broker did not answer within %d s: is it short of memory or disk? It "
                       "may have the message, or not",
                       ANSWER_MS / 1000);
    }
    if (link->outcome == AMQP_STORED)
        return 0;
    return err_set(err, ERR_BROKER, "the broker: %s", outcomes[link->outcome]);
}
