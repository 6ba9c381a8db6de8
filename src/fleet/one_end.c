/* SPDX-License-Identifier: MIT */
#include "fleet/one_end.h"

#include <stdio.h>

#include "base/buf.h"
#include "fleet/names.h"
#include "fleet/wire.h"

/* KEYS: run, events, lease; ARGV: result, the last event, seconds, worker ("": whoever). What is
 * of another kind than ours is in the way of a result, and goes. */
static const char script[] = "for i, kind in ipairs({'hash', 'stream', 'string'}) do\n"
                             "  local there = redis.call('TYPE', KEYS[i]).ok\n"
                             "  if there ~= kind and there ~= 'none' then\n"
                             "    redis.call('DEL', KEYS[i])\n"
                             "  end\n"
                             "end\n"
                             "if ARGV[4] ~= '' then\n"
                             "  local owner = redis.call('GET', KEYS[3])\n"
                             "  if owner and owner ~= ARGV[4] then return 2 end\n"
                             "  redis.call('DEL', KEYS[3])\n"
                             "end\n"
                             "local first = redis.call('HSETNX', KEYS[1], 'result', ARGV[1])\n"
                             "if first == 1 then\n"
                             "  redis.call('HSET', KEYS[1], 'state', 'finished')\n"
                             "  redis.call('PUBLISH', KEYS[2], ARGV[2])\n"
                             "end\n"
                             "redis.call('EXPIRE', KEYS[1], ARGV[3])\n"
                             "redis.call('EXPIRE', KEYS[2], ARGV[3])\n"
                             "return first\n";

int one_end_store(struct redis *redis, const struct one_end *end, redis_reply_fn *stored,
                  void *context)
{
    struct fleet_key run = run_key(end->id);
    struct fleet_key events = events_key(end->id);
    struct fleet_key lease = lease_key(end->id);
    char seconds[16];
    auto_buf struct buf last;
    buf_init(&last, end->result.len + KIB);
    event_encode(
        &(struct carried_event){
            .number = end->number,
            .attempt = end->attempt,
            .kind = EVENT_END,
            .bytes = end->result,
        },
        &last);
    if (last.failed)
        return -1;
    (void)snprintf(seconds, sizeof seconds, "%d", RUN_KEPT_S);
    return redis_command(redis, stored, context, slice_of("EVAL"), slice_of(script), slice_of("3"),
                         slice_of(run.text), slice_of(events.text), slice_of(lease.text),
                         end->result, buf_slice(&last), slice_of(seconds),
                         slice_of(end->worker ? end->worker : ""));
}
