/* SPDX-License-Identifier: MIT */
/* Who is root gives the folder to a user without privilege, and is that user before it looks into
 * what such a user may have made there. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "fixture.h"
#include "os/user.h"
#include "sandbox/seccomp_policy.h"

enum { SOMEBODY = 34567 };

static void everything_is_given_to_the_owner(void **state)
{
    static const char *const names[] = {".",         "files",         "files/file_a", "lock",
                                        "runnel.db", "runnel.db-wal", "runnel.db-shm"};
    struct fixture *fixture = *state;
    if (geteuid() != 0)
        skip();
    fixture_open(fixture);
    make_content(fixture, "file_a");
    struct store_file file = some_file("file_a", 1, 1000);
    assert_int_equal(add_file(fixture, &file), NO_ERROR);
    assert_int_equal(symlink("/etc/passwd", fixture_path(fixture, "files/link")), 0);
    fixture_close(fixture);
    fixture->config.owner = SOMEBODY;
    fixture_open(fixture);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(fixture_status(fixture_path(fixture, names[i])).st_uid, SOMEBODY);
    assert_int_equal(fixture_status("/etc/passwd").st_uid, 0);
    fixture_close(fixture);
    fixture->config.owner = 0; /* and back */
    fixture_open(fixture);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(fixture_status(fixture_path(fixture, names[i])).st_uid, 0);
}

static int become_somebody(uid_t owner, struct err *err)
{
    (void)err;
    return owner == SOMEBODY ? user_become(owner) : -1;
}

static void load_filter(void)
{
#ifndef RUNNEL_SANITIZED /* the leak check attaches to its own threads */
    struct seccomp_program filter = {0};
    struct err err = {0};
    const char *policy = seccomp_builtin_policy("front");
    assert_int_equal(seccomp_compile("front", slice_of(policy), SECCOMP_REFUSE_KILL, &filter, &err),
                     0);
    struct sock_fprog program = {(unsigned short)filter.count, filter.instructions};
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(syscall(SYS_seccomp, 1 /* SET_MODE_FILTER */, 0, &program), 0);
    seccomp_program_fini(&filter);
#endif
}

/* Enough for several checkpoints, and for the index of the log to grow. */
static void live(struct fixture *fixture)
{
    enum { SIZE = 200000, RUNS = 200 };
    char *bytes = arena_get(&fixture->memory, SIZE);
    for (int i = 0; i < RUNS; i++) {
        char id[STORE_ID_SIZE];
        struct store_run run = some_run(id, 1000);
        struct store_end end = some_end("succeeded", 2000);
        (void)snprintf(id, sizeof id, "run_%d", i);
        run.request = end.events = (struct slice){bytes, SIZE};
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
        assert_int_equal(get_run(fixture, id, true), NO_ERROR);
        if (i % 2)
            assert_int_equal(remove_run(fixture, id), NO_ERROR);
    }
    assert_int_equal(list_runs(fixture, &(struct store_filter){.key = 1, .limit = 100}), NO_ERROR);
    assert_int_equal(fixture->count, 100);
}

/* Under a path that the later user cannot search, and under the front's filter. */
static void a_front_without_privilege_lives_on_it(void **state)
{
    struct fixture *fixture = *state;
    char dir[200];
    (void)snprintf(dir, sizeof dir, "%s", fixture_path(fixture, "locked/store"));
    fixture->config.dir = dir;
    if (geteuid() == 0) {
        fixture->config.owner = SOMEBODY;
        fixture->config.become_owner = become_somebody;
    }
    assert_int_equal(mkdir(fixture_path(fixture, "locked"), 0700), 0);
    pid_t child = fork();
    if (child == 0) {
        struct err err = {0};
        assert_int_equal(store_open(&fixture->config, &fixture->store, &err), 0);
        load_filter();
        if (geteuid() != 0)
            assert_int_equal(access(dir, F_OK), geteuid() == SOMEBODY ? -1 : 0);
        assert_int_equal(store_start(fixture->store, fixture->loop, &err), 0);
        live(fixture);
        fixture_close(fixture);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fixture->config.owner = (uid_t)-1; /* its log is read again */
    fixture->config.become_owner = NULL;
    fixture_open(fixture);
    assert_int_equal(store_size(fixture->store).runs, 100);
    assert_true(fixture_status(fixture_path(fixture, "locked/store/runnel.db")).st_size > 1000000);
}

/* --- what a front that was taken over leaves for the next one --- */

/* A journal that names a file of others: SQLite plays it back, and then removes that file. */
static void plant_journal(const char *path, const char *victim)
{
    static const unsigned char lock_page[4] = {0, 0x04, 0, 0x01};
    static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    uint32_t len = (uint32_t)strlen(victim);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < len; i++)
        sum += (unsigned char)victim[i];
    const uint32_t tail[2] = {htonl(len), htonl(sum)};
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1024; i++)
        assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fwrite(lock_page, sizeof lock_page, 1, file), 1);
    assert_int_equal(fwrite(victim, len, 1, file), 1);
    assert_int_equal(fwrite(tail, sizeof tail, 1, file), 1);
    assert_int_equal(fwrite(magic, sizeof magic, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chown(path, SOMEBODY, SOMEBODY), 0);
}

/* In a process of its own, which is root no more when it is done. */
static void open_as_root(struct fixture *fixture, bool beside)
{
    pid_t child = fork();
    if (child == 0) {
        struct err err = {0};
        int rc = beside ? store_open_beside(fixture->config.dir, &fixture->store, &err)
                        : store_open(&fixture->config, &fixture->store, &err);
        if (rc < 0)
            (void)fprintf(stderr, "%s\n", err.text);
        fixture_close(fixture);
        _exit(rc < 0 || geteuid() != SOMEBODY);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void no_file_of_others_goes(void **state)
{
    struct fixture *fixture = *state;
    char dir[200];
    char journal[220];
    if (geteuid() != 0)
        skip();
    (void)snprintf(dir, sizeof dir, "%s", fixture_path(fixture, "store"));
    (void)snprintf(journal, sizeof journal, "%s/runnel.db-journal", dir);
    fixture->config.dir = dir;
    fixture->config.owner = SOMEBODY;
    fixture->config.become_owner = become_somebody;
    open_as_root(fixture, false);
    int fd = open(fixture_path(fixture, "victim"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "kept", 4), 4); /* an empty one is as none to SQLite */
    assert_int_equal(close(fd), 0);
    for (int beside = 0; beside < 2; beside++) {
        plant_journal(journal, fixture_path(fixture, "victim"));
        open_as_root(fixture, beside);
        assert_int_equal(access(journal, F_OK), -1); /* it was read */
        assert_int_equal(fixture_status(fixture_path(fixture, "victim")).st_uid, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_given_to_the_owner),
        TEST(a_front_without_privilege_lives_on_it),
        TEST(no_file_of_others_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
