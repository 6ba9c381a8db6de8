/* SPDX-License-Identifier: MIT */
/* amqp_private.h — amqp.h from inside. Two threads, and what passes between them:
 *
 *     owner (the loop)                        the thread
 *     amqp.c ──────────── orders ───────────▶ line_obey     amqp_orders.c
 *            ◀─────────── news ────────────── line_read     amqp_wire.c, amqp_content.c
 *
 * Both are lists of items under one mutex (amqp_relay.c). An item is one allocation, made
 * by whoever puts it on its way; an order to which there is an answer travels back as the
 * answer. The thread owns the line, and with it all of librabbitmq; it waits in one place,
 * for the socket and for orders (amqp_thread.c).
 */
#ifndef RUNNEL_BROKER_AMQP_PRIVATE_H
#define RUNNEL_BROKER_AMQP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "broker/amqp.h"
#include "broker/amqp_api.h"
#include "broker/place.h"
#include "loop/loop.h"

#define AMQP_WAITING_MAX (64 * MIB) /* of messages without an outcome */

/* --- items: amqp_relay.c --- */

enum item_kind {
    ITEM_POSTING,  /* order, then news */
    ITEM_SETTLING, /* order */
    ITEM_QUESTION, /* order, then news */
    ITEM_PARCEL,   /* news, as the rest */
    ITEM_CONNECTED,
    ITEM_LOST,
};

/* The first member of each. */
struct item {
    struct list link;
    enum item_kind kind;
    uint64_t connection; /* the one it speaks of */
};

struct posting {
    struct item item;
    struct amqp_message message; /* points behind this */
    uint64_t token;
    size_t size; /* of it all */
    bool was_returned;
    enum amqp_outcome outcome;
};

struct settling {
    struct item item;
    uint64_t tag;
    enum amqp_settlement settlement;
};

/* Of amqp_get, or of amqp_count: one of both functions is set. */
struct question {
    struct item item;
    void (*got)(void *context, const struct amqp_delivery *delivery);
    void (*counted)(void *context, int64_t count);
    void *context;
    struct parcel *found;
    int64_t count;
    char queue[];
};

struct parcel {
    struct item item;
    struct amqp_delivery delivery; /* points behind this */
    char *body;                    /* NULL: it is too large for us, and passes by */
};

struct loss {
    struct item item;
    struct err err;
};

/* Zeroed. Ends the process when there is no memory: these are small. */
void *item_new(enum item_kind kind, size_t size, uint64_t connection);
void item_free(struct item *item);

/* Lent to the library, which does not write to it. NULL: none. */
static inline amqp_bytes_t bytes_of(const char *text)
{
    return (amqp_bytes_t){text ? strlen(text) : 0, (void *)text};
}

/* --- between the threads: amqp_relay.c --- */

struct relay {
    struct loop_wake *wake;
    int bell; /* an eventfd: there are orders */
    pthread_mutex_t mutex;
    struct list orders; /* under the mutex, as the rest */
    struct list news;
    bool is_held;
    bool ends;         /* when the orders are done */
    bool is_abandoned; /* at once */
    bool is_over;      /* the thread is; then `over` is signalled */
    pthread_cond_t over;
    int socket; /* of the line, -1: none */
};

int relay_init(struct relay *relay, struct err *err);
void relay_fini(struct relay *relay);

/* The owner's. */
void relay_order(struct relay *relay, struct item *item);
void relay_hold(struct relay *relay, bool hold);
void relay_take_news(struct relay *relay, struct list *news);
/* Returns when the thread is over, or soon will be: whatever it is still waiting for after
 * linger_ms, it does not any more. */
void relay_end(struct relay *relay, uint64_t linger_ms);

/* The thread's. */
void relay_tell(struct relay *relay, struct item *item);
void relay_take_orders(struct relay *relay, struct list *orders);
bool relay_is_held(struct relay *relay);
bool relay_ends(struct relay *relay);
/* So that relay_end can shut it down; false: it is too late. */
bool relay_lend_socket(struct relay *relay, int fd);
void relay_close_socket(struct relay *relay);
void relay_say_over(struct relay *relay);
/* Waits for the bell, for `events` of fd (-1: none), or until then. 1: it is fd. */
int relay_wait(struct relay *relay, int fd, short events, uint64_t until_ns);

/* --- a copy of what the owner asked for: amqp_config.c --- */

enum { ARGUMENTS_MAX = 16 };

struct amqp_config *config_copy(const struct amqp_config *config); /* one allocation */

/* --- messages without their outcome: amqp_confirms.c --- */

struct confirms {
    struct posting **ring;
    size_t room; /* a power of two */
    size_t head;
    size_t count;
    uint64_t first; /* the number of the one at the head, which the broker counts too */
};

/* Its number, from 1; 0 when there is no memory. */
uint64_t confirms_add(struct confirms *confirms, struct posting *posting);
struct posting *confirms_find(const struct confirms *confirms, uint64_t number);
/* The oldest one that `number` settles, taken out; NULL when there is none (any more). */
struct posting *confirms_take(struct confirms *confirms, uint64_t number, bool multiple);
void confirms_fini(struct confirms *confirms); /* of postings that were taken; may be used again */

/* --- the line: one connection after the other --- */

enum { CHANNEL_NONE, CHANNEL_CONSUME, CHANNEL_PUBLISH, CHANNEL_ASK, CHANNELS };

enum content_kind { CONTENT_NONE, CONTENT_DELIVERED, CONTENT_GOT, CONTENT_RETURNED };

/* What comes on a channel in parts: a method, a header, bodies. */
struct content {
    enum content_kind kind;
    bool has_header;
    bool redelivered;
    uint64_t tag;
    const char *queue;     /* a consumer's, or of the question that is asked */
    amqp_bytes_t exchange; /* these two are the library's, until the header has come */
    amqp_bytes_t key;
    struct parcel *parcel; /* NULL: it passes by */
    uint64_t left;
};

struct line {
    const struct amqp_api *api;
    const struct amqp_config *config;
    const struct place *place;
    struct relay *relay;

    uint64_t connection;      /* counts those that were made; 0: none yet */
    struct place_first first; /* address, of the last attempt */
    amqp_connection_state_t state;
    int fd; /* the relay's */
    uint64_t heartbeat_ns;
    bool is_held;    /* the consumers are stopped */
    unsigned starts; /* of the consumers */
    bool is_blocked; /* the broker wants no messages */
    struct content contents[CHANNELS];
    struct confirms confirms;
    struct list orders;
    struct list parked; /* postings, while it is blocked */

    struct list questions;
    bool is_asked;   /* the first of them */
    bool can_ask;    /* the channel is open */
    uint16_t asking; /* counts how often it was opened */
    uint64_t answer_until_ns;
};

/* amqp_dial.c: a socket that is connected; -1: none, or the end. */
int line_dial(struct line *line, uint64_t until_ns, struct err *err);

/* amqp_lookup.c: the addresses of a name, the caller's to freeaddrinfo. */
struct addrinfo;
int lookup_place(struct relay *relay, const struct place *place, uint64_t until_ns,
                 struct addrinfo **ret_found, struct err *err);

/* amqp_connect.c */
int line_connect(struct line *line, struct err *err);
void line_disconnect(struct line *line);
void line_part(struct line *line); /* says goodbye first */
uint64_t line_timeout_ms(const struct line *line);
/* All return -1; `what` is refused. */
int line_fail(const struct line *line, struct err *err, const char *format, ...) PRINTF_LIKE(3, 4);
int line_fail_status(const struct line *line, int status, struct err *err);
int line_fail_close(const struct line *line, const char *what, const amqp_method_t *method,
                    struct err *err);

/* amqp_wire.c: takes some of what has come. */
int line_read(struct line *line, struct err *err);

/* amqp_content.c */
int content_begin(struct line *line, amqp_channel_t channel, const struct content *content,
                  struct err *err);
int content_header(struct line *line, amqp_channel_t channel, uint64_t body_size,
                   const amqp_basic_properties_t *properties, struct err *err);
int content_body(struct line *line, amqp_channel_t channel, amqp_bytes_t bytes, struct err *err);
void content_drop(struct line *line, amqp_channel_t channel); /* what has begun */
#define SEQUENCE_HEADER "runnel-sequence" /* by which a message that comes back is known */

/* amqp_orders.c */
int line_obey(struct line *line, struct err *err);    /* 1: there is more to do */
int line_consume(struct line *line, struct err *err); /* starts all consumers */
void line_void_all(struct line *line);                /* what can not be done any more */
void line_tell_outcome(struct line *line, struct posting *posting, enum amqp_outcome outcome);

/* amqp_ask.c */
int line_ask(struct line *line, struct question *question, struct err *err);
struct question *line_asked(struct line *line); /* NULL: nothing that is answered */
/* Sends the next one, if there is. */
int line_answer(struct line *line, struct question *question, struct err *err);
int line_ask_closed(struct line *line, struct err *err); /* by the broker: it does not say */
void line_void_questions(struct line *line);
uint64_t ask_tag(const struct line *line, uint64_t tag);
bool ask_is_tag(uint64_t tag);
/* False: of a channel that is closed. */
bool ask_own_tag(const struct line *line, uint64_t tag, uint64_t *ret_tag);

/* amqp_thread.c: `line` is the context. */
void *line_run(void *context);

#endif
