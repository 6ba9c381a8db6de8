/* SPDX-License-Identifier: MIT */
/* fake_redis.h — a Redis that says what a test wants, on loopback and on the test's loop;
 * and a client of it, with a note of all that it was told. */
#ifndef RUNNEL_TESTS_FAKE_REDIS_H
#define RUNNEL_TESTS_FAKE_REDIS_H

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>

#include "base/buf.h"
#include "broker/redis.h"

enum { PEERS = 8, NOTES_SIZE = 8192 };

/* What is said to a command whose words begin so. Without a rule: what Redis says. */
struct rule {
    const char *words; /* "GET key"; NULL ends the rules */
    const char *answer;
    size_t answer_len; /* 0: strlen(answer) */
    bool closes;       /* afterwards */
    bool stops_reading;
};

struct peer {
    struct fake *fake;
    int fd;
    struct loop_watch *watch;
    struct buf in;
    bool is_subscribed;
};

struct fake {
    struct loop *loop;
    struct loop_timer *late;
    struct loop_timer *pause;
    int listener;
    struct loop_watch *watch;
    unsigned port;
    struct peer peers[PEERS];
    size_t accepted;      /* in all */
    size_t subscriptions; /* confirmed, of those who are connected */
    const struct rule *rules;
    bool is_mute;          /* accepts, and never answers */
    char seen[NOTES_SIZE]; /* the words of all commands, a line each */

    unsigned timeout_ms; /* of the next client: 400, after whose half it pings who is silent */
    struct redis *redis;
    char notes[NOTES_SIZE]; /* what the client was told, a line each */
    const char *wanted;     /* the loop runs until the notes hold that */
    bool is_in_call;
    const char *leaves_when; /* which event frees `redis`: "connected", "lost", "message" */
};

int fake_set_up(void **state);
int fake_tear_down(void **state);

void fake_open(struct fake *fake, const char *path); /* redis_new, "/0" or "" */
void fake_open_url(struct fake *fake, const char *url, const char *name);
/* A client that has lost nothing yet, and so does not pause before it connects. */
void fake_open_anew(struct fake *fake);
void fake_await(struct fake *fake, const char *wanted);
void fake_pause(struct fake *fake, unsigned ms); /* runs the loop for so long */
void fake_note(struct fake *fake, const char *format, ...) PRINTF_LIKE(2, 3);
void peer_say(struct peer *peer, const char *bytes, size_t len);
void fake_hang_up(struct fake *fake);
void fake_deafen(struct fake *fake); /* no new connections, as if it were gone */
void fake_listen(struct fake *fake);

/* Notes "what: the reply, in words". */
void fake_on_reply(void *what, const struct redis_reply *reply);
struct asked {
    struct fake *fake;
    const char *what;
};

#endif
