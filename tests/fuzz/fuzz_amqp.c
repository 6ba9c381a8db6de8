/* SPDX-License-Identifier: MIT */
/* What a broker sends once we are connected, as frames that librabbitmq has decoded, in any
 * order and on any channel; beside them our own questions and postings. What is told of it is
 * whole: texts end, a body is the bytes that came for it, each question and posting comes back
 * once. The library's memory goes where it would let go of it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "broker/amqp_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { TEXTS_MAX = 4096, POSTINGS_MAX = 64, ENTRIES_MAX = 4, FRAME_BODY = 4096 };

/* ---- the input ---- */

static struct {
    const uint8_t *at;
    size_t left;
} input;

static uint8_t byte(void)
{
    if (input.left == 0)
        return 0;
    input.left--;
    return *input.at++;
}

static uint64_t number(int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | byte();
    return value;
}

/* ---- the library ---- */

/* Each text on its own, so that what lies behind it is nobody's; freed when the line lets go. */
static struct {
    void *blocks[TEXTS_MAX];
    size_t count;
} pool;

static void *pool_add(size_t size)
{
    void *block = malloc(size ? size : 1);
    assert(block && pool.count < TEXTS_MAX);
    pool.blocks[pool.count++] = block;
    return block;
}

static void pool_release(void)
{
    while (pool.count > 0)
        free(pool.blocks[--pool.count]);
}

static amqp_bytes_t text(size_t max)
{
    size_t len = (size_t)number(max > UINT8_MAX ? 2 : 1);
    len = MIN(len, MIN(max, input.left));
    amqp_bytes_t bytes = {len, pool_add(len)};
    if (len > 0)
        memcpy(bytes.bytes, input.at, len);
    input.at += len;
    input.left -= len;
    return bytes;
}

static amqp_bytes_t short_text(void)
{
    return text(UINT8_MAX);
}

static amqp_field_value_t field(void)
{
    amqp_field_value_t value = {.kind = byte()};
    if (value.kind == AMQP_FIELD_KIND_UTF8 || value.kind == AMQP_FIELD_KIND_BYTES)
        value.value.bytes = short_text();
    else if (value.kind == AMQP_FIELD_KIND_I32)
        value.value.i32 = (int32_t)number(4);
    else
        value.value.i64 = (int64_t)number(8);
    return value;
}

static amqp_table_t table(void)
{
    amqp_table_t headers = {.num_entries = byte() % (ENTRIES_MAX + 1)};
    headers.entries = pool_add((size_t)headers.num_entries * sizeof *headers.entries);
    for (int i = 0; i < headers.num_entries; i++)
        headers.entries[i] = (amqp_table_entry_t){short_text(), field()};
    return headers;
}

/* As the library allots it: by its class, and only Basic's has more than flags. */
static void *properties_of(uint16_t class)
{
    amqp_flags_t flags = (amqp_flags_t)number(2);
    if (class != AMQP_BASIC_CLASS) {
        amqp_connection_properties_t *other = pool_add(sizeof *other);
        *other = (amqp_connection_properties_t){._flags = flags};
        return other;
    }
    amqp_basic_properties_t *properties = pool_add(sizeof *properties);
    memset(properties, 0xA5, sizeof *properties); /* what has no flag was never set */
    properties->_flags = flags;
    if (flags & AMQP_BASIC_HEADERS_FLAG)
        properties->headers = table();
    if (flags & AMQP_BASIC_MESSAGE_ID_FLAG)
        properties->message_id = short_text();
    if (flags & AMQP_BASIC_CORRELATION_ID_FLAG)
        properties->correlation_id = short_text();
    if (flags & AMQP_BASIC_REPLY_TO_FLAG)
        properties->reply_to = short_text();
    return properties;
}

static void *delivered(void)
{
    amqp_basic_deliver_t *method = pool_add(sizeof *method);
    *method = (amqp_basic_deliver_t){.consumer_tag = short_text(),
                                     .delivery_tag = number(2),
                                     .redelivered = byte() & 1,
                                     .exchange = short_text(),
                                     .routing_key = short_text()};
    return method;
}

static void *got(void)
{
    amqp_basic_get_ok_t *method = pool_add(sizeof *method);
    *method = (amqp_basic_get_ok_t){
        .delivery_tag = number(8), .exchange = short_text(), .routing_key = short_text()};
    return method;
}

static void *settled(void) /* an ack is a nack, but for one bit behind it */
{
    amqp_basic_nack_t *method = pool_add(sizeof *method);
    *method = (amqp_basic_nack_t){.delivery_tag = number(1), .multiple = byte() & 1};
    return method;
}

static void *cancelled(void)
{
    amqp_basic_cancel_t *method = pool_add(sizeof *method);
    *method = (amqp_basic_cancel_t){.consumer_tag = short_text()};
    return method;
}

static void *declared(void)
{
    amqp_queue_declare_ok_t *method = pool_add(sizeof *method);
    *method = (amqp_queue_declare_ok_t){.message_count = (uint32_t)number(4)};
    return method;
}

static void *closed(void) /* a connection's is a channel's */
{
    amqp_connection_close_t *method = pool_add(sizeof *method);
    *method = (amqp_connection_close_t){.reply_text = short_text()};
    return method;
}

static const struct {
    amqp_method_number_t id;
    void *(*decode)(void); /* NULL: nobody looks */
} methods[] = {
    {AMQP_BASIC_DELIVER_METHOD, delivered}, {AMQP_BASIC_GET_OK_METHOD, got},
    {AMQP_BASIC_ACK_METHOD, settled},       {AMQP_BASIC_NACK_METHOD, settled},
    {AMQP_BASIC_CANCEL_METHOD, cancelled},  {AMQP_QUEUE_DECLARE_OK_METHOD, declared},
    {AMQP_CHANNEL_CLOSE_METHOD, closed},    {AMQP_CONNECTION_CLOSE_METHOD, closed},
    {AMQP_BASIC_RETURN_METHOD, NULL},       {AMQP_BASIC_GET_EMPTY_METHOD, NULL},
    {AMQP_CONNECTION_BLOCKED_METHOD, NULL}, {AMQP_CONNECTION_UNBLOCKED_METHOD, NULL},
    {AMQP_CHANNEL_OPEN_OK_METHOD, NULL},
};
static const uint16_t classes[] = {AMQP_BASIC_CLASS, AMQP_CONNECTION_CLASS, AMQP_TX_CLASS};
static const uint64_t sizes[] = {0, 1, 5, 300, AMQP_BODY_MAX, AMQP_BODY_MAX + 1, UINT64_MAX};

/* ---- what we wait for, and what came ---- */

static struct world {
    struct line line;
    struct relay relay;
    size_t asked;              /* questions without an answer */
    size_t posted;             /* … messages without an outcome */
    struct buf body[CHANNELS]; /* of what comes on each */
} world;

static const char *const queues[] = {"jobs", "results"};

static bool was_sent(struct slice body)
{
    bool found = false;
    for (size_t i = 0; i < CHANNELS; i++)
        found = found || slice_equal(buf_slice(&world.body[i]), body);
    return found;
}

static void check_parcel(const struct parcel *parcel)
{
    const struct amqp_delivery *delivery = &parcel->delivery;
    const char *const texts[] = {
        delivery->queue,        delivery->exchange,       delivery->key,
        delivery->message_id,   delivery->correlation_id, delivery->reply_to,
        delivery->death_reason, delivery->death_queue};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert(strlen(texts[i]) <= UINT8_MAX);
    assert(!delivery->queue[0] || strcmp(delivery->queue, queues[0]) == 0 ||
           strcmp(delivery->queue, queues[1]) == 0);
    assert(!delivery->body.at == (delivery->size > AMQP_BODY_MAX));
    assert(!delivery->body.at ||
           (delivery->body.len == delivery->size && was_sent(delivery->body)));
}

static void take_news(void)
{
    struct list news;
    list_init(&news);
    relay_take_news(&world.relay, &news);
    while (!list_empty(&news)) {
        struct item *item = CONTAINER_OF(news.next, struct item, link);
        list_remove(&item->link);
        if (item->kind == ITEM_PARCEL)
            check_parcel(CONTAINER_OF(item, struct parcel, item));
        if (item->kind == ITEM_QUESTION) {
            const struct question *question = CONTAINER_OF(item, struct question, item);
            if (question->found)
                check_parcel(question->found);
            assert(world.asked-- > 0);
        }
        if (item->kind == ITEM_POSTING)
            assert(world.posted-- > 0);
        item_free(item);
    }
}

/* ---- what the line calls ---- */

static void take_answer(void *context, const struct amqp_delivery *delivery)
{
    (void)context, (void)delivery;
}

static void ask(void)
{
    struct err err;
    struct question *question = item_new(ITEM_QUESTION, sizeof *question + sizeof "jobs", 1);
    memcpy(question->queue, "jobs", sizeof "jobs");
    question->got = byte() & 1 ? take_answer : NULL; /* else it asks how many there are */
    world.asked++;
    int rc = line_ask(&world.line, question, &err);
    assert(rc == 0);
}

static void post(void)
{
    if (world.posted == POSTINGS_MAX)
        return;
    struct posting *posting = item_new(ITEM_POSTING, sizeof *posting, 1);
    uint64_t sequence = confirms_add(&world.line.confirms, posting);
    assert(sequence > 0);
    world.posted++;
}

static void take_body(amqp_frame_t *frame)
{
    frame->payload.body_fragment = text(FRAME_BODY);
    if (frame->channel < CHANNELS)
        buf_add(&world.body[frame->channel], frame->payload.body_fragment.bytes,
                frame->payload.body_fragment.len);
}

static void take_header(amqp_frame_t *frame)
{
    uint16_t class = classes[byte() % ARRAY_LEN(classes)];
    frame->payload.properties.class_id = class;
    frame->payload.properties.body_size = sizes[byte() % ARRAY_LEN(sizes)];
    frame->payload.properties.decoded = properties_of(class);
    if (frame->channel < CHANNELS)
        buf_clear(&world.body[frame->channel]);
}

/* A step of the input, up to the next frame. */
static int next_frame(amqp_connection_state_t state, amqp_frame_t *frame,
                      const struct timeval *wait)
{
    (void)state, (void)wait;
    take_news();
    while (input.left > 0) {
        uint8_t step = byte();
        *frame = (amqp_frame_t){.channel = (amqp_channel_t)(step >> 4)};
        switch (step % 5) {
        case 0:
            ask();
            continue;
        case 1:
            post();
            continue;
        case 2: {
            size_t method = byte() % ARRAY_LEN(methods);
            frame->frame_type = AMQP_FRAME_METHOD;
            frame->payload.method.id = methods[method].id;
            frame->payload.method.decoded =
                methods[method].decode ? methods[method].decode() : NULL;
            return AMQP_STATUS_OK;
        }
        case 3:
            frame->frame_type = AMQP_FRAME_HEADER;
            take_header(frame);
            return AMQP_STATUS_OK;
        default:
            frame->frame_type = AMQP_FRAME_BODY;
            take_body(frame);
            return AMQP_STATUS_OK;
        }
    }
    return AMQP_STATUS_TIMEOUT;
}

static int send_method(amqp_connection_state_t state, amqp_channel_t channel,
                       amqp_method_number_t method, void *decoded)
{
    (void)state, (void)method, (void)decoded;
    assert(channel < CHANNELS);
    return AMQP_STATUS_OK;
}

/* It lets go of nothing while another channel is in the middle of something. */
static void release(amqp_connection_state_t state, amqp_channel_t channel)
{
    (void)state;
    for (size_t i = 0; i < CHANNELS; i++) {
        const struct content *content = &world.line.contents[i];
        if (i != channel && content->kind != CONTENT_NONE && !content->has_header)
            return;
    }
    pool_release();
}

/* ---- one input ---- */

static void set_up(void)
{
    static const struct amqp_api api = {.simple_wait_frame_noblock = next_frame,
                                        .send_method = send_method,
                                        .maybe_release_buffers_on_channel = release};
    static const struct amqp_consumer consumers[] = {{.queue = "jobs"}, {.queue = "results"}};
    static const struct amqp_config config = {.consumers = consumers, .consumer_count = 2};
    static const struct place place = {.host = "broker", .port = "5672"};
    struct err err;
    int rc = relay_init(&world.relay, &err);
    assert(rc == 0);
    world.relay.wake = loop_wake_new(loop_new(), NULL, NULL);
    world.line = (struct line){
        .api = &api, .config = &config, .place = &place, .relay = &world.relay, .fd = -1};
    list_init(&world.line.orders);
    list_init(&world.line.parked);
    list_init(&world.line.questions);
    for (size_t i = 0; i < CHANNELS; i++)
        buf_init(&world.body[i], SIZE_MAX);
}

/* As when a connection is lost: nothing of it stays, and whoever waits is told. */
static void end_all(void)
{
    struct posting *posting;
    for (size_t i = 0; i < CHANNELS; i++)
        content_drop(&world.line, (amqp_channel_t)i);
    line_void_questions(&world.line);
    while ((posting = confirms_take(&world.line.confirms, UINT64_MAX, true)) != NULL)
        line_tell_outcome(&world.line, posting, AMQP_UNKNOWN);
    confirms_fini(&world.line.confirms);
    take_news();
    pool_release();
    assert(world.asked == 0 && world.posted == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct err err = {0};
    if (!world.line.api)
        set_up();
    input.at = bytes;
    input.left = MIN(size, (size_t)TEXTS_MAX / 2);
    world.line.connection++;
    int rc = line_read(&world.line, &err);
    while (rc == 0 && input.left > 0)
        rc = line_read(&world.line, &err);
    assert(rc == 0 || (rc == -1 && err.text[0]));
    end_all();
    return 0;
}
