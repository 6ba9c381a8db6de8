/* SPDX-License-Identifier: MIT */
/* A body that a client posts. What is read can be written, and reads the same. */
#include <assert.h>
#include <stdint.h>

#include "codec/socketio_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The head is written as it was read: but for "/", and for a comma that lacked. */
static void write_and_read_again(const struct socketio_packet *packet)
{
    struct buf out;
    buf_init(&out, SIZE_MAX);
    socketio_write_head(&out, packet->type, packet->space, packet->id);
    if (packet->payload) {
        char *text = json_dumps(packet->payload, JSON_COMPACT);
        assert(text);
        buf_add_text(&out, text);
        free(text);
    }
    assert(!out.failed);
    struct slice payload = buf_slice(&out);
    struct slice text;
    struct engineio_packet outer;
    bool cut = engineio_cut_packet(&payload, &text);
    assert(cut && !payload.at); /* no separator got into it */
    int rc = engineio_read_packet(text, &outer);
    assert(rc == 0 && outer.type == ENGINEIO_MESSAGE);
    auto_socketio_packet struct socketio_packet again = {0};
    rc = socketio_read_packet(outer.data, &again);
    assert(rc == 0 && again.type == packet->type);
    assert(slice_equal(again.space, packet->space) && slice_equal(again.id, packet->id));
    assert(packet->payload ? json_equal(packet->payload, again.payload) : !again.payload);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice payload = {(const char *)bytes, size};
    struct slice text;
    while (engineio_cut_packet(&payload, &text)) {
        struct engineio_packet outer;
        if (engineio_read_packet(text, &outer) < 0 || outer.type != ENGINEIO_MESSAGE)
            continue;
        auto_socketio_packet struct socketio_packet packet = {0};
        if (socketio_read_packet(outer.data, &packet) < 0)
            continue;
        if (packet.type == SOCKETIO_EVENT) {
            (void)socketio_event_name(&packet);
            (void)socketio_event_argument(&packet);
        }
        write_and_read_again(&packet);
    }
    return 0;
}
