/* SPDX-License-Identifier: MIT */
#include "codec/socketio_packet.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "codec/json_write.h"

#define SEPARATOR '\x1e'

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static struct slice without_first(struct slice text, size_t count)
{
    return (struct slice){text.at + count, text.len - count};
}

int engineio_read_packet(struct slice text, struct engineio_packet *ret_packet)
{
    if (text.len == 0 || text.at[0] < '0' || text.at[0] >= '0' + ENGINEIO_TYPE_COUNT)
        return -EBADMSG;
    ret_packet->type = (enum engineio_type)(text.at[0] - '0');
    ret_packet->data = without_first(text, 1);
    return 0;
}

bool engineio_cut_packet(struct slice *payload, struct slice *ret_text)
{
    if (!payload->at)
        return false;
    const char *end = payload->len > 0 ? memchr(payload->at, SEPARATOR, payload->len) : NULL;
    if (!end) {
        *ret_text = *payload;
        *payload = (struct slice){NULL, 0}; /* what ends in a separator has an empty last packet */
        return true;
    }
    *ret_text = (struct slice){payload->at, (size_t)(end - payload->at)};
    *payload = without_first(*payload, ret_text->len + 1);
    return true;
}

void engineio_write_packet(struct buf *out, enum engineio_type type, struct slice data)
{
    if (out->len > 0)
        buf_add_char(out, SEPARATOR);
    buf_add_char(out, (char)('0' + type));
    buf_add_slice(out, data);
}

enum need { NEVER, MAYBE, ALWAYS };

/* What each type may carry. A server never asks for an answer to a connect, so
 * only events and their answers have ids. What somebody typed is in events. */
static const struct {
    json_t *(*read_payload)(struct slice text, struct err *err);
    enum need payload;
    enum need id;
} types[] = {
    [SOCKETIO_CONNECT] = {json_read_object, MAYBE, NEVER},
    [SOCKETIO_DISCONNECT] = {NULL, NEVER, NEVER},
    [SOCKETIO_EVENT] = {json_read_lenient_array, ALWAYS, MAYBE},
    [SOCKETIO_ACK] = {json_read_lenient_array, ALWAYS, ALWAYS},
    [SOCKETIO_CONNECT_ERROR] = {json_read_object, ALWAYS, NEVER},
};
static_assert(ARRAY_LEN(types) == SOCKETIO_TYPE_COUNT, "the last type has no row");

static bool fits(enum need need, bool present)
{
    return need == MAYBE || present == (need == ALWAYS);
}

/* "/admin," at the start; the comma may lack when nothing follows. */
static int take_namespace(struct slice *text, struct slice *ret_space)
{
    *ret_space = slice_of("/");
    if (text->len == 0 || text->at[0] != '/')
        return 0;
    const char *comma = memchr(text->at, ',', text->len);
    size_t len = comma ? (size_t)(comma - text->at) : text->len;
    if (len > SOCKETIO_NAMESPACE_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text->at[i] < 0x20)
            return -EBADMSG; /* it is sent back, and must not be taken for a separator */
    *ret_space = (struct slice){text->at, len};
    *text = without_first(*text, len + (comma != NULL));
    return 0;
}

static struct slice take_digits(struct slice *text)
{
    size_t len = 0;
    while (len < text->len && is_digit(text->at[len]))
        len++;
    struct slice digits = {text->at, len};
    *text = without_first(*text, len);
    return digits;
}

/* Names that the libraries keep for themselves: their parser refuses them, since
 * on the other side they would call what is meant for the connection's own events. */
static bool is_reserved(struct slice name)
{
    static const char *const names[] = {"connect",       "connect_error", "disconnect",
                                        "disconnecting", "newListener",   "removeListener"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (slice_is(name, names[i]))
            return true;
    return false;
}

static bool is_event(const json_t *payload)
{
    const json_t *name = json_array_get(payload, 0);
    if (json_is_string(name))
        return !is_reserved((struct slice){json_string_value(name), json_string_length(name)});
    return json_is_number(name);
}

static int read_payload(struct slice text, struct socketio_packet *packet)
{
    if (text.len == 0)
        return 0;
    struct err err = {0};
    packet->payload = types[packet->type].read_payload(text, &err);
    if (!packet->payload)
        return err.code == ERR_INTERNAL ? -ENOMEM : -EBADMSG;
    if (packet->type == SOCKETIO_EVENT && !is_event(packet->payload)) {
        socketio_packet_fini(packet);
        return -EBADMSG;
    }
    return 0;
}

int socketio_read_packet(struct slice text, struct socketio_packet *ret_packet)
{
    if (text.len == 0 || text.at[0] < '0' || text.at[0] >= '0' + SOCKETIO_TYPE_COUNT)
        return -EBADMSG;
    struct socketio_packet packet = {.type = (enum socketio_type)(text.at[0] - '0')};
    text = without_first(text, 1);
    if (take_namespace(&text, &packet.space) < 0)
        return -EBADMSG;
    packet.id = take_digits(&text);
    if (!fits(types[packet.type].id, packet.id.len > 0) ||
        !fits(types[packet.type].payload, text.len > 0))
        return -EBADMSG;
    int rc = read_payload(text, &packet);
    if (rc == 0)
        *ret_packet = packet;
    return rc;
}

void socketio_packet_fini(struct socketio_packet *packet)
{
    json_decref(packet->payload);
    packet->payload = NULL;
}

struct slice socketio_event_name(const struct socketio_packet *packet)
{
    const json_t *name = json_array_get(packet->payload, 0);
    if (!json_is_string(name))
        return (struct slice){"", 0};
    return (struct slice){json_string_value(name), json_string_length(name)};
}

json_t *socketio_event_argument(const struct socketio_packet *packet)
{
    return json_array_get(packet->payload, 1);
}

void socketio_write_head(struct buf *out, enum socketio_type type, struct slice space,
                         struct slice id)
{
    engineio_write_packet(out, ENGINEIO_MESSAGE, (struct slice){"", 0});
    buf_add_char(out, (char)('0' + type));
    if (!slice_is(space, "/")) {
        buf_add_slice(out, space);
        buf_add_char(out, ',');
    }
    buf_add_slice(out, id);
}

void socketio_write_event(struct buf *out, const char *name, struct slice argument)
{
    socketio_write_head(out, SOCKETIO_EVENT, slice_of("/"), (struct slice){"", 0});
    struct json json = json_start(out);
    json_open_array(&json, NULL);
    json_text(&json, NULL, name);
    if (argument.len > 0) {
        buf_add_char(out, ',');
        buf_add_slice(out, argument);
    }
    json_close_array(&json);
}
