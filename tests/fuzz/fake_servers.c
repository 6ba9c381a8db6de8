/* SPDX-License-Identifier: MIT */
#include "fake_servers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "fake_loop.h"

enum { TIME_MAX_MS = 20 * 1000 };

/* ---- what the two share ---- */

struct slice servers_line(struct slice text, char *ret_line, size_t size)
{
    const char *end = text.len > 0 ? memchr(text.at, '\n', text.len) : NULL;
    size_t len = end ? (size_t)(end - text.at) : text.len;
    (void)snprintf(ret_line, size, "%.*s", (int)MIN(len, size), text.at);
    return end ? (struct slice){end + 1, text.len - len - 1} : (struct slice){"", 0};
}

char *servers_copy(struct slice text)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    assert(copy);
    memcpy(copy, text.at, text.len);
    return copy;
}

uint64_t servers_number(struct slice text)
{
    char line[32];
    uint64_t number = 0;
    (void)servers_line(text, line, sizeof line);
    (void)parse_u64(line, &number);
    return number;
}

/* ---- steps ---- */

bool fake_servers_step(struct loop *loop, char letter, struct slice rest)
{
    if (letter == 't')
        fake_loop_advance(loop, MIN(servers_number(rest), (uint64_t)TIME_MAX_MS));
    else if (!fake_stream_step(letter, rest) && !fake_broker_step(letter, rest))
        return false;
    fake_servers_settle(loop);
    return true;
}

void fake_servers_settle(struct loop *loop)
{
    fake_loop_advance(loop, 0);
    fake_stream_tell();
    fake_loop_advance(loop, 0);
}
