/* SPDX-License-Identifier: MIT */
/* native_fixture.h — the native executor against a spawner that the test plays:
 * requests are noted, the program's ends of the pipes are ours to use, and
 * replies are sent through a real socket. */
#ifndef RUNNEL_TESTS_NATIVE_FIXTURE_H
#define RUNNEL_TESTS_NATIVE_FIXTURE_H

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/buf.h"
#include "executor/native.h"
#include "loop/loop.h"
#include "sandbox/client.h"

struct fixture {
    struct loop *loop;
    struct executor *executor;
    struct workspace *workspace;
    struct stage *stage;
    int spawner; /* the other end of the executor's socket */
    /* Requests that came: */
    uint32_t stage_id;
    uint32_t workspace_id; /* collected */
    int program[3];        /* the program's descriptors */
    unsigned rootfs;
    int kills;
    int closed_workspaces;
    int probes;
    /* Events that came: */
    struct buf out[STAGE_STREAMS];
    size_t largest;
    int started;
    int input_ready;
    int probed;
    bool waiting;
    int ended;
    struct stage_end end;
    int lost;
    bool free_in_output;
    bool pause_in_output;
    struct loop_timer *timer;
    bool late;
};

extern const struct stage_events events;

int set_up(void **state);
int tear_down(void **state);
/* Lets everything happen that is going to happen. */
void turn(struct fixture *fixture);
void start_with(struct fixture *fixture, const char *program, bool tty);
void start(struct fixture *fixture);
void reply(struct fixture *fixture, struct sandbox_reply reply);
void say(struct fixture *fixture, enum stage_stream stream, const char *text);
/* Writes as much as the pipe holds; returns how much that was. */
size_t flood(struct fixture *fixture, enum stage_stream stream);
void die(struct fixture *fixture);

#endif
