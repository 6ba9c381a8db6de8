/* SPDX-License-Identifier: MIT */
/* What comes from Redis, in one piece and byte by byte: the same answers, or nonsense. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "broker/redis_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Answers that were whole; -1 when it is no answer any more. */
static int take_all(struct redis_answers *answers)
{
    int count = 0;
    for (;;) {
        struct redis_reply *reply = NULL;
        struct err err = {0};
        int rc = redis_answers_next(answers, &reply, &err);
        assert(rc >= 0 || err.text[0]);
        if (rc <= 0)
            return rc < 0 ? -1 : count;
        assert(reply);
        redis_reply_free(reply);
        count++;
    }
}

static int read_in_pieces(const uint8_t *bytes, size_t size, size_t piece)
{
    struct redis_answers answers;
    struct err err = {0};
    int count = 0;
    int rc = redis_answers_init(&answers);
    assert(rc == 0);
    while (size > 0 && rc >= 0) {
        size_t len = MIN(piece, size);
        rc = redis_answers_feed(&answers, (struct slice){(const char *)bytes, len}, &err);
        if (rc >= 0)
            rc = take_all(&answers);
        count += rc > 0 ? rc : 0;
        bytes += len;
        size -= len;
    }
    redis_answers_fini(&answers);
    return rc < 0 ? -1 : count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int whole = read_in_pieces(bytes, size, size);
    int pieces = read_in_pieces(bytes, size, 1);
    assert((whole < 0) == (pieces < 0) && (whole < 0 || whole == pieces));
    return 0;
}
