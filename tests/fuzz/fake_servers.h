/* SPDX-License-Identifier: MIT */
/* fake_servers.h — Redis and RabbitMQ as redis.h and amqp.h show them, for what runs on a fake
 * loop: what they say is the input's. It keeps to their contracts: answers in the order of the
 * commands, one outcome a message, messages of channels that are subscribed; and asserts that a
 * delivery is settled once. A step of the input:
 *
 *     c, l           Redis is connected; is lost      C, L   the broker the same
 *     r LINES        the oldest command is answered (fake_reply.h)
 *     q NUMBER, Q    all of them are, by it (by 1) or by an error
 *     m CHANNEL ⏎ …  a message
 *     d QUEUE ID REPLY_TO COUNT ⏎ …      a delivery; "-": none
 *     o DIGIT        an outcome of the oldest message that was published
 *     n NUMBER       what stands in the queue that was asked about
 *     t MS           time passes
 */
#ifndef RUNNEL_TESTS_FUZZ_FAKE_SERVERS_H
#define RUNNEL_TESTS_FUZZ_FAKE_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct loop;

/* False: it is none of these steps. */
bool fake_servers_step(struct loop *loop, char letter, struct slice rest);
/* What is due runs, and who waits for a channel is told. */
void fake_servers_settle(struct loop *loop);

/* --- between the two: fake_stream.c is Redis, fake_broker.c RabbitMQ --- */

bool fake_stream_step(char letter, struct slice rest);
void fake_stream_tell(void);
bool fake_stream_is_gone(void); /* it was freed */
bool fake_broker_step(char letter, struct slice rest);
bool fake_broker_is_gone(void);

/* The first line, cut where there is no room, and what stands behind it. */
struct slice servers_line(struct slice text, char *ret_line, size_t size);
char *servers_copy(struct slice text); /* with nothing behind it; owned */
uint64_t servers_number(struct slice text);

#endif
