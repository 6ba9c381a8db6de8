/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>

#include "broker/amqp_private.h"

/* What the owner wants, as frames. Nothing here waits for an answer; what the broker has to
 * say to it is met in amqp_wire.c. */

/* Between two looks at what the broker says. */
#define COST_A_TURN MIB
enum { COST_OF_ORDER = 1024 };

static int check_status(const struct line *line, int status, struct err *err)
{
    return status < 0 ? line_fail_status(line, status, err) : 0;
}

/* --- consumers, named by their place, and by how often they were started: RabbitMQ
 * 3.10.8 ends a channel on which a quorum queue's consumer comes back under a name that has
 * deliveries left (rabbitmq-server issue 5927) --- */

struct consumer_name {
    char text[40];
};

static struct consumer_name name_of(const struct line *line, size_t place)
{
    struct consumer_name name;
    int len = snprintf(name.text, sizeof name.text, "%zu.%u", place, line->starts);
    assert(len > 0 && (size_t)len < sizeof name.text);
    return name;
}

int line_consume(struct line *line, struct err *err)
{
    line->starts++;
    for (size_t i = 0; i < line->config->consumer_count; i++) {
        const struct amqp_consumer *consumer = &line->config->consumers[i];
        struct consumer_name name = name_of(line, i);
        /* It holds for the consumers that come after it. */
        amqp_basic_qos_t qos = {.prefetch_count = consumer->prefetch};
        amqp_basic_consume_t consume = {
            .queue = bytes_of(consumer->queue),
            .consumer_tag = bytes_of(name.text),
            .nowait = 1,
        };
        int status =
            line->api->send_method(line->state, CHANNEL_CONSUME, AMQP_BASIC_QOS_METHOD, &qos);
        if (status == AMQP_STATUS_OK)
            status = line->api->send_method(line->state, CHANNEL_CONSUME, AMQP_BASIC_CONSUME_METHOD,
                                            &consume);
        if (status != AMQP_STATUS_OK)
            return line_fail_status(line, status, err);
    }
    return 0;
}

static int stop_consumers(struct line *line, struct err *err)
{
    for (size_t i = 0; i < line->config->consumer_count; i++) {
        struct consumer_name name = name_of(line, i);
        amqp_basic_cancel_t cancel = {.consumer_tag = bytes_of(name.text), .nowait = 1};
        int status =
            line->api->send_method(line->state, CHANNEL_CONSUME, AMQP_BASIC_CANCEL_METHOD, &cancel);
        if (status != AMQP_STATUS_OK)
            return line_fail_status(line, status, err);
    }
    return 0;
}

static int follow_hold(struct line *line, struct err *err)
{
    bool hold = relay_is_held(line->relay);
    if (hold == line->is_held)
        return 0;
    line->is_held = hold;
    return hold ? stop_consumers(line, err) : line_consume(line, err);
}

/* --- messages --- */

void line_tell_outcome(struct line *line, struct posting *posting, enum amqp_outcome outcome)
{
    posting->outcome = outcome;
    relay_tell(line->relay, &posting->item);
}

static int publish(struct line *line, struct posting *posting, struct err *err)
{
    const struct amqp_message *message = &posting->message;
    uint64_t number = confirms_add(&line->confirms, posting);
    if (number == 0) {
        line_tell_outcome(line, posting, AMQP_UNKNOWN);
        return line_fail(line, err, "cannot be written to: out of memory");
    }
    amqp_table_entry_t sequence = {
        .key = bytes_of(SEQUENCE_HEADER),
        .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = (int64_t)number},
    };
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG |
                  (message->content_type ? AMQP_BASIC_CONTENT_TYPE_FLAG : 0U) |
                  (message->message_id ? AMQP_BASIC_MESSAGE_ID_FLAG : 0U) |
                  (message->correlation_id ? AMQP_BASIC_CORRELATION_ID_FLAG : 0U) |
                  (message->reply_to ? AMQP_BASIC_REPLY_TO_FLAG : 0U) |
                  (message->timestamp ? AMQP_BASIC_TIMESTAMP_FLAG : 0U) |
                  (message->mandatory ? AMQP_BASIC_HEADERS_FLAG : 0U),
        .delivery_mode =
            message->persistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT,
        .content_type = bytes_of(message->content_type),
        .message_id = bytes_of(message->message_id),
        .correlation_id = bytes_of(message->correlation_id),
        .reply_to = bytes_of(message->reply_to),
        .timestamp = message->timestamp,
        .headers = {1, &sequence},
    };
    amqp_bytes_t body = {message->body.len, (void *)message->body.at};
    int status =
        line->api->basic_publish(line->state, CHANNEL_PUBLISH, bytes_of(message->exchange),
                                 bytes_of(message->key), message->mandatory, 0, &properties, body);
    return check_status(line, status, err);
}

static int send_settlement(struct line *line, amqp_channel_t channel, uint64_t tag,
                           enum amqp_settlement settlement, struct err *err)
{
    amqp_basic_ack_t ack = {.delivery_tag = tag};
    amqp_basic_reject_t reject = {.delivery_tag = tag, .requeue = settlement == AMQP_REQUEUE};
    int status =
        settlement == AMQP_ACK
            ? line->api->send_method(line->state, channel, AMQP_BASIC_ACK_METHOD, &ack)
            : line->api->send_method(line->state, channel, AMQP_BASIC_REJECT_METHOD, &reject);
    return check_status(line, status, err);
}

static int settle(struct line *line, struct settling *settling, struct err *err)
{
    uint64_t tag = settling->tag;
    enum amqp_settlement settlement = settling->settlement;
    item_free(&settling->item);
    if (!ask_is_tag(tag))
        return send_settlement(line, CHANNEL_CONSUME, tag, settlement, err);
    if (!ask_own_tag(line, tag, &tag))
        return 0;
    return send_settlement(line, CHANNEL_ASK, tag, settlement, err);
}

/* --- one order after the other --- */

static void void_order(struct line *line, struct item *item)
{
    if (item->kind == ITEM_POSTING)
        line_tell_outcome(line, CONTAINER_OF(item, struct posting, item), AMQP_UNKNOWN);
    else if (item->kind == ITEM_QUESTION)
        relay_tell(line->relay, item);
    else
        item_free(item);
}

/* Takes item. */
static int obey(struct line *line, struct item *item, struct err *err)
{
    if (item->connection != line->connection) {
        void_order(line, item);
        return 0;
    }
    if (item->kind == ITEM_POSTING)
        return publish(line, CONTAINER_OF(item, struct posting, item), err);
    if (item->kind == ITEM_SETTLING)
        return settle(line, CONTAINER_OF(item, struct settling, item), err);
    return line_ask(line, CONTAINER_OF(item, struct question, item), err);
}

static struct item *take_first(struct list *items)
{
    struct item *item = CONTAINER_OF(items->next, struct item, link);
    list_remove(&item->link);
    return item;
}

/* NULL: there is none that can be done now. */
static struct item *next_order(struct line *line)
{
    if (!line->is_blocked && !list_empty(&line->parked))
        return take_first(&line->parked);
    while (!list_empty(&line->orders)) {
        struct item *item = take_first(&line->orders);
        if (!line->is_blocked || item->kind != ITEM_POSTING)
            return item;
        list_append(&line->parked, &item->link);
    }
    return NULL;
}

int line_obey(struct line *line, struct err *err)
{
    relay_take_orders(line->relay, &line->orders);
    if (follow_hold(line, err) < 0)
        return -1;
    size_t cost = 0;
    while (cost < COST_A_TURN) {
        struct item *item = next_order(line);
        if (!item)
            return 0;
        cost += COST_OF_ORDER;
        if (item->kind == ITEM_POSTING)
            cost += CONTAINER_OF(item, struct posting, item)->size;
        if (obey(line, item, err) < 0)
            return -1;
    }
    return 1;
}

void line_void_all(struct line *line)
{
    struct posting *posting;
    while ((posting = confirms_take(&line->confirms, UINT64_MAX, true)) != NULL)
        line_tell_outcome(line, posting, AMQP_UNKNOWN);
    confirms_fini(&line->confirms);
    line_void_questions(line);
    relay_take_orders(line->relay, &line->orders);
    while (!list_empty(&line->parked))
        void_order(line, take_first(&line->parked));
    while (!list_empty(&line->orders))
        void_order(line, take_first(&line->orders));
}
