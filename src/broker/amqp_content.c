/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "broker/amqp_private.h"

/* What comes with a body: deliveries, and our own messages that come back. */

int content_begin(struct line *line, amqp_channel_t channel, const struct content *content,
                  struct err *err)
{
    if (line->contents[channel].kind != CONTENT_NONE)
        return line_fail(line, err, "begins a message inside of another");
    line->contents[channel] = *content;
    return 0;
}

void content_drop(struct line *line, amqp_channel_t channel)
{
    struct content *content = &line->contents[channel];
    if (content->parcel)
        item_free(&content->parcel->item);
    *content = (struct content){0};
}

static const amqp_field_value_t *header_of(const amqp_basic_properties_t *properties,
                                           const char *name)
{
    if (!(properties->_flags & AMQP_BASIC_HEADERS_FLAG))
        return NULL;
    for (int i = 0; i < properties->headers.num_entries; i++) {
        const amqp_table_entry_t *entry = &properties->headers.entries[i];
        if (slice_is((struct slice){entry->key.bytes, entry->key.len}, name))
            return &entry->value;
    }
    return NULL;
}

static uint64_t header_number(const amqp_basic_properties_t *properties, const char *name)
{
    const amqp_field_value_t *value = header_of(properties, name);
    int64_t number = 0;
    switch (value ? value->kind : 0) {
    case AMQP_FIELD_KIND_I32:
        number = value->value.i32;
        break;
    case AMQP_FIELD_KIND_I64:
        number = value->value.i64;
        break;
    default:
        break;
    }
    return number > 0 ? (uint64_t)number : 0;
}

static amqp_bytes_t header_text(const amqp_basic_properties_t *properties, const char *name)
{
    const amqp_field_value_t *value = header_of(properties, name);
    bool is_text =
        value && (value->kind == AMQP_FIELD_KIND_UTF8 || value->kind == AMQP_FIELD_KIND_BYTES);
    return is_text ? value->value.bytes : (amqp_bytes_t){0};
}

static amqp_bytes_t property(const amqp_basic_properties_t *properties, amqp_flags_t flag,
                             amqp_bytes_t value)
{
    return properties->_flags & flag ? value : (amqp_bytes_t){0};
}

static const char *put_text(char **at, amqp_bytes_t text)
{
    char *start = *at;
    if (text.len > 0)
        memcpy(start, text.bytes, text.len);
    start[text.len] = '\0';
    *at += text.len + 1;
    return start;
}

/* NULL: no memory for it. One that is too large comes without its body: what to do about it is
 * its owner's to say. */
static struct parcel *parcel_new(const struct line *line, const struct content *content,
                                 uint64_t body_size, const amqp_basic_properties_t *properties)
{
    const amqp_bytes_t texts[] = {
        bytes_of(content->queue),
        content->exchange,
        content->key,
        property(properties, AMQP_BASIC_MESSAGE_ID_FLAG, properties->message_id),
        property(properties, AMQP_BASIC_CORRELATION_ID_FLAG, properties->correlation_id),
        property(properties, AMQP_BASIC_REPLY_TO_FLAG, properties->reply_to),
        header_text(properties, "x-first-death-reason"),
        header_text(properties, "x-first-death-queue"),
    };
    const char *kept[ARRAY_LEN(texts)];
    size_t room = body_size > AMQP_BODY_MAX ? 0 : (size_t)body_size;
    size_t size = sizeof(struct parcel) + room;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        size += texts[i].len + 1;
    struct parcel *parcel = malloc(size);
    if (!parcel)
        return NULL;
    char *at = (char *)(parcel + 1);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        kept[i] = put_text(&at, texts[i]);
    *parcel = (struct parcel){
        .item = {.kind = ITEM_PARCEL, .connection = line->connection},
        .body = body_size > AMQP_BODY_MAX ? NULL : at,
        .delivery =
            {
                .ref = {line->connection, content->tag},
                .queue = kept[0],
                .exchange = kept[1],
                .key = kept[2],
                .size = body_size,
                .message_id = kept[3],
                .correlation_id = kept[4],
                .reply_to = kept[5],
                .redelivered = content->redelivered,
                .delivery_count = header_number(properties, "x-delivery-count"),
                .death_reason = kept[6],
                .death_queue = kept[7],
            },
    };
    parcel->delivery.body = (struct slice){parcel->body, room};
    list_init(&parcel->item.link);
    return parcel;
}

static void note_return(struct line *line, const amqp_basic_properties_t *properties)
{
    struct posting *posting =
        confirms_find(&line->confirms, header_number(properties, SEQUENCE_HEADER));
    if (posting)
        posting->was_returned = true;
}

static int complete(struct line *line, struct content *content, struct err *err)
{
    struct parcel *parcel = content->parcel;
    bool was_got = content->kind == CONTENT_GOT;
    *content = (struct content){0};
    if (!was_got) {
        if (parcel)
            relay_tell(line->relay, &parcel->item);
        return 0;
    }
    struct question *question = line_asked(line);
    if (!question) {
        free(parcel);
        return 0;
    }
    if (parcel)
        parcel->delivery.ref.tag = ask_tag(line, parcel->delivery.ref.tag);
    question->found = parcel;
    return line_answer(line, question, err);
}

int content_header(struct line *line, amqp_channel_t channel, uint64_t body_size,
                   const amqp_basic_properties_t *properties, struct err *err)
{
    struct content *content = &line->contents[channel];
    if (content->kind == CONTENT_NONE || content->has_header)
        return line_fail(line, err, "sends a header that belongs to no message");
    content->has_header = true;
    content->left = body_size;
    if (content->kind == CONTENT_RETURNED) {
        note_return(line, properties);
    } else {
        content->parcel = parcel_new(line, content, body_size, properties);
        if (!content->parcel)
            return line_fail(line, err, "sends more than there is memory for");
    }
    return body_size == 0 ? complete(line, content, err) : 0;
}

int content_body(struct line *line, amqp_channel_t channel, amqp_bytes_t bytes, struct err *err)
{
    struct content *content = &line->contents[channel];
    if (!content->has_header || bytes.len > content->left)
        return line_fail(line, err, "sends bytes that belong to no message");
    struct parcel *parcel = content->parcel;
    if (parcel && parcel->body)
        memcpy(parcel->body + (parcel->delivery.body.len - content->left), bytes.bytes, bytes.len);
    content->left -= bytes.len;
    return content->left == 0 ? complete(line, content, err) : 0;
}
