/* SPDX-License-Identifier: MIT */
/* http_fixture.h — a server on a port of its own, and a client of it over a real
 * socket: the client blocks on a thread, while this one turns the loop. */
#ifndef RUNNEL_TESTS_HTTP_FIXTURE_H
#define RUNNEL_TESTS_HTTP_FIXTURE_H

#include "base/buf.h"
#include "loop/loop.h"
#include "server/http.h"

struct http_fixture {
    struct loop *loop;
    struct http_server *server;
    struct http_listener listener;
    struct http_mount mount;
    struct http_config config; /* the test's, but for listener and mount */
    uint16_t port;
    struct buf answer; /* of the last client that was asked for one */
};

/* Set config before. `routes` and `context` are borrowed. */
void http_fixture_start(struct http_fixture *fixture, const struct http_route *routes,
                        void *context);
void http_fixture_stop(struct http_fixture *fixture);

/* Runs client(socket, context) on a thread until it returns; it may not assert, and what
 * it wants to tell goes to its context. The socket is closed afterwards. */
void http_fixture_client(struct http_fixture *fixture, void (*client)(int socket, void *context),
                         void *context);

/* Sends these bytes, and returns all that is answered until the connection's end. */
const char *http_fixture_ask(struct http_fixture *fixture, const char *request);
/* The same with this line, these headers ("A: b\r\nC: d\r\n", or "") and an end. */
const char *http_fixture_get(struct http_fixture *fixture, const char *line, const char *headers);

/* For clients. Sends all, unless the server has ended. */
bool client_send(int socket, const void *bytes, size_t size);
/* Until the end. */
void client_read(int socket, struct buf *answer);

/* The value of this header in an answer, into `value`; "" when there is none. */
const char *answer_header(const char *answer, const char *name, char value[static 256]);
int answer_status(const char *answer);
const char *answer_body(const char *answer);

#endif
