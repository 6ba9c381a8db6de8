/* SPDX-License-Identifier: MIT */
#include "fleet/one_end.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "fleet/names.h"
#include "fleet/wire.h"

/* KEYS: run, events; ARGV: result, the last event, seconds. */
static const char script[] = "local first = redis.call('HSETNX', KEYS[1], 'result', ARGV[1])\n"
                             "if first == 1 then redis.call('PUBLISH', KEYS[2], ARGV[2]) end\n"
                             "redis.call('EXPIRE', KEYS[1], ARGV[3])\n"
                             "redis.call('EXPIRE', KEYS[2], ARGV[3])\n"
                             "return first\n";

int one_end_store(struct redis *redis, const char *id, struct slice result, unsigned attempt,
                  uint64_t number, redis_reply_fn *stored, void *context)
{
    struct fleet_key run = run_key(id);
    struct fleet_key events = events_key(id);
    char seconds[16];
    auto_buf struct buf last;
    buf_init(&last, result.len + KIB);
    event_encode(
        &(struct carried_event){
            .number = number,
            .attempt = attempt,
            .kind = EVENT_END,
            .bytes = result,
        },
        &last);
    if (last.failed)
        return -1;
    (void)snprintf(seconds, sizeof seconds, "%d", RUN_KEPT_S);
    return redis_command(redis, stored, context, slice_of("EVAL"), slice_of(script), slice_of("2"),
                         slice_of(run.text), slice_of(events.text), result, buf_slice(&last),
                         slice_of(seconds));
}
