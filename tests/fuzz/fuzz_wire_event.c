/* SPDX-License-Identifier: MIT */
/* An event of a run, from its bytes and back: what is taken comes out the same. */
#include <assert.h>
#include <stdint.h>

#include "fleet/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct carried_event event;
    struct carried_event again;
    struct err err = {0};
    if (event_decode((struct slice){(const char *)bytes, size}, &event, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    auto_buf struct buf text;
    buf_init(&text, size + 1024);
    event_encode(&event, &text);
    int rc = event_decode(buf_slice(&text), &again, &err);
    assert(rc == 0);
    assert(again.number == event.number && again.attempt == event.attempt &&
           again.time_ms == event.time_ms && again.kind == event.kind &&
           again.state == event.state && again.cpu_ms == event.cpu_ms &&
           again.memory_bytes == event.memory_bytes && again.lost_bytes == event.lost_bytes &&
           slice_equal(again.bytes, event.bytes));
    return 0;
}
