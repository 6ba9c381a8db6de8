/* SPDX-License-Identifier: MIT */
/* kill -9 at any moment: what was reported as done is there afterwards. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "fixture.h"

enum { ROUNDS = 20, RUNS_MAX = 20000, AT_ONCE = 8 };

struct report {
    int run;
    bool finished; /* else added */
};

struct client {
    struct fixture *fixture;
    int pipe;
    int run; /* under way */
};

static int next_run;
static bool added[RUNS_MAX];
static bool finished[RUNS_MAX];

static void name(char id[STORE_ID_SIZE], const char *kind, int run)
{
    (void)snprintf(id, STORE_ID_SIZE, "%s_%d", kind, run);
}

static void report(const struct client *client, bool is_finished)
{
    struct report report = {client->run, is_finished};
    if (write(client->pipe, &report, sizeof report) != (ssize_t)sizeof report)
        _exit(1);
}

static void begin(struct client *client);

static void on_finished(void *context, const struct err *err)
{
    struct client *client = context;
    if (err)
        _exit(2);
    report(client, true);
    begin(client);
}

static void on_added(void *context, const char *existing, bool same_request, const struct err *err)
{
    struct client *client = context;
    char id[STORE_ID_SIZE];
    char file_id[STORE_ID_SIZE];
    (void)same_request;
    if (err || existing)
        _exit(3);
    report(client, false);
    name(id, "run", client->run);
    name(file_id, "file", client->run);
    make_content(client->fixture, file_id);
    struct store_file file = some_file(file_id, 1, 1000);
    struct store_end end = some_end("succeeded", 2000);
    end.artifacts = &file;
    end.artifact_count = 1;
    store_run_finish(client->fixture->store, id, &end, on_finished, client);
}

static void begin(struct client *client)
{
    char id[STORE_ID_SIZE];
    client->run = next_run++;
    if (client->run >= RUNS_MAX)
        _exit(4);
    name(id, "run", client->run);
    struct store_run run = some_run(id, 1000 + (uint64_t)client->run);
    store_run_add(client->fixture->store, &run, on_added, client);
}

static void live_until_killed(struct fixture *fixture, int pipe_fd)
{
    static struct client clients[AT_ONCE];
    fixture_open(fixture);
    for (int i = 0; i < AT_ONCE; i++) {
        clients[i] = (struct client){.fixture = fixture, .pipe = pipe_fd};
        begin(&clients[i]);
    }
    loop_run(fixture->loop);
    _exit(5);
}

static void live_and_be_killed(struct fixture *fixture, int ms)
{
    int pipes[2];
    int status = 0;
    struct report said;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0)
        live_until_killed(fixture, pipes[1]);
    (void)close(pipes[1]);
    assert_int_equal(read(pipes[0], &said, sizeof said), sizeof said);
    added[said.run] = true;
    (void)fcntl(pipes[0], F_SETPIPE_SZ, 1 << 20);
    (void)usleep((unsigned)ms * 1000);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(pipes[0], &said, sizeof said) == (ssize_t)sizeof said)
        *(said.finished ? &finished[said.run] : &added[said.run]) = true;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    (void)close(pipes[0]);
}

static void check_run(struct fixture *fixture, int run)
{
    char id[STORE_ID_SIZE];
    name(id, "run", run);
    if (get_run(fixture, id, true) == ERR_NOT_FOUND) {
        assert_false(added[run] || finished[run]);
        return;
    }
    assert_true(fixture->run.is_finished);
    if (finished[run])
        assert_false(fixture->run.is_interrupted);
    if (fixture->run.is_interrupted) {
        assert_int_equal(fixture->run.end.artifact_count, 0);
        return;
    }
    assert_string_equal(fixture->run.end.verdict, "succeeded");
    assert_int_equal(fixture->run.end.artifact_count, 1);
    assert_true(has_content(fixture, fixture->run.end.artifacts[0].id));
    assert_int_not_equal(fixture->run.end.events.len, 0);
}

static void what_was_reported_survives_kill_9(void **state)
{
    struct fixture *fixture = *state;
    int known = 0;
    for (int round = 0; round < ROUNDS; round++) {
        live_and_be_killed(fixture, 1 + round * 37 % 50);
        for (int run = next_run; run < RUNS_MAX; run++) {
            if (added[run])
                next_run = run + 1;
        }
        next_run += AT_ONCE; /* those that were added and not yet reported */
        fixture_open(fixture);
        for (int run = known; run < next_run; run++)
            check_run(fixture, run);
        arena_fini(&fixture->memory);
        known = next_run;
        fixture_close(fixture);
    }
    fixture_open(fixture);
    for (int run = 0; run < next_run; run++)
        check_run(fixture, run);
    fixture_close(fixture);
    print_message("%d runs\n", next_run);
}

static int on_row(void *context, int count, char **columns, char **names)
{
    (void)context, (void)count, (void)names;
    assert_string_equal(columns[0], "ok");
    return 0;
}

static void the_database_is_whole_afterwards(void **state)
{
    struct fixture *fixture = *state;
    char path[100];
    sqlite3 *db = NULL;
    for (int i = 0; i < 5; i++) {
        next_run = i * RUNS_MAX / 5;
        live_and_be_killed(fixture, 20);
    }
    (void)snprintf(path, sizeof path, "%s/runnel.db", fixture->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA integrity_check", on_row, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_reported_survives_kill_9),
        TEST(the_database_is_whole_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
