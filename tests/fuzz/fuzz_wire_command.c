/* SPDX-License-Identifier: MIT */
/* A command to a run, from its bytes and back: what is taken comes out the same. */
#include <assert.h>
#include <stdint.h>

#include "fleet/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct command command;
    struct command again;
    struct err err = {0};
    if (command_decode((struct slice){(const char *)bytes, size}, &command, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    assert(command.number > 0);
    assert(command.kind != COMMAND_SIGNAL || (command.a >= 1 && command.a <= 64));
    auto_buf struct buf text;
    buf_init(&text, size + 1024);
    command_encode(&command, &text);
    int rc = command_decode(buf_slice(&text), &again, &err);
    assert(rc == 0);
    assert(again.kind == command.kind && again.number == command.number && again.a == command.a &&
           again.b == command.b && slice_equal(again.bytes, command.bytes));
    return 0;
}
