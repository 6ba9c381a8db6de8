/* SPDX-License-Identifier: MIT */
#include "broker/amqp_private.h"

/* Questions of people: amqp_get, amqp_count. On a channel of their own, since the broker
 * closes it when a queue is not there; one at a time, since those behind one that closes it
 * would go under. */

/* Tags of messages that were got carry which opening of the channel they are of. */
#define ASK_TAG (1ULL << 63)
enum { TAG_BITS = 47 };

uint64_t ask_tag(const struct line *line, uint64_t tag)
{
    return ASK_TAG | (uint64_t)line->asking << TAG_BITS | (tag & ((1ULL << TAG_BITS) - 1));
}

bool ask_is_tag(uint64_t tag)
{
    return (tag & ASK_TAG) != 0;
}

bool ask_own_tag(const struct line *line, uint64_t tag, uint64_t *ret_tag)
{
    *ret_tag = tag & ((1ULL << TAG_BITS) - 1);
    return line->can_ask && (uint16_t)(tag >> TAG_BITS) == line->asking;
}

static struct question *first(const struct line *line)
{
    return CONTAINER_OF(line->questions.next, struct question, item.link);
}

struct question *line_asked(struct line *line)
{
    return line->is_asked ? first(line) : NULL;
}

static int send_question(struct line *line, struct question *question)
{
    amqp_bytes_t queue = bytes_of(question->queue);
    amqp_basic_get_t get = {.queue = queue};
    amqp_queue_declare_t look = {.queue = queue, .passive = 1};
    if (question->got)
        return line->api->send_method(line->state, CHANNEL_ASK, AMQP_BASIC_GET_METHOD, &get);
    return line->api->send_method(line->state, CHANNEL_ASK, AMQP_QUEUE_DECLARE_METHOD, &look);
}

static int ask_next(struct line *line, struct err *err)
{
    if (line->is_asked || list_empty(&line->questions))
        return 0;
    int status = AMQP_STATUS_OK;
    if (!line->can_ask) {
        amqp_channel_open_t open = {0};
        status = line->api->send_method(line->state, CHANNEL_ASK, AMQP_CHANNEL_OPEN_METHOD, &open);
        line->can_ask = true;
        line->asking = (uint16_t)((line->asking + 1) & INT16_MAX);
    }
    if (status == AMQP_STATUS_OK)
        status = send_question(line, first(line));
    if (status != AMQP_STATUS_OK)
        return line_fail_status(line, status, err);
    line->is_asked = true;
    line->answer_until_ns = loop_now_ns() + line_timeout_ms(line) * NS_PER_MS;
    return 0;
}

int line_ask(struct line *line, struct question *question, struct err *err)
{
    list_append(&line->questions, &question->item.link);
    return ask_next(line, err);
}

int line_answer(struct line *line, struct question *question, struct err *err)
{
    content_drop(line, CHANNEL_ASK); /* begun as its answer, with the name of its queue */
    line->is_asked = false;
    list_remove(&question->item.link);
    relay_tell(line->relay, &question->item);
    return ask_next(line, err);
}

int line_ask_closed(struct line *line, struct err *err)
{
    struct question *question = line_asked(line);
    line->can_ask = false;
    return question ? line_answer(line, question, err) : ask_next(line, err);
}

void line_void_questions(struct line *line)
{
    line->is_asked = false;
    line->can_ask = false;
    while (!list_empty(&line->questions)) {
        struct question *question = first(line);
        list_remove(&question->item.link);
        relay_tell(line->relay, &question->item);
    }
}
