/* SPDX-License-Identifier: MIT */
/* fleet_link.h — the connections of a verb that looks at a fleet: made, asked one
 * question after the other, closed.
 *
 *     struct fleet_link link = {0};
 *     fleet_link_open(&link, &options->config, err)
 *     fleet_link_ask(&link, on_reply, context, err, slice_of("GET"), slice_of(key))
 *     fleet_link_close(&link);
 */
#ifndef RUNNEL_CLI_FLEET_LINK_H
#define RUNNEL_CLI_FLEET_LINK_H

#include "broker/amqp.h"
#include "broker/redis.h"
#include "cli/configure.h"

struct fleet_link {
    struct config config;
    struct loop *loop;
    struct redis *redis;
    struct amqp *amqp;         /* NULL until fleet_link_open_broker */
    struct err lost;           /* what the last connection that was lost had to say */
    bool ends_when_lost;       /* what is waited for: with a connection it is lost, too */
    bool is_settled;           /* what is waited for has come, or will not */
    enum amqp_outcome outcome; /* of the last message */
    bool is_late;              /* it has not come in time */
};

/* clang-format off */
#define FLEET_OPTION_ROWS \
    {"stream", 0, "URL", "Redis of the fleet, as redis://host:6379", option_set_config, 0}, \
    {"config", 'c', "FILE", "configuration file (default: /etc/runnel/runnel.conf)", option_set_text, offsetof(struct config_flags, file)}
/* clang-format on */

/* Reads the configuration and connects to Redis: ERR_CONFIG when none is named, ERR_BROKER. */
int fleet_link_open(struct fleet_link *link, const struct config_flags *flags, struct err *err);
/* The same with RabbitMQ, of the same configuration. */
int fleet_link_open_broker(struct fleet_link *link, struct err *err);
void fleet_link_close(struct fleet_link *link);
/* For what has callbacks of its own: until one of them calls fleet_link_settle, or a
 * connection is lost. */
void fleet_link_wait(struct fleet_link *link);
void fleet_link_settle(struct fleet_link *link);

/* Asks Redis, and waits: `take` (may be NULL) is called with the answer before this returns,
 * unless it is an error. */
int fleet_link_ask_argv(struct fleet_link *link, redis_reply_fn *take, void *context,
                        struct err *err, size_t argc, const struct slice *argv);
#define fleet_link_ask(link, take, context, err, ...)                                       \
    fleet_link_ask_argv((link), (take), (context), (err),                                   \
                        sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice), \
                        (const struct slice[]){__VA_ARGS__})

/* 1 when `take` was called with a message, which is the taker's to settle; 0: the queue is
 * empty. */
int fleet_link_get(struct fleet_link *link, const char *queue,
                   void (*take)(void *context, const struct amqp_delivery *delivery), void *context,
                   struct err *err);
/* Waits until the broker has stored it. One that does not say so in time, since it takes no
 * messages for now, is left: then nothing more can be asked of it. After a failure link->outcome
 * says whether it may have the message all the same: AMQP_UNKNOWN. */
int fleet_link_publish(struct fleet_link *link, const struct amqp_message *message,
                       struct err *err);

#endif
