/* SPDX-License-Identifier: MIT */
/* A member of the fleet, from its JSON and back: what is taken is written, and that is
 * taken, and written alike. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "fleet/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct member member;
    struct member again;
    struct err err = {0};
    if (member_decode((struct slice){(const char *)bytes, size}, &member, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    auto_buf struct buf text;
    buf_init(&text, 4096);
    int rc = member_encode(&member, &text);
    assert(rc == 0);
    rc = member_decode(buf_slice(&text), &again, &err);
    assert(rc == 0 && memcmp(&member, &again, sizeof member) == 0);
    return 0;
}
