/* SPDX-License-Identifier: MIT */
/* loopback.h — a real server and its clients, all on one loop, for the targets that talk with
 * it over loopback.
 *
 *     struct loop *loop = loopback_loop();                what the dialects want first
 *     loopback_serve(&(struct http_config){.mounts = …}, goes_on);
 *     client_come(&client);
 *     client_say(&client, bytes, len);
 *     loopback_turn();                                    client.text has what came
 *     client_leave(&client);
 *
 * One server for all inputs; what goes wrong is an assertion.
 */
#ifndef RUNNEL_TESTS_FUZZ_LOOPBACK_H
#define RUNNEL_TESTS_FUZZ_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "loop/loop.h"
#include "server/http.h"

enum { HEARD_MAX = 64 * 1024 };

struct client {
    int fd;
    struct loop_watch *watch;
    size_t heard;
    char text[HEARD_MAX + 1]; /* of what it heard the beginning, and a NUL */
};

struct loop *loopback_loop(void);
/* The listener is ours. goes_on (may be NULL) lets what is played take its next step, in every
 * turn; true when there was one. */
void loopback_serve(const struct http_config *config, bool (*goes_on)(void));
/* Runs the loop until nothing has come, and nothing gone on, for some turns. */
void loopback_turn(void);
/* Turns until it is so. The kernel of a busy machine may carry what was sent a moment later: what
 * must come is waited for, up to a minute. */
void loopback_await(bool (*is_so)(void));

void client_come(struct client *client);
void client_say(const struct client *client, const void *bytes, size_t len);
/* A whole frame of a WebSocket: 1 is a text, 2 are bytes. */
void client_say_frame(const struct client *client, unsigned char opcode, struct slice payload);
void client_leave(struct client *client); /* the server sees it in its next turn */
/* Of its first answer; 0: none has come. Whatever comes must be HTTP. */
int client_status(const struct client *client);

#endif
