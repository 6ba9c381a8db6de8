/* SPDX-License-Identifier: MIT */
/* fake_reply.h — an answer of Redis, of lines that mutate well: each is a value (+text, :number,
 * -error, *count of the lines that follow; anything else is nil). A vertical tab stands for a
 * newline in a text. */
#ifndef RUNNEL_TESTS_FUZZ_FAKE_REPLY_H
#define RUNNEL_TESTS_FUZZ_FAKE_REPLY_H

#include "base/slice.h"
#include "broker/redis.h"

/* As the client's own parser builds it, for redis_reply_free; NULL: it is none. */
struct redis_reply *fake_reply(struct slice lines);

#endif
