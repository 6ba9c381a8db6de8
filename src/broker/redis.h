/* SPDX-License-Identifier: MIT */
/* redis.h — Redis, over hiredis' parser on our loop: commands, and channels on a second
 * connection. Connects again, with back-off, whenever it is gone; what was asked
 * meanwhile is answered with NULL.
 *
 *     struct redis *redis = redis_new(loop, &config, err);
 *     redis_command(redis, on_reply, run, slice_of("GET"), slice_of(key));
 *     redis_subscribe(redis, "runnel:events:…");      …events.message…
 *     redis_free(redis);
 *
 * Callbacks come from the loop, never from inside a call, in the order of the commands.
 * Arguments are copied; a reply is lent for the callback.
 */
#ifndef RUNNEL_BROKER_REDIS_H
#define RUNNEL_BROKER_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct redis;
struct loop;

enum redis_kind { REDIS_NIL, REDIS_STRING, REDIS_INTEGER, REDIS_ARRAY, REDIS_ERROR };

struct redis_reply {
    enum redis_kind kind;
    struct slice text; /* of REDIS_STRING (simple or bulk) and REDIS_ERROR */
    int64_t integer;
    const struct redis_reply *items; /* of REDIS_ARRAY */
    size_t count;
};

/* Of an integer, or of a string that holds one; 0 for all else, and for what is below 0. */
uint64_t redis_reply_number(const struct redis_reply *reply);

/* reply is NULL when the connection was lost before the answer came. */
typedef void redis_reply_fn(void *context, const struct redis_reply *reply);

struct redis_events {
    /* Both connections stand, and every channel is subscribed (again); each time. */
    void (*connected)(void *context);
    /* Also when connecting failed, each time anew. err is without the password. */
    void (*lost)(void *context, const struct err *err);
    void (*message)(void *context, const char *channel, struct slice payload);
};

struct redis_config {
    const char *url;     /* redis://[user]:password@host:port/database; all but the host optional */
    const char *name;    /* CLIENT SETNAME */
    uint64_t timeout_ms; /* of connecting, and of an answer: a server that accepts and never
                            answers is lost after it; 0: 5000 */
    uint64_t retry_ms;   /* first pause, doubled up to 2 s; 0: 100 */
    struct redis_events events; /* any may be NULL */
    void *context;
};

int redis_check_url(const char *url, struct err *err); /* 0, or -1 with ERR_CONFIG */
struct redis *redis_new(struct loop *loop, const struct redis_config *config, struct err *err);
bool redis_is_connected(const struct redis *redis);

/* argv as they stand, binary safe. fn may be NULL. -1 (and fn is not called) when there is
 * no connection, more than 64 MiB wait to be sent, or a million commands for their answers. */
int redis_command_argv(struct redis *redis, redis_reply_fn *fn, void *context, size_t argc,
                       const struct slice *argv);
/* The same of arguments that are each a struct slice: redis_command(redis, fn, context,
 * slice_of("XADD"), slice_of(key), slice_of("*"), slice_of("e"), bytes). */
#define redis_command(redis, fn, context, ...)                                             \
    redis_command_argv((redis), (fn), (context),                                           \
                       sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice), \
                       (const struct slice[]){__VA_ARGS__})

/* Remembered over lost connections. Counted: as many unsubscribes end it. `ready` (may be
 * NULL) is called once, when the server has confirmed it; not when the connection is lost
 * before (events.connected says it then), nor after the unsubscribe that ends it. -1: the
 * name is none of 1 to 512 bytes, or no room. */
int redis_subscribe(struct redis *redis, const char *channel, void (*ready)(void *context),
                    void *context);
void redis_unsubscribe(struct redis *redis, const char *channel);
/* Commands are sent as far as they go at once; no callback comes any more. */
void redis_free(struct redis *redis);

#endif
