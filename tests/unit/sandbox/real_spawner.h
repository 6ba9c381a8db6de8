/* SPDX-License-Identifier: MIT */
/* real_spawner.h — a spawner to ask, and programs in its boxes. Works as root
 * and without; where no box can be made it fails. */
#ifndef RUNNEL_TESTS_REAL_SPAWNER_H
#define RUNNEL_TESTS_REAL_SPAWNER_H

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>

#include "sandbox/client.h"

enum { WORKSPACE = 1, STAGE = 5, BOXES = 2, OPEN_FILES_CEILING = 256 };

extern int spawner; /* the socket */
extern const char *const nothing[];

struct sandbox_settings real_spawner_settings(void); /* once the group's setup has run */
/* Of the group, and of each test. */
int real_spawner_group(void **state);
int real_spawner_group_end(void **state);
int real_spawner_start(void **state);
int real_spawner_stop(void **state);
#define WITH_A_SPAWNER(test) \
    cmocka_unit_test_setup_teardown(test, real_spawner_start, real_spawner_stop)

struct streams { /* our ends */
    int input;
    int output;
};

void open_workspace(uint32_t id); /* with folder/hello.txt in it */
struct streams start_program(uint32_t stage, const char *const *argv, uint64_t open_files);
/* On a terminal: both streams are its other side. */
struct streams start_on_terminal(uint32_t stage, const char *const *argv);
void close_streams(struct streams *streams);

bool next_reply(struct sandbox_reply *reply); /* false when the spawner has ended instead */
struct sandbox_reply wait_for(enum sandbox_reply_kind kind, uint32_t stage);

#endif
