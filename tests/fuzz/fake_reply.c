/* SPDX-License-Identifier: MIT */
#include "fake_reply.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "broker/redis_private.h"

enum { ANSWER_MAX = 64 * 1024 };

/* One value, in the server's own words. */
static void write_value(struct buf *out, const char *line, size_t len)
{
    if (len > 0 && line[0] == '+') {
        buf_add_format(out, "$%zu\r\n", len - 1);
        for (size_t i = 1; i < len; i++)
            buf_add_char(out, (char)(line[i] == '\v' ? '\n' : line[i]));
        buf_add_text(out, "\r\n");
    } else if (len > 0 && strchr(":*-", line[0])) {
        for (size_t i = 0; i < len; i++)
            buf_add_char(out, (char)(line[i] == '\r' ? ' ' : line[i]));
        buf_add_text(out, "\r\n");
    } else {
        buf_add_text(out, "$-1\r\n");
    }
}

static void write_values(struct buf *out, struct slice lines)
{
    while (lines.len > 0) {
        const char *end = memchr(lines.at, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.at) : lines.len;
        write_value(out, lines.at, len);
        lines = (struct slice){lines.at + len + (end != NULL), lines.len - len - (end != NULL)};
    }
    if (out->len == 0)
        write_value(out, "", 0);
}

struct redis_reply *fake_reply(struct slice lines)
{
    struct redis_answers answers;
    struct redis_reply *reply = NULL;
    struct err err;
    auto_buf struct buf out;
    buf_init(&out, ANSWER_MAX);
    write_values(&out, lines);
    int rc = redis_answers_init(&answers);
    assert(rc == 0);
    if (redis_answers_feed(&answers, buf_slice(&out), &err) < 0 ||
        redis_answers_next(&answers, &reply, &err) <= 0)
        reply = NULL;
    redis_answers_fini(&answers);
    return reply;
}
