/* SPDX-License-Identifier: MIT */
/* fixture.h — a store in a folder of its own, and calls that wait for their end.
 *
 * What a call was given stays readable until the next one of the same kind.
 */
#ifndef RUNNEL_TESTS_STORE_FIXTURE_H
#define RUNNEL_TESTS_STORE_FIXTURE_H

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <sys/stat.h>

#include "loop/loop.h"
#include "store/arena.h"
#include "store/store.h"

enum { MAX_ROWS = 128 };

struct fixture {
    char dir[64];
    struct store_config config;
    struct loop *loop;
    struct loop_timer *late; /* ends a test that would hang */
    struct store *store;
    struct arena memory;
    bool is_late;

    /* What the last call said. */
    bool done;
    struct err err; /* code is -1 when there was none */
    char existing[STORE_ID_SIZE];
    bool same_request;
    struct stored_run run;
    struct stored_run runs[MAX_ROWS];
    bool more;
    struct store_file file;
    struct store_file files[MAX_ROWS];
    struct store_key keys[MAX_ROWS];
    bool unchanged;
    struct store_usage usages[MAX_ROWS];
    struct store_webhook webhooks[MAX_ROWS];
    uint64_t next_ms;
    size_t count;
};

int fixture_set_up(void **state);
int fixture_set_up_open(void **state); /* and opened */
int fixture_tear_down(void **state);
/* The store as a service has it: opened, started. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);
void fixture_wait(struct fixture *fixture);          /* for the call that is under way */
void fixture_sleep(struct fixture *fixture, int ms); /* the loop turns meanwhile */
void remove_tree(const char *dir);
/* A name in its folder, until the next call; and what is there, no link followed. */
const char *fixture_path(const struct fixture *fixture, const char *name);
struct stat fixture_status(const char *path);

#define NO_ERROR ((enum err_code) - 1)

/* Each returns the error's code, or NO_ERROR. */
enum err_code add_run(struct fixture *fixture, const struct store_run *run);
enum err_code find_same_run(struct fixture *fixture, const struct store_run *run);
enum err_code interrupt_run(struct fixture *fixture, const char *id);
enum err_code finish_run(struct fixture *fixture, const char *id, const struct store_end *end);
enum err_code get_run(struct fixture *fixture, const char *id, bool with_events);
enum err_code list_runs(struct fixture *fixture, const struct store_filter *filter);
enum err_code remove_run(struct fixture *fixture, const char *id);
enum err_code add_file(struct fixture *fixture, const struct store_file *file);
enum err_code get_file(struct fixture *fixture, const char *id);
enum err_code list_files(struct fixture *fixture, uint64_t key, const char *before, size_t limit);
enum err_code remove_file(struct fixture *fixture, const char *id);
enum err_code due_webhooks(struct fixture *fixture, uint64_t now_ms, uint64_t after_key);
enum err_code tried_webhook(struct fixture *fixture, const char *run, uint64_t first_ms,
                            uint64_t next_ms);
enum err_code add_key(struct fixture *fixture, const struct store_key *key);
enum err_code revoke_key(struct fixture *fixture, uint64_t number, uint64_t now_ms);
enum err_code list_keys(struct fixture *fixture, bool only_if_changed);
enum err_code list_usage(struct fixture *fixture, uint64_t from_day);

/* Shorthand: a run of key 1 in python; its end. */
struct store_run some_run(const char *id, uint64_t created_ms);
struct store_end some_end(const char *verdict, uint64_t finished_ms);
struct store_file some_file(const char *id, uint64_t key, uint64_t created_ms);
void make_content(const struct fixture *fixture, const char *id);
bool has_content(const struct fixture *fixture, const char *id);

#endif
