/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status, (void)type, (void)at;
    return remove(path);
}

void remove_tree(const char *dir)
{
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

const char *fixture_path(const struct fixture *fixture, const char *name)
{
    static char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->dir, name);
    return path;
}

struct stat fixture_status(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static void on_late(void *context)
{
    struct fixture *fixture = context;
    fixture->is_late = true;
    loop_stop(fixture->loop);
}

int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    (void)snprintf(fixture->dir, sizeof fixture->dir, "/tmp/runnel-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    fixture->config = (struct store_config){.dir = fixture->dir, .owner = (uid_t)-1};
    fixture->loop = loop_new();
    fixture->late = loop_timer_new(fixture->loop, on_late, fixture);
    *state = fixture;
    return 0;
}

int fixture_set_up_open(void **state)
{
    int rc = fixture_set_up(state);
    if (rc == 0)
        fixture_open(*state);
    return rc;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    fixture_close(fixture);
    loop_timer_free(fixture->late);
    loop_free(fixture->loop);
    arena_fini(&fixture->memory);
    remove_tree(fixture->dir);
    free(fixture);
    return 0;
}

void fixture_open(struct fixture *fixture)
{
    struct err err = {0};
    if (store_open(&fixture->config, &fixture->store, &err) < 0 ||
        store_start(fixture->store, fixture->loop, &err) < 0)
        fail_msg("%s", err.text);
}

void fixture_close(struct fixture *fixture)
{
    store_free(fixture->store);
    fixture->store = NULL;
}

void fixture_reopen(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

void fixture_wait(struct fixture *fixture)
{
    loop_timer_start(fixture->late, 60000);
    while (!fixture->done && !fixture->is_late)
        loop_run(fixture->loop);
    loop_timer_stop(fixture->late);
    assert_false(fixture->is_late);
    fixture->done = false;
}

static void on_slept(void *context)
{
    struct fixture *fixture = context;
    fixture->done = true;
    loop_stop(fixture->loop);
}

void fixture_sleep(struct fixture *fixture, int ms)
{
    struct loop_timer *timer = loop_timer_new(fixture->loop, on_slept, fixture);
    loop_timer_start(timer, (uint64_t)ms);
    fixture_wait(fixture);
    loop_timer_free(timer);
}

static enum err_code wait_for_code(struct fixture *fixture)
{
    fixture_wait(fixture);
    return fixture->err.code;
}

static void is_done(struct fixture *fixture, const struct err *err)
{
    fixture->err = err ? *err : (struct err){.code = NO_ERROR};
    fixture->done = true;
    loop_stop(fixture->loop);
}

static void on_done(void *context, const struct err *err)
{
    is_done(context, err);
}

static void on_added(void *context, const char *existing, bool same_request, const struct err *err)
{
    struct fixture *fixture = context;
    (void)snprintf(fixture->existing, sizeof fixture->existing, "%s", existing ? existing : "");
    fixture->same_request = same_request;
    is_done(fixture, err);
}

static void keep_file(struct arena *memory, struct store_file *file)
{
    file->id = arena_text(memory, file->id);
    file->run = arena_text(memory, file->run);
    file->name = arena_text(memory, file->name);
}

static void keep_run(struct arena *memory, struct stored_run *run)
{
    struct store_pair *pairs = arena_get(memory, sizeof *pairs * STORE_METADATA_MAX);
    struct store_file *files = arena_get(memory, sizeof *files * (run->end.artifact_count + 1));
    for (size_t i = 0; i < run->run.metadata_count; i++)
        pairs[i] = (struct store_pair){arena_text(memory, run->run.metadata[i].name),
                                       arena_text(memory, run->run.metadata[i].value)};
    for (size_t i = 0; i < run->end.artifact_count; i++) {
        files[i] = run->end.artifacts[i];
        keep_file(memory, &files[i]);
    }
    run->run.metadata = pairs;
    run->end.artifacts = files;
    run->run.id = arena_text(memory, run->run.id);
    run->run.language = arena_text(memory, run->run.language);
    run->run.accepted = arena_slice(memory, run->run.accepted);
    run->run.request = arena_slice(memory, run->run.request);
    run->end.verdict = arena_text(memory, run->end.verdict);
    run->end.result = arena_slice(memory, run->end.result);
    run->end.events = arena_slice(memory, run->end.events);
}

static void on_run(void *context, const struct stored_run *run, const struct err *err)
{
    struct fixture *fixture = context;
    if (run) {
        fixture->run = *run;
        keep_run(&fixture->memory, &fixture->run);
    }
    is_done(fixture, err);
}

static void on_runs(void *context, const struct stored_run *runs, size_t count, bool more,
                    const struct err *err)
{
    struct fixture *fixture = context;
    assert_true(count <= MAX_ROWS);
    for (size_t i = 0; i < count; i++) {
        fixture->runs[i] = runs[i];
        keep_run(&fixture->memory, &fixture->runs[i]);
    }
    fixture->count = count;
    fixture->more = more;
    is_done(fixture, err);
}

static void on_file(void *context, const struct store_file *file, const struct err *err)
{
    struct fixture *fixture = context;
    if (file) {
        fixture->file = *file;
        keep_file(&fixture->memory, &fixture->file);
    }
    is_done(fixture, err);
}

static void on_files(void *context, const struct store_file *files, size_t count,
                     const struct err *err)
{
    struct fixture *fixture = context;
    assert_true(count <= MAX_ROWS);
    for (size_t i = 0; i < count; i++) {
        fixture->files[i] = files[i];
        keep_file(&fixture->memory, &fixture->files[i]);
    }
    fixture->count = count;
    is_done(fixture, err);
}

static void on_webhooks(void *context, const struct store_webhook *webhooks, size_t count,
                        uint64_t next_ms, const struct err *err)
{
    struct fixture *fixture = context;
    for (size_t i = 0; i < count; i++) {
        fixture->webhooks[i] = webhooks[i];
        fixture->webhooks[i].run = arena_text(&fixture->memory, webhooks[i].run);
        fixture->webhooks[i].url = arena_text(&fixture->memory, webhooks[i].url);
        fixture->webhooks[i].base = arena_text(&fixture->memory, webhooks[i].base);
    }
    fixture->count = count;
    fixture->next_ms = next_ms;
    is_done(fixture, err);
}

static void on_keys(void *context, const struct store_key *keys, size_t count,
                    const struct err *err)
{
    struct fixture *fixture = context;
    for (size_t i = 0; i < count; i++) {
        fixture->keys[i] = keys[i];
        fixture->keys[i].label = arena_text(&fixture->memory, keys[i].label);
    }
    fixture->count = count;
    fixture->unchanged = !keys;
    is_done(fixture, err);
}

static void on_usages(void *context, const struct store_usage *usages, size_t count,
                      const struct err *err)
{
    struct fixture *fixture = context;
    for (size_t i = 0; i < count; i++)
        fixture->usages[i] = usages[i];
    fixture->count = count;
    is_done(fixture, err);
}

enum err_code add_run(struct fixture *fixture, const struct store_run *run)
{
    store_run_add(fixture->store, run, on_added, fixture);
    return wait_for_code(fixture);
}

enum err_code find_same_run(struct fixture *fixture, const struct store_run *run)
{
    store_run_find_same(fixture->store, run, on_added, fixture);
    return wait_for_code(fixture);
}

enum err_code interrupt_run(struct fixture *fixture, const char *id)
{
    store_run_interrupt(fixture->store, id, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code finish_run(struct fixture *fixture, const char *id, const struct store_end *end)
{
    store_run_finish(fixture->store, id, end, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code get_run(struct fixture *fixture, const char *id, bool with_events)
{
    store_run_get(fixture->store, id, with_events ? SIZE_MAX : 0, on_run, fixture);
    return wait_for_code(fixture);
}

enum err_code list_runs(struct fixture *fixture, const struct store_filter *filter)
{
    store_run_list(fixture->store, filter, on_runs, fixture);
    return wait_for_code(fixture);
}

enum err_code remove_run(struct fixture *fixture, const char *id)
{
    store_run_remove(fixture->store, id, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code add_file(struct fixture *fixture, const struct store_file *file)
{
    store_file_add(fixture->store, file, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code get_file(struct fixture *fixture, const char *id)
{
    store_file_get(fixture->store, id, on_file, fixture);
    return wait_for_code(fixture);
}

enum err_code list_files(struct fixture *fixture, uint64_t key, const char *before, size_t limit)
{
    store_file_list(fixture->store, key, before, limit, on_files, fixture);
    return wait_for_code(fixture);
}

enum err_code remove_file(struct fixture *fixture, const char *id)
{
    store_file_remove(fixture->store, id, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code due_webhooks(struct fixture *fixture, uint64_t now_ms, uint64_t after_key)
{
    store_webhook_due(fixture->store, now_ms, after_key, on_webhooks, fixture);
    return wait_for_code(fixture);
}

enum err_code tried_webhook(struct fixture *fixture, const char *run, uint64_t first_ms,
                            uint64_t next_ms)
{
    store_webhook_tried(fixture->store, run, first_ms, next_ms, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code add_key(struct fixture *fixture, const struct store_key *key)
{
    store_key_add(fixture->store, key, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code revoke_key(struct fixture *fixture, uint64_t number, uint64_t now_ms)
{
    store_key_revoke(fixture->store, number, now_ms, on_done, fixture);
    return wait_for_code(fixture);
}

enum err_code list_keys(struct fixture *fixture, bool only_if_changed)
{
    store_key_list(fixture->store, only_if_changed, on_keys, fixture);
    return wait_for_code(fixture);
}

enum err_code list_usage(struct fixture *fixture, uint64_t from_day)
{
    store_usage_list(fixture->store, from_day, on_usages, fixture);
    return wait_for_code(fixture);
}

struct store_run some_run(const char *id, uint64_t created_ms)
{
    return (struct store_run){
        .id = id,
        .key = 1,
        .language = "python",
        .created_ms = created_ms,
        .accepted = slice_of("{\"accepted\":1}"),
        .request = slice_of("print(6*7)"),
    };
}

struct store_end some_end(const char *verdict, uint64_t finished_ms)
{
    return (struct store_end){
        .verdict = verdict,
        .finished_ms = finished_ms,
        .queued_ms = 3,
        .wall_ms = 250,
        .run_ms = 250,
        .cpu_ms = 40,
        .result = slice_of("{\"stdout\":\"42\\n\"}"),
        .events = slice_of("[[0,\"42\\n\"]]"),
    };
}

struct store_file some_file(const char *id, uint64_t key, uint64_t created_ms)
{
    struct store_file file = {
        .id = id, .key = key, .name = "plot.svg", .size = 6, .created_ms = created_ms};
    memset(file.sha256, 0x5a, sizeof file.sha256);
    return file;
}

void make_content(const struct fixture *fixture, const char *id)
{
    int folder = store_files_folder(fixture->store);
    int fd = openat(folder, id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "<svg/>", 6), 6);
    assert_int_equal(close(fd), 0);
}

bool has_content(const struct fixture *fixture, const char *id)
{
    return faccessat(store_files_folder(fixture->store), id, F_OK, 0) == 0;
}
