/* SPDX-License-Identifier: MIT */
/* redis_private.h — the parts of redis.h: the address, answers, the commands that wait
 * for them, one connection, the names of hosts, channels. Each is used by redis.c alone, and by its
 * own test. */
#ifndef RUNNEL_BROKER_REDIS_PRIVATE_H
#define RUNNEL_BROKER_REDIS_PRIVATE_H

#include <hiredis/read.h>

#include "base/buf.h"
#include "base/list.h"
#include "broker/place.h"
#include "broker/redis.h"
#include "loop/loop.h"

struct addrinfo;

#define REDIS_WAITING_MAX (64 * MIB) /* bytes that wait to be sent */
#define REDIS_REPLY_MAX (64 * MIB)   /* bytes of one answer, and of what is kept of it */
enum {
    REDIS_LINE_MAX = 64 * 1024,     /* of an answer that says no length before */
    REDIS_PENDING_MAX = 1000 * 1000 /* commands without their answer yet */
};

/* --- the address: redis_url.c --- */

/* The path is the database; "": the one that a connection has, 0. */
int redis_url_parse(const char *text, struct place *ret_url, struct err *err);

/* --- answers: redis_reply.c --- */

/* hiredis' reader, which builds struct redis_reply, of REDIS_REPLY_MAX bytes at most. */
struct redis_answers {
    redisReader *reader;
    size_t room; /* what the answer that is being built may still take */
    bool is_too_large;
};

int redis_answers_init(struct redis_answers *answers); /* 0 or -ENOMEM */
void redis_answers_fini(struct redis_answers *answers);
int redis_answers_feed(struct redis_answers *answers, struct slice bytes, struct err *err);
/* 1 and *ret_reply, the caller's; 0 when none is whole; -1 when it is no answer. */
int redis_answers_next(struct redis_answers *answers, struct redis_reply **ret_reply,
                       struct err *err);
void redis_reply_free(struct redis_reply *reply);

/* --- commands that wait for their answers, oldest first: redis_pending.c --- */

struct redis_pending_command {
    redis_reply_fn *fn; /* may be NULL */
    void *context;
};

/* All zeros: none. */
struct redis_pending {
    struct redis_pending_command *ring;
    size_t room; /* a power of two */
    size_t first;
    size_t count;
};

/* -1: there are REDIS_PENDING_MAX already, or no memory. */
int redis_pending_add(struct redis_pending *pending, redis_reply_fn *fn, void *context);
/* The last one: it could not be sent. */
void redis_pending_take_back(struct redis_pending *pending);
/* Calls the oldest one's fn, which may do what it likes with `pending`: it is out of it. */
void redis_pending_answer(struct redis_pending *pending, const struct redis_reply *reply);
void redis_pending_fini(struct redis_pending *pending); /* calls nobody */

/* --- one connection: redis_link.c --- */

enum redis_link_state { LINK_CLOSED, LINK_CONNECTING, LINK_GREETING, LINK_UP };

enum { REDIS_GREETINGS = 4 };

struct redis_link {
    enum redis_link_state state;
    int fd;
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_task *flush; /* what is said in one turn goes out together at its end */
    loop_watch_fn *on_ready; /* that calls redis_link_ready */
    /* 1: it was an answer; 0: a message that nobody asked for; -1: nonsense. May close
     * the link. */
    int (*take)(void *context, const struct redis_reply *reply, struct err *err);
    void *context;
    const struct place *url;
    const char *name;
    const struct addrinfo *address; /* the next one to be tried */
    struct redis_answers answers;
    struct buf out;
    size_t sent; /* of out */
    size_t awaited;
    uint64_t heard_ns; /* when something came last, or an answer began to be awaited */
    const char *greetings[REDIS_GREETINGS]; /* sent, in their order */
    size_t greeting_count;
    size_t greeted;
};

/* Connects to the first address that can be connected to, and introduces itself. They are
 * borrowed until it is up, or closed. */
int redis_link_open(struct redis_link *link, const struct addrinfo *addresses, struct err *err);
void redis_link_close(struct redis_link *link);
/* Sends of what waits as much as goes at once. */
void redis_link_last_words(struct redis_link *link);
/* -1: the connection is lost; the owner closes it. */
int redis_link_ready(struct redis_link *link, unsigned ready, struct err *err);
/* To be sent soon; `answers` must come. -1 when there is no room. */
int redis_link_send(struct redis_link *link, size_t answers, size_t argc, const struct slice *argv);
/* -1 when the server owes an answer since timeout_ms. Asks for one when it has been silent
 * for half of that. */
int redis_link_check(struct redis_link *link, uint64_t timeout_ms, struct err *err);
/* When to check again; at most timeout_ms / 4. */
uint64_t redis_link_check_ms(const struct redis_link *link, uint64_t timeout_ms);
int redis_link_err(const struct redis_link *link, struct err *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* --- names of hosts: redis_lookup.c --- */

struct redis_lookup;
/* Calls found(context, addresses, why) from the loop; addresses is the callee's to
 * freeaddrinfo, or NULL. */
typedef void redis_found_fn(void *context, struct addrinfo *addresses, const char *why);
struct redis_lookup *redis_lookup_new(struct loop *loop, const struct place *url,
                                      redis_found_fn *found, void *context);
void redis_lookup_abandon(struct redis_lookup *lookup); /* found is not called */
/* The same at once, of an address in figures; NULL when it is a name. */
struct addrinfo *redis_lookup_figures(const struct place *url);

/* --- channels: redis_channels.c --- */

struct redis_channel;

struct redis_channels {
    struct redis_link *link;
    bool is_open;          /* subscriptions of before are sent again: new ones may be sent */
    size_t unconfirmed;    /* answers to SUBSCRIBE that are awaited */
    struct list confirmed; /* waiters that are to be told */
    struct redis_channel **rows;
    size_t row_count;
    size_t count;
};

int redis_channels_init(struct redis_channels *channels, struct redis_link *link);
void redis_channels_fini(struct redis_channels *channels);
/* The link is up: subscribes to what is remembered. */
int redis_channels_open(struct redis_channels *channels, struct err *err);
/* The link is lost: nobody waits any more. */
void redis_channels_lost(struct redis_channels *channels);
int redis_channels_add(struct redis_channels *channels, const char *name,
                       void (*ready)(void *context), void *context);
void redis_channels_drop(struct redis_channels *channels, const char *name);
/* What came on the link: 1 an answer, 0 a message (*ret_message is the array of three), or
 * one that nobody wants any more (NULL), -1 nonsense. */
int redis_channels_take(struct redis_channels *channels, const struct redis_reply *reply,
                        const struct redis_reply **ret_message, struct err *err);
/* The next one to be told. */
bool redis_channels_next_ready(struct redis_channels *channels, void (**ret_ready)(void *context),
                               void **ret_context);

#endif
