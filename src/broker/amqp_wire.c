/* SPDX-License-Identifier: MIT */
#include <sys/time.h>

#include "broker/amqp_private.h"

enum { FRAMES_A_TURN = 256 };

static int on_connection_close(struct line *line, amqp_channel_t channel,
                               const amqp_method_t *method, struct err *err)
{
    (void)channel;
    amqp_connection_close_ok_t ok = {0};
    (void)line->api->send_method(line->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
    return line_fail_close(line, "to go on", method, err);
}

static int on_blocked(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                      struct err *err)
{
    (void)channel;
    (void)err;
    line->is_blocked = method->id == AMQP_CONNECTION_BLOCKED_METHOD;
    return 0;
}

static int on_channel_close(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                            struct err *err)
{
    amqp_channel_close_ok_t ok = {0};
    int rc = line->api->send_method(line->state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    if (channel != CHANNEL_ASK)
        return line_fail_close(line, channel == CHANNEL_PUBLISH ? "a message" : "a consumer",
                               method, err);
    return rc < 0 ? line_fail_status(line, rc, err) : line_ask_closed(line, err);
}

/* Consumers are named by their place, and what is behind its point says which of several. */
static const char *queue_of(const struct line *line, amqp_bytes_t consumer_tag)
{
    const char *text = consumer_tag.bytes;
    size_t place = 0;
    for (size_t i = 0; i < consumer_tag.len && text[i] != '.'; i++) {
        if (text[i] < '0' || text[i] > '9' || place > line->config->consumer_count)
            return NULL;
        place = place * 10 + (size_t)(text[i] - '0');
    }
    return place < line->config->consumer_count ? line->config->consumers[place].queue : NULL;
}

static int on_cancel(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                     struct err *err)
{
    (void)channel;
    const amqp_basic_cancel_t *cancel = method->decoded;
    const char *queue = queue_of(line, cancel->consumer_tag);
    return line_fail(line, err, "has no queue %s any more (basic.cancel)", queue ? queue : "");
}

static int on_deliver(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                      struct err *err)
{
    const amqp_basic_deliver_t *deliver = method->decoded;
    struct content content = {
        .kind = CONTENT_DELIVERED,
        .queue = queue_of(line, deliver->consumer_tag),
        .exchange = deliver->exchange,
        .key = deliver->routing_key,
        .tag = deliver->delivery_tag,
        .redelivered = deliver->redelivered != 0,
    };
    return content_begin(line, channel, &content, err);
}

static int on_get_ok(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                     struct err *err)
{
    const amqp_basic_get_ok_t *got = method->decoded;
    const struct question *question = line_asked(line);
    if (channel != CHANNEL_ASK)
        return line_fail(line, err, "answers what was asked on another channel");
    struct content content = {
        .kind = CONTENT_GOT,
        .queue = question ? question->queue : NULL,
        .exchange = got->exchange,
        .key = got->routing_key,
        .tag = got->delivery_tag,
        .redelivered = got->redelivered != 0,
    };
    return content_begin(line, channel, &content, err);
}

static int on_get_empty(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                        struct err *err)
{
    (void)channel;
    (void)method;
    struct question *question = line_asked(line);
    return question ? line_answer(line, question, err) : 0;
}

static int on_declared(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                       struct err *err)
{
    (void)channel;
    const amqp_queue_declare_ok_t *declared = method->decoded;
    struct question *question = line_asked(line);
    if (!question)
        return 0;
    question->count = declared->message_count;
    return line_answer(line, question, err);
}

static int on_return(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                     struct err *err)
{
    (void)method;
    struct content content = {.kind = CONTENT_RETURNED};
    return content_begin(line, channel, &content, err);
}

static void settle(struct line *line, uint64_t number, bool multiple, enum amqp_outcome outcome)
{
    struct posting *posting;
    while ((posting = confirms_take(&line->confirms, number, multiple)) != NULL) {
        bool is_nowhere = posting->was_returned && outcome == AMQP_STORED;
        line_tell_outcome(line, posting, is_nowhere ? AMQP_UNROUTABLE : outcome);
    }
}

static int on_ack(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                  struct err *err)
{
    (void)channel;
    (void)err;
    const amqp_basic_ack_t *ack = method->decoded;
    settle(line, ack->delivery_tag, ack->multiple, AMQP_STORED);
    return 0;
}

static int on_nack(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                   struct err *err)
{
    (void)channel;
    (void)err;
    const amqp_basic_nack_t *nack = method->decoded;
    settle(line, nack->delivery_tag, nack->multiple, AMQP_REFUSED);
    return 0;
}

/* The rest are answers for which nobody waits. */
static const struct {
    amqp_method_number_t id;
    int (*take)(struct line *line, amqp_channel_t channel, const amqp_method_t *method,
                struct err *err);
} methods[] = {
    {AMQP_BASIC_DELIVER_METHOD, on_deliver},
    {AMQP_BASIC_ACK_METHOD, on_ack},
    {AMQP_BASIC_NACK_METHOD, on_nack},
    {AMQP_BASIC_RETURN_METHOD, on_return},
    {AMQP_BASIC_CANCEL_METHOD, on_cancel},
    {AMQP_BASIC_GET_OK_METHOD, on_get_ok},
    {AMQP_BASIC_GET_EMPTY_METHOD, on_get_empty},
    {AMQP_QUEUE_DECLARE_OK_METHOD, on_declared},
    {AMQP_CHANNEL_CLOSE_METHOD, on_channel_close},
    {AMQP_CONNECTION_CLOSE_METHOD, on_connection_close},
    {AMQP_CONNECTION_BLOCKED_METHOD, on_blocked},
    {AMQP_CONNECTION_UNBLOCKED_METHOD, on_blocked},
};

/* What the library decodes of another class is another, smaller struct. */
static int take_header(struct line *line, const amqp_frame_t *frame, struct err *err)
{
    if (frame->payload.properties.class_id != AMQP_BASIC_CLASS)
        return line_fail(line, err, "sends the header of something that is no message");
    return content_header(line, frame->channel, frame->payload.properties.body_size,
                          frame->payload.properties.decoded, err);
}

static int take_frame(struct line *line, const amqp_frame_t *frame, struct err *err)
{
    if (frame->channel >= CHANNELS)
        return line_fail(line, err, "speaks of a channel that we have not opened");
    if (frame->frame_type == AMQP_FRAME_HEADER)
        return take_header(line, frame, err);
    if (frame->frame_type == AMQP_FRAME_BODY)
        return content_body(line, frame->channel, frame->payload.body_fragment, err);
    if (frame->frame_type != AMQP_FRAME_METHOD)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (methods[i].id == frame->payload.method.id)
            return methods[i].take(line, frame->channel, &frame->payload.method, err);
    }
    return 0;
}

int line_read(struct line *line, struct err *err)
{
    const struct timeval now = {0};
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        amqp_frame_t frame;
        int status = line->api->simple_wait_frame_noblock(line->state, &frame, &now);
        if (status == AMQP_STATUS_TIMEOUT)
            return 0;
        if (status != AMQP_STATUS_OK)
            return line_fail_status(line, status, err);
        if (take_frame(line, &frame, err) < 0)
            return -1;
        const struct content *content = &line->contents[frame.channel];
        if (content->kind == CONTENT_NONE || content->has_header)
            line->api->maybe_release_buffers_on_channel(line->state, frame.channel);
    }
    return 0;
}
