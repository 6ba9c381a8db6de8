/* SPDX-License-Identifier: MIT */
/* A disk that is full, and one that fails now and then: every call is answered,
 * what was said to be done is there, and what was not is not. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/util.h"
#include "fixture.h"

/* --- a VFS in front of the real one --- */

enum { METHODS = 3 }; /* version of sqlite3_io_methods */

struct shim_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    _Atomic uint32_t opened; /* files */
    _Atomic uint32_t seed;
    _Atomic uint32_t one_in; /* writes and syncs that fail; 0: none */
    _Atomic int rc;          /* how they fail */
} shim;

static bool fails_now(void)
{
    uint32_t one_in = shim.one_in;
    uint32_t seed = shim.seed * 1664525U + 1013904223U;
    shim.seed = seed;
    return one_in != 0 && (seed >> 8) % one_in == 0;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct shim_file *)file)->real;
}

#define FORWARD(name, parameters, ...)                     \
    static int shim_##name parameters                      \
    {                                                      \
        return real_of(file)->pMethods->name(__VA_ARGS__); \
    }

/* clang-format off */
FORWARD(xRead, (sqlite3_file *file, void *at, int size, sqlite3_int64 from), real_of(file), at, size, from)
FORWARD(xTruncate, (sqlite3_file *file, sqlite3_int64 size), real_of(file), size)
FORWARD(xFileSize, (sqlite3_file *file, sqlite3_int64 *size), real_of(file), size)
FORWARD(xLock, (sqlite3_file *file, int lock), real_of(file), lock)
FORWARD(xUnlock, (sqlite3_file *file, int lock), real_of(file), lock)
FORWARD(xCheckReservedLock, (sqlite3_file *file, int *out), real_of(file), out)
FORWARD(xFileControl, (sqlite3_file *file, int op, void *argument), real_of(file), op, argument)
FORWARD(xSectorSize, (sqlite3_file *file), real_of(file))
FORWARD(xDeviceCharacteristics, (sqlite3_file *file), real_of(file))
FORWARD(xShmMap, (sqlite3_file *file, int page, int size, int extend, void volatile **out), real_of(file), page, size, extend, out)
FORWARD(xShmLock, (sqlite3_file *file, int offset, int count, int flags), real_of(file), offset, count, flags)
FORWARD(xShmUnmap, (sqlite3_file *file, int remove), real_of(file), remove)
/* clang-format on */

static void shim_xShmBarrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shim_xClose(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

/* Half of what was to be written is there, as on a real disk. */
static int shim_xWrite(sqlite3_file *file, const void *at, int size, sqlite3_int64 to)
{
    sqlite3_file *real = real_of(file);
    if (!fails_now())
        return real->pMethods->xWrite(real, at, size, to);
    (void)real->pMethods->xWrite(real, at, size / 2, to);
    return shim.rc;
}

static int shim_xSync(sqlite3_file *file, int flags)
{
    return fails_now() ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static const sqlite3_io_methods methods = {
    .iVersion = METHODS - 1, /* without mapped reads */
    .xClose = shim_xClose,
    .xRead = shim_xRead,
    .xWrite = shim_xWrite,
    .xTruncate = shim_xTruncate,
    .xSync = shim_xSync,
    .xFileSize = shim_xFileSize,
    .xLock = shim_xLock,
    .xUnlock = shim_xUnlock,
    .xCheckReservedLock = shim_xCheckReservedLock,
    .xFileControl = shim_xFileControl,
    .xSectorSize = shim_xSectorSize,
    .xDeviceCharacteristics = shim_xDeviceCharacteristics,
    .xShmMap = shim_xShmMap,
    .xShmLock = shim_xShmLock,
    .xShmBarrier = shim_xShmBarrier,
    .xShmUnmap = shim_xShmUnmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    struct shim_file *shimmed = (struct shim_file *)file;
    (void)vfs;
    shimmed->real = (sqlite3_file *)(shimmed + 1);
    shim.opened++;
    int rc = shim.real->xOpen(shim.real, name, shimmed->real, flags, ret_flags);
    shimmed->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
    return rc;
}

static void put_shim(void)
{
    shim.real = sqlite3_vfs_find(NULL);
    shim.vfs = *shim.real;
    shim.vfs.zName = "shim";
    shim.vfs.szOsFile += (int)sizeof(struct shim_file);
    shim.vfs.xOpen = shim_open;
    assert_int_equal(sqlite3_vfs_register(&shim.vfs, 1), SQLITE_OK);
}

static void set_failing(uint32_t one_in)
{
    shim.one_in = one_in;
}

/* --- many calls at once --- */

enum { BATCHES = 60, BATCH = 12, CALLS = BATCHES * BATCH };

struct call {
    struct fixture *fixture;
    bool answered;
    bool done;
};
static struct call adds[CALLS];
static struct call finishes[CALLS];
static size_t open_calls;

static void answered(struct call *call, const struct err *err)
{
    assert_false(call->answered);
    call->answered = true;
    call->done = !err;
    if (--open_calls > 0)
        return;
    call->fixture->done = true;
    loop_stop(call->fixture->loop);
}

static void on_added(void *context, const char *existing, bool same_request, const struct err *err)
{
    (void)existing, (void)same_request;
    answered(context, err);
}

static void on_finished(void *context, const struct err *err)
{
    answered(context, err);
}

static void ask_batch(struct fixture *fixture, int batch)
{
    open_calls = 2 * (size_t)BATCH;
    for (int i = batch * BATCH; i < (batch + 1) * BATCH; i++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", i);
        struct store_run run = some_run(id, 1000 + (uint64_t)i);
        struct store_end end = some_end("succeeded", 2000);
        adds[i] = finishes[i] = (struct call){.fixture = fixture};
        store_run_add(fixture->store, &run, on_added, &adds[i]);
        store_run_finish(fixture->store, id, &end, on_finished, &finishes[i]);
    }
    fixture_wait(fixture);
}

/* How many were done. */
static int check_batches(struct fixture *fixture)
{
    int done = 0;
    for (int i = 0; i < CALLS; i++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", i);
        assert_true(adds[i].answered && finishes[i].answered);
        assert_true(adds[i].done || !finishes[i].done);
        assert_int_equal(get_run(fixture, id, true), adds[i].done ? NO_ERROR : ERR_NOT_FOUND);
        if (!adds[i].done)
            continue;
        assert_int_equal(fixture->run.is_finished && !fixture->run.is_interrupted,
                         finishes[i].done);
        done++;
    }
    assert_int_equal(store_size(fixture->store).runs, done);
    return done;
}

static void check_failing_disk(struct fixture *fixture, int rc)
{
    shim.rc = rc;
    fixture_open(fixture);
    for (int batch = 0; batch < BATCHES; batch++) {
        shim.seed = (uint32_t)batch + 1;
        set_failing(batch % 4 == 3 ? 0 : 20 + (uint32_t)batch * 3); /* some all right */
        ask_batch(fixture, batch);
    }
    set_failing(0);
    int done = check_batches(fixture);
    assert_in_range(done, CALLS / 4, CALLS - 1);
    fixture_reopen(fixture);
    assert_int_equal(check_batches(fixture), done);
}

static void a_disk_that_fails_loses_nothing_that_was_done(void **state)
{
    check_failing_disk(*state, SQLITE_IOERR_WRITE);
}

static void a_disk_that_is_full_now_and_then_does_not_either(void **state)
{
    check_failing_disk(*state, SQLITE_FULL);
}

static void a_failing_call_takes_no_other_with_it(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    struct store_run run = some_run("run_3", 1000);
    assert_int_equal(add_run(fixture, &run), NO_ERROR);
    ask_batch(fixture, 0); /* run_3 is there already */
    for (int i = 0; i < BATCH; i++) {
        assert_int_equal(adds[i].done, i != 3);
        assert_true(finishes[i].done);
    }
}

/* --- keys, looked at in a transaction that is lost --- */

static void on_looked(void *context, const struct store_key *keys, size_t count,
                      const struct err *err)
{
    struct call *call = context;
    struct fixture *fixture = call->fixture;
    fixture->unchanged = !keys;
    fixture->count = count;
    if (count > 0)
        fixture->keys[0] = keys[0];
    answered(call, err);
}

/* One transaction: nothing of them is taken before the thread starts. The run fails alone. */
static void look_beside_a_run(struct fixture *fixture, const struct store_run *run)
{
    open_calls = 2;
    adds[0] = finishes[0] = (struct call){.fixture = fixture};
    store_key_list(fixture->store, true, on_looked, &finishes[0]);
    store_run_add(fixture->store, run, on_added, &adds[0]);
    assert_int_equal(store_start(fixture->store, fixture->loop, NULL), 0);
    fixture_wait(fixture);
    set_failing(0);
    assert_true(finishes[0].done && !adds[0].done);
}

static void a_revoked_key_is_told_though_a_full_disk_loses_the_look(void **state)
{
    struct fixture *fixture = *state;
    struct store_key key = {.label = "leaked", .scopes = STORE_SCOPE_RUN, .created_ms = 1000};
    struct store_run run = some_run("run_1", 1000);
    struct call call = {.fixture = fixture};
    assert_int_equal(store_open(&fixture->config, &fixture->store, NULL), 0);
    assert_int_equal(store_key_add_now(fixture->store, &key, NULL, NULL), 0);
    open_calls = 2; /* this one is not waited for */
    assert_int_equal(store_key_list_now(fixture->store, on_looked, &call, NULL), 0);
    assert_int_equal(store_key_revoke_now(fixture->store, 1, 5000, NULL), 0);
    shim.rc = SQLITE_FULL;
    set_failing(1);
    look_beside_a_run(fixture, &run);
    assert_false(fixture->unchanged);
    assert_int_equal(fixture->keys[0].revoked_ms, 5000);
    assert_int_equal(list_keys(fixture, true), NO_ERROR);
    assert_true(fixture->unchanged); /* it was told */
}

/* It may be under another user by then, or in a sandbox. */
static void no_file_is_opened_once_it_serves(void **state)
{
    enum { SIZE = 1000000, RUNS = 40 };
    struct fixture *fixture = *state;
    fixture_open(fixture);
    uint32_t opened = shim.opened;
    assert_int_not_equal(opened, 0);
    char *bytes = arena_get(&fixture->memory, SIZE);
    for (int i = 0; i < RUNS; i++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", i);
        struct store_run run = some_run(id, 1000);
        struct store_end end = some_end("succeeded", 2000);
        run.request = end.result = (struct slice){bytes, SIZE};
        assert_int_equal(add_run(fixture, &run), NO_ERROR);
        assert_int_equal(finish_run(fixture, id, &end), NO_ERROR);
    }
    assert_int_equal(list_runs(fixture, &(struct store_filter){.key = 1, .limit = 5}), NO_ERROR);
    for (int i = 0; i < RUNS; i++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", i);
        assert_int_equal(remove_run(fixture, id), NO_ERROR);
    }
    assert_int_equal(shim.opened, opened);
}

/* --- a small disk --- */

static int set_up_small_disk(void **state)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fixture_set_up(state);
    if (fixture_set_up(state) < 0)
        return -1;
    struct fixture *fixture = *state;
    return mount("tmpfs", fixture->dir, "tmpfs", MS_NOSUID | MS_NODEV, "size=8m");
}

static int tear_down_small_disk(void **state)
{
    char dir[64];
    struct fixture *fixture = *state;
    memcpy(dir, fixture->dir, sizeof dir);
    fixture_close(fixture);
    (void)umount2(dir, MNT_DETACH);
    return fixture_tear_down(state);
}

static void skip_without_small_disk(struct fixture *fixture)
{
    if (geteuid() == 0 && umount2(fixture->dir, MNT_EXPIRE) < 0 && errno != EINVAL)
        return; /* EAGAIN: it is a mount, and marked */
    print_message("a small disk needs root\n");
    skip();
}

static enum err_code add_large(struct fixture *fixture, int at)
{
    enum { SIZE = 100000 };
    static char bytes[SIZE];
    char id[STORE_ID_SIZE];
    (void)snprintf(id, sizeof id, "run_%d", at);
    struct store_run run = some_run(id, 1000 + (uint64_t)at);
    run.request = (struct slice){bytes, sizeof bytes};
    return add_run(fixture, &run);
}

/* How many went in. */
static int fill_disk(struct fixture *fixture, int first)
{
    for (int at = first; at < first + 1000; at++) {
        enum err_code code = add_large(fixture, at);
        if (code == NO_ERROR)
            continue;
        assert_int_equal(code, ERR_STORAGE_FULL);
        return at - first;
    }
    fail_msg("the disk was never full");
    return 0;
}

/* Takes bytes of the disk, or gives them back. */
static void set_ballast(const struct fixture *fixture, const char *name, int bytes)
{
    char path[100];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->dir, name);
    (void)unlink(path);
    if (bytes == 0)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fallocate(fd, 0, 0, bytes), 0);
    assert_int_equal(close(fd), 0);
}

static void a_full_disk_refuses_and_recovers(void **state)
{
    struct fixture *fixture = *state;
    skip_without_small_disk(fixture);
    fixture->config.min_free_bytes = 1; /* SQLite shall meet the end of the disk itself */
    fixture_open(fixture);
    set_ballast(fixture, "large", 3 << 20);
    set_ballast(fixture, "small", 1 << 18);
    int count = fill_disk(fixture, 0);
    assert_true(count > 5);
    for (int at = 0; at < count; at++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", at);
        assert_int_equal(get_run(fixture, id, true), NO_ERROR);
    }
    assert_int_equal(store_size(fixture->store).runs, count);
    assert_int_equal(add_large(fixture, count), ERR_STORAGE_FULL);
    set_ballast(fixture, "large", 0);
    assert_int_equal(add_large(fixture, count), NO_ERROR);
    int more = fill_disk(fixture, count + 1);
    assert_true(more > 5);
    set_ballast(fixture, "small", 0); /* a start needs a little */
    fixture_reopen(fixture);
    assert_int_equal(store_size(fixture->store).runs, count + 1 + more);
}

static void a_full_disk_is_emptied_by_removing_runs(void **state)
{
    struct fixture *fixture = *state;
    skip_without_small_disk(fixture);
    fixture->config.min_free_bytes = 1 << 20;
    fixture_open(fixture);
    int count = fill_disk(fixture, 0);
    for (int at = 0; at < count; at++) {
        char id[STORE_ID_SIZE];
        (void)snprintf(id, sizeof id, "run_%d", at);
        assert_int_equal(remove_run(fixture, id), NO_ERROR);
    }
    assert_int_equal(store_size(fixture->store).runs, 0);
}

static void nothing_new_is_taken_below_the_least_free_bytes(void **state)
{
    struct fixture *fixture = *state;
    fixture->config.min_free_bytes = 1ULL << 60;
    fixture_open(fixture);
    struct store_run run = some_run("run_1", 1000);
    struct store_file file = some_file("file_a", 1, 1000);
    assert_int_equal(add_run(fixture, &run), ERR_STORAGE_FULL);
    assert_int_equal(add_file(fixture, &file), ERR_STORAGE_FULL);
    assert_int_equal(get_run(fixture, "run_1", true), ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
#define SMALL_DISK(name) \
    cmocka_unit_test_setup_teardown(name, set_up_small_disk, tear_down_small_disk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_disk_that_fails_loses_nothing_that_was_done),
        TEST(a_disk_that_is_full_now_and_then_does_not_either),
        TEST(a_failing_call_takes_no_other_with_it),
        TEST(a_revoked_key_is_told_though_a_full_disk_loses_the_look),
        TEST(no_file_is_opened_once_it_serves),
        TEST(nothing_new_is_taken_below_the_least_free_bytes),
        SMALL_DISK(a_full_disk_refuses_and_recovers),
        SMALL_DISK(a_full_disk_is_emptied_by_removing_runs),
    };
    put_shim();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
