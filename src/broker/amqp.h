/* SPDX-License-Identifier: MIT */
/* amqp.h — a connection to an AMQP 0-9-1 broker (RabbitMQ), kept up by a thread of
 * its own: librabbitmq blocks. The thread connects, declares the topology, consumes,
 * publishes with confirms, answers heartbeats, and connects again, with back-off,
 * whenever the broker is gone. The owner lives on the loop's thread and never waits.
 *
 *     struct amqp *amqp = amqp_new(loop, &config, err);
 *     …events.connected…
 *     amqp_publish(amqp, &message, token, err) …events.published(token, outcome)
 *     …events.delivered(delivery)              amqp_settle(amqp, delivery->ref, AMQP_ACK)
 *     amqp_free(amqp, linger_ms);
 *
 * Callbacks come from the loop, never from inside a call. What is passed in is borrowed
 * for the call and copied; what a callback is given is lent for the callback.
 */
#ifndef RUNNEL_BROKER_AMQP_H
#define RUNNEL_BROKER_AMQP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/util.h"

struct amqp;
struct loop;

#define AMQP_BODY_MAX (16 * MIB) /* of a message that we take */

/* Declared on every connection, in their order. A row is an exchange (type set), a queue
 * (queue set, exchange NULL), or a binding (exchange and queue). */
struct amqp_declaration {
    const char *exchange;
    const char *type; /* "direct", "topic", "fanout" */
    const char *queue;
    const char *key; /* of a binding */
    bool durable;
    bool exclusive;                        /* gone with this connection */
    const struct amqp_argument *arguments; /* ended by a NULL name; NULL: none */
};

struct amqp_argument {
    const char *name;
    const char *text; /* NULL: `number` */
    int64_t number;
};

struct amqp_consumer {
    const char *queue;
    uint16_t prefetch; /* unsettled deliveries at most */
};

struct amqp_message {
    const char *exchange; /* "": the default one, whose keys are queues */
    const char *key;
    struct slice body;
    const char *content_type; /* this and the next three may be NULL */
    const char *message_id;
    const char *correlation_id;
    const char *reply_to;
    uint64_t timestamp; /* Unix seconds; 0: none */
    bool persistent;
    bool mandatory; /* come back when no queue takes it */
};

/* Of one message: exactly one of these follows each amqp_publish that returned 0. */
enum amqp_outcome {
    AMQP_STORED,     /* confirmed by the broker */
    AMQP_REFUSED,    /* by the broker (a queue is full) */
    AMQP_UNROUTABLE, /* mandatory, and there is no queue for it */
    AMQP_UNKNOWN,    /* the connection was lost before the broker said: it may be there or not */
};

/* Names a delivery; one of a connection that is lost settles nothing, silently: the
 * broker delivers again what was not settled. */
struct amqp_ref {
    uint64_t connection;
    uint64_t tag;
};

struct amqp_delivery {
    struct amqp_ref ref;
    const char *queue; /* of the consumer, or of amqp_get */
    const char *exchange;
    const char *key;
    struct slice body;      /* at NULL: it is larger than AMQP_BODY_MAX, and passed by */
    uint64_t size;          /* of the body, in any case */
    const char *message_id; /* "" when absent, as the next two */
    const char *correlation_id;
    const char *reply_to;
    bool redelivered;
    uint64_t delivery_count;  /* header x-delivery-count: times it came back; 0 when absent */
    const char *death_reason; /* header x-first-death-reason, "" when absent */
    const char *death_queue;  /* header x-first-death-queue */
};

enum amqp_settlement {
    AMQP_ACK,
    AMQP_REQUEUE,
    AMQP_REJECT, /* to the queue's dead-letter exchange, else away */
};

struct amqp_events {
    void (*connected)(void *context); /* topology declared, consumers started; each time */
    /* Also when connecting failed, each time anew. err says what, without the password. */
    void (*lost)(void *context, const struct err *err);
    void (*delivered)(void *context, const struct amqp_delivery *delivery);
    void (*published)(void *context, uint64_t token, enum amqp_outcome outcome);
};

struct amqp_config {
    /* amqp://user:password@host:port/vhost; "/" or nothing behind the port: the vhost "/" */
    const char *url;
    const char *name; /* as the broker lists the connection */
    const struct amqp_declaration *declarations;
    size_t declaration_count;
    const struct amqp_consumer *consumers;
    size_t consumer_count;
    bool is_held;         /* no consumer starts before amqp_hold(…, false) */
    unsigned heartbeat_s; /* 0: 10 */
    uint64_t timeout_ms;  /* of connecting and of every answer; 0: 5000 */
    uint64_t retry_ms;    /* the first pause before connecting again, doubled up to 5 s; 0: 200 */
    struct amqp_events events; /* any may be NULL */
    void *context;
};

/* -1 and ERR_CONFIG when the URL is not one. */
int amqp_check_url(const char *url, struct err *err);
/* Loads librabbitmq. amqp_new does it too; before, where new code will be forbidden then. */
int amqp_load(struct err *err);
/* Copies the config. Does not wait. It starts a thread: drop privilege before, since a
 * system call filter and capabilities are a thread's own. */
struct amqp *amqp_new(struct loop *loop, const struct amqp_config *config, struct err *err);
bool amqp_is_connected(const struct amqp *amqp);
/* -1 with ERR_BROKER when there is no connection, or 64 MiB wait already. */
int amqp_publish(struct amqp *amqp, const struct amqp_message *message, uint64_t token,
                 struct err *err);
void amqp_settle(struct amqp *amqp, struct amqp_ref ref, enum amqp_settlement settlement);
/* True stops the consumers (what was prefetched still comes), false starts them again. */
void amqp_hold(struct amqp *amqp, bool hold);
/* One message, if there is one: `got` with NULL when the queue is empty or the connection
 * was lost. For people's commands, not for work. This and the next: -1 with ERR_BROKER when
 * there is no connection, and nobody is called. */
int amqp_get(struct amqp *amqp, const char *queue,
             void (*got)(void *context, const struct amqp_delivery *delivery), void *context,
             struct err *err);
/* How many messages wait in it; -1 when the broker does not say. */
int amqp_count(struct amqp *amqp, const char *queue, void (*counted)(void *context, int64_t count),
               void *context, struct err *err);
/* Sends what waits (for at most `linger_ms`), closes, joins the thread. No callback comes
 * any more. */
void amqp_free(struct amqp *amqp, uint64_t linger_ms);

#endif
