/* SPDX-License-Identifier: MIT */
/* The folder and the schema. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "fixture.h"
#include "store/database.h"
#include "store/schema.h"

/* The store cannot be opened, and the sentence says these words. */
static void check_refused(struct fixture *fixture, const char *words)
{
    struct err err = {0};
    assert_int_equal(store_open(&fixture->config, &fixture->store, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
    if (!strstr(err.text, fixture->config.dir))
        fail_msg("'%s' does not name the folder", err.text);
}

/* --- the folder --- */

/* What is made has the rights that we ask for, and not what the umask left of them. */
static void open_in(struct fixture *fixture, const char *dir)
{
    fixture->config.dir = dir;
    mode_t before = umask(0);
    fixture_open(fixture);
    (void)umask(before);
}

static void the_folder_is_made_for_its_owner_alone(void **state)
{
    static const char *const plain[] = {"deep/er/store/runnel.db", "deep/er/store/runnel.db-wal",
                                        "deep/er/store/runnel.db-shm", "deep/er/store/lock"};
    struct fixture *fixture = *state;
    char dir[200];
    (void)snprintf(dir, sizeof dir, "%s", fixture_path(fixture, "deep/er/store"));
    open_in(fixture, dir);
    assert_int_equal(fixture_status(dir).st_mode & 07777, 0700);
    assert_int_equal(fixture_status(fixture_path(fixture, "deep/er/store/files")).st_mode & 07777,
                     0700);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_int_equal(fixture_status(fixture_path(fixture, plain[i])).st_mode & 07777, 0600);
}

static void a_slash_behind_its_name_makes_it_no_other_folder(void **state)
{
    struct fixture *fixture = *state;
    char dir[210];
    (void)snprintf(dir, sizeof dir, "%s//", fixture_path(fixture, "deep/store"));
    open_in(fixture, dir);
    assert_int_equal(fixture_status(fixture_path(fixture, "deep")).st_mode & 07777, 0755);
    assert_int_equal(fixture_status(fixture_path(fixture, "deep/store")).st_mode & 07777, 0700);
}

static void one_runnel_has_the_folder(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    pid_t child = fork();
    if (child == 0) {
        struct store *store = NULL;
        struct err err = {0};
        _exit(store_open(&fixture->config, &store, &err) < 0 && err.code == ERR_CONFIG &&
              strstr(err.text, "another runnel uses") && strstr(err.text, "--storage-dir"));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 1);
}

static void a_predecessor_that_is_ending_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    int pipes[2];
    char byte = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        fixture_open(fixture);
        (void)!write(pipes[1], &byte, 1);
        (void)usleep(300000);
        _exit(0); /* as kill -9: nothing is closed in order */
    }
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    fixture_open(fixture);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

static void what_is_no_plain_file_is_refused(void **state)
{
    static const char *const names[] = {"runnel.db", "runnel.db-wal", "runnel.db-shm"};
    struct fixture *fixture = *state;
    char elsewhere[200];
    (void)snprintf(elsewhere, sizeof elsewhere, "%s", fixture_path(fixture, "elsewhere"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(symlink(elsewhere, fixture_path(fixture, names[i])), 0);
        check_refused(fixture, "is not a plain file");
        assert_int_equal(access(elsewhere, F_OK), -1);
        assert_int_equal(unlink(fixture_path(fixture, names[i])), 0);
    }
    int fd = open(elsewhere, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    assert_int_equal(link(elsewhere, fixture_path(fixture, "runnel.db")), 0);
    check_refused(fixture, "is not a plain file");
}

static void a_folder_that_cannot_be_used_is_named(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.dir = "/proc/nowhere/store";
    struct err err = {0};
    assert_int_equal(store_open(&fixture->config, &fixture->store, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "/proc/nowhere"));
    assert_non_null(strstr(err.text, "--storage-dir"));
}

static void what_is_no_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = fopen(fixture_path(fixture, "runnel.db"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        (void)fprintf(file, "no database at all\n");
    (void)fclose(file);
    check_refused(fixture, "not a database");
}

/* --- the schema --- */

static void execute(struct fixture *fixture, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open(fixture_path(fixture, "runnel.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_newer_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_close(fixture);
    execute(fixture, "PRAGMA user_version = 999");
    check_refused(fixture, "a newer runnel wrote the database: its version is 999");
}

static void a_database_of_others_is_refused(void **state)
{
    struct fixture *fixture = *state;
    execute(fixture, "CREATE TABLE songs(title TEXT)");
    check_refused(fixture, "is not runnel's");
}

/* What the triggers keep, and what a sum says, of a key. */
static void check_holdings(const struct fixture *fixture)
{
    struct database db = {0};
    struct err err = {0};
    uint64_t held = 0;
    uint64_t all = 0;
    assert_int_equal(database_open(&db, fixture_path(fixture, "runnel.db"), &err), 0);
    assert_int_equal(database_number(&db, "SELECT bytes FROM holdings WHERE key = 1", &held, &err),
                     0);
    assert_int_equal(database_number(&db,
                                     "SELECT (SELECT sum(bytes) FROM runs WHERE key = 1) + "
                                     "(SELECT sum(size) FROM files WHERE key = 1)",
                                     &all, &err),
                     0);
    assert_int_equal(held, all);
    assert_int_equal(held, store_size(fixture->store).bytes);
    database_close(&db);
}

/* dumps/N.sql is what `sqlite3 runnel.db .dump` and its pragmas said of version N. */
static void every_older_version_is_brought_up(void **state)
{
    struct fixture *fixture = *state;
    const char *source = getenv("STORE_DUMPS");
    assert_non_null(source);
    for (size_t version = 1; version <= schema_current()->version; version++) {
        char path[500];
        static char sql[200000];
        (void)snprintf(path, sizeof path, "%s/%zu.sql", source, version);
        FILE *dump = fopen(path, "r");
        if (!dump)
            fail_msg("there is no %s", path);
        size_t len = fread(sql, 1, sizeof sql - 1, dump);
        assert_true(len > 0 && len < sizeof sql - 1);
        sql[len] = '\0';
        (void)fclose(dump);
        (void)unlink(fixture_path(fixture, "runnel.db"));
        execute(fixture, sql);
        fixture_open(fixture);
        assert_int_equal(get_run(fixture, "run_done", true), NO_ERROR);
        assert_string_equal(fixture->run.end.verdict, "succeeded");
        assert_string_equal(fixture->run.run.metadata[0].value, "alice");
        assert_int_equal(fixture->run.end.artifact_count, 1);
        assert_int_equal(get_run(fixture, "run_left", true), NO_ERROR);
        assert_true(fixture->run.is_interrupted);
        assert_int_equal(get_file(fixture, "file_up"), NO_ERROR);
        assert_int_equal(list_keys(fixture, false), NO_ERROR);
        assert_int_equal(fixture->count, 1);
        assert_int_equal(list_usage(fixture, 0), NO_ERROR);
        assert_int_equal(store_size(fixture->store).runs, 2);
        assert_int_equal(due_webhooks(fixture, UINT64_MAX / 4, 0), NO_ERROR);
        assert_int_equal(fixture->count, 2);
        assert_int_equal(fixture->webhooks[0].key, 1);
        assert_int_equal(fixture->webhooks[1].key, 1);
        check_holdings(fixture);
        assert_int_equal(remove_run(fixture, "run_done"), NO_ERROR);
        check_holdings(fixture);
        fixture_close(fixture);
    }
}

/* The folder's part: SQLite makes no database. */
static void make_empty(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
}

static void a_step_that_fails_leaves_the_last_version(void **state)
{
    static const char *const steps[] = {
        "CREATE TABLE a(x)",
        "CREATE TABLE b(x); INSERT INTO a VALUES(1)",
        "CREATE TABLE c(x); INSERT INTO nowhere VALUES(1)",
    };
    struct fixture *fixture = *state;
    struct database db = {0};
    struct err err = {0};
    uint64_t number = 0;
    make_empty(fixture_path(fixture, "x.db"));
    assert_int_equal(database_open(&db, fixture_path(fixture, "x.db"), &err), 0);
    assert_int_equal(schema_migrate(&db, &(struct schema){steps, 1}, &err), 0);
    assert_int_equal(schema_migrate(&db, &(struct schema){steps, 3}, &err), -1);
    assert_non_null(strstr(err.text, "version 3"));
    assert_int_equal(database_number(&db, "PRAGMA user_version", &number, &err), 0);
    assert_int_equal(number, 2);
    assert_int_equal(database_number(&db, "SELECT count(*) FROM sqlite_master", &number, &err), 0);
    assert_int_equal(number, 2);
    assert_int_equal(schema_migrate(&db, &(struct schema){steps, 2}, &err), 0);
    assert_int_equal(schema_migrate(&db, &(struct schema){steps, 1}, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    database_close(&db);
}

/* As it is when there was no memory even for the end of one that had failed. */
static void a_transaction_without_an_end_is_not_in_the_way_of_the_next(void **state)
{
    struct fixture *fixture = *state;
    struct database db = {0};
    struct err err = {0};
    uint64_t number = 0;
    make_empty(fixture_path(fixture, "x.db"));
    assert_int_equal(database_open(&db, fixture_path(fixture, "x.db"), &err), 0);
    assert_int_equal(database_begin(&db, true, &err), 0);
    assert_int_equal(database_execute(&db, "CREATE TABLE void (a)", &err), 0);
    assert_int_equal(database_begin(&db, true, &err), 0);
    assert_int_equal(database_execute(&db, "CREATE TABLE kept (a)", &err), 0);
    assert_int_equal(database_commit(&db, &err), 0);
    assert_int_equal(database_number(&db, "SELECT count(*) FROM sqlite_master", &number, &err), 0);
    assert_int_equal(number, 1);
    database_close(&db);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_folder_is_made_for_its_owner_alone),
        TEST(a_slash_behind_its_name_makes_it_no_other_folder),
        TEST(one_runnel_has_the_folder),
        TEST(a_predecessor_that_is_ending_is_waited_for),
        TEST(what_is_no_plain_file_is_refused),
        TEST(a_folder_that_cannot_be_used_is_named),
        TEST(what_is_no_database_is_refused),
        TEST(a_newer_database_is_refused),
        TEST(a_database_of_others_is_refused),
        TEST(every_older_version_is_brought_up),
        TEST(a_step_that_fails_leaves_the_last_version),
        TEST(a_transaction_without_an_end_is_not_in_the_way_of_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
