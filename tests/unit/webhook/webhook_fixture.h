/* SPDX-License-Identifier: MIT */
/* webhook_fixture.h — a server that webhooks can be sent to, and a loop to send them. */
#ifndef RUNNEL_TESTS_WEBHOOK_FIXTURE_H
#define RUNNEL_TESTS_WEBHOOK_FIXTURE_H

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "webhook/webhook.h"

enum { REQUEST_MAX = 16 * 1024, RESULTS_MAX = 64 };

struct result {
    int status;
    bool has_err;
    struct err err;
};

struct fixture {
    struct loop *loop;
    struct loop_timer *late; /* ends a test that would hang */
    struct webhooks *webhooks;
    int listener;
    uint16_t port;
    pid_t server;
    int requests;    /* a pipe: what the server got */
    uint64_t *given; /* bytes of bodies that its clients took; shared with it */
    size_t count;    /* of results */
    size_t awaited;
    struct result results[RESULTS_MAX];
    bool was_late;
};

int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Answers each connection with this, once the request is there; NULL: never. What is
 * longer than the client reads is no mistake. */
void fixture_serve(struct fixture *fixture, const char *answer, uint64_t body_bytes);
/* A "127.0.0.0/8" or NULL; timeout 0: 10 s. */
void fixture_open(struct fixture *fixture, const char *allowed, uint64_t timeout_ms,
                  unsigned at_once);
/* To http://<host>:<port><path>. */
int fixture_post(struct fixture *fixture, const char *host, const char *path, const char *body,
                 struct err *err);
/* Until so many have ended, all in all. */
void fixture_await(struct fixture *fixture, size_t count);
/* What the server got so far, NUL-terminated. */
size_t fixture_requests(struct fixture *fixture, char text[REQUEST_MAX]);

#define FIXTURE_SECRET "0123456789abcdef0123456789abcdef"
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#endif
