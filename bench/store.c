/* SPDX-License-Identifier: MIT */
/* store — what a call on a store with many runs takes: fills a new one, then asks.
 *
 *     store FOLDER RUNS ROUNDS
 *
 * FOLDER must not be there, and is left behind. Runs belong to ten keys, half of them to the first;
 * their ids are random, their texts of usual length. Each figure is of ROUNDS calls, one
 * after the other, from the call to its callback. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "figures.h"
#include "loop/loop.h"
#include "store/store_private.h"

enum { CALLS_MAX = 100000, APART_MS = 50 };

static const char *const languages[] = {"python", "c", "node", "java", "ruby"};
static const char *const verdicts[] = {"succeeded", "failed", "compile_error", "out_of_memory"};
static uint64_t seed = 1;

static uint64_t roll(uint64_t below)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (seed >> 33) % below;
}

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* --- filling --- */

static sqlite3 *db;
static const char fill_runs[] =
    "INSERT INTO runs(number, id, key, language, verdict, created_ms, finished_ms, wall_ms, "
    "cpu_ms, bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6 + 40, 40, 30, 1600)";
static const char fill_metadata[] =
    "INSERT INTO metadata(run, place, pair, key, created_ms, name, value) "
    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
static const char *const fill_texts[] = {
    fill_runs,
    "INSERT INTO answers(run, accepted, result) VALUES(?1, zeroblob(200), zeroblob(400))",
    "INSERT INTO requests(run, request) VALUES(?1, zeroblob(200))",
    fill_metadata,
};
static sqlite3_stmt *fill[ARRAY_LEN(fill_texts)];

static void name_run(char id[STORE_ID_SIZE], uint64_t number)
{
    (void)snprintf(id, STORE_ID_SIZE, "run_%012llx",
                   (unsigned long long)(number * 0x9e3779b97f4a7c15 >> 16));
}

static void bind(sqlite3_stmt *statement, int at, uint64_t number)
{
    (void)sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

static void step(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        die("fill", sqlite3_errmsg(db));
    (void)sqlite3_reset(statement);
}

static void fill_pair(uint64_t run, int place, uint64_t key, const struct store_pair *pair)
{
    sqlite3_stmt *metadata = fill[3];
    bind(metadata, 1, run);
    (void)sqlite3_bind_int(metadata, 2, place);
    bind(metadata, 3, metadata_pair(pair));
    bind(metadata, 4, key);
    bind(metadata, 5, run * APART_MS);
    (void)sqlite3_bind_text(metadata, 6, pair->name, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(metadata, 7, pair->value, -1, SQLITE_TRANSIENT);
    step(metadata);
}

/* Python has no compile_error, and one run in 20 000 ran out of memory. */
static void fill_run(uint64_t run)
{
    char id[STORE_ID_SIZE];
    char user[32];
    uint64_t key = roll(2) ? 1 : 2 + roll(9);
    uint64_t language = roll(ARRAY_LEN(languages));
    uint64_t verdict = roll(20000) == 0 ? 3 : roll(10) != 0 ? 0 : language == 0 ? 1 : 1 + roll(2);
    name_run(id, run);
    (void)snprintf(user, sizeof user, "user%d", (int)roll(1000));
    bind(fill[0], 1, run);
    (void)sqlite3_bind_text(fill[0], 2, id, -1, SQLITE_TRANSIENT);
    bind(fill[0], 3, key);
    bind(fill[0], 4, 100 + language);
    bind(fill[0], 5, 200 + verdict);
    bind(fill[0], 6, run * APART_MS);
    step(fill[0]);
    for (int i = 1; i < 3; i++) {
        bind(fill[i], 1, run);
        step(fill[i]);
    }
    fill_pair(run, 0, key, &(struct store_pair){"app", "openwebui"});
    fill_pair(run, 1, key, &(struct store_pair){"user", user});
}

static void execute(const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sql, sqlite3_errmsg(db));
}

static void add_words(const char *const *words, size_t count, int first)
{
    char sql[100];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(sql, sizeof sql, "INSERT INTO words VALUES(%d, '%s')", first + (int)i,
                       words[i]);
        execute(sql);
    }
}

static void fill_store(const char *dir, unsigned runs)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/runnel.db", dir);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        die(path, sqlite3_errmsg(db));
    execute(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN");
    for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
        if (sqlite3_prepare_v2(db, fill_texts[i], -1, &fill[i], NULL) != SQLITE_OK)
            die("fill", sqlite3_errmsg(db));
    }
    add_words(languages, ARRAY_LEN(languages), 100);
    add_words(verdicts, ARRAY_LEN(verdicts), 200);
    double began = now_ms();
    for (uint64_t run = 1; run <= runs; run++)
        fill_run(run);
    execute("COMMIT");
    for (size_t i = 0; i < ARRAY_LEN(fill); i++)
        (void)sqlite3_finalize(fill[i]);
    (void)sqlite3_close(db);
    struct stat status;
    double size = stat(path, &status) == 0 ? (double)status.st_size : 0;
    printf("| filling: a run | %.1f µs |\n", (now_ms() - began) * 1000 / runs);
    printf("| on disk: a run | %.0f bytes |\n", size / runs);
}

/* --- asking --- */

static struct store *store;
static struct loop *loop;
static size_t rows;

static void check(const struct err *err)
{
    if (err)
        die("store", err->text);
    loop_stop(loop);
}

static void on_run(void *context, const struct stored_run *run, const struct err *err)
{
    (void)context;
    rows += run != NULL;
    check(err);
}

static void on_runs(void *context, const struct stored_run *runs, size_t count, bool more,
                    const struct err *err)
{
    (void)context, (void)runs, (void)more;
    rows += count;
    check(err);
}

static void on_added(void *context, const char *existing, bool same_request, const struct err *err)
{
    (void)context, (void)existing, (void)same_request;
    check(err);
}

static void on_done(void *context, const struct err *err)
{
    (void)context;
    check(err);
}

static unsigned runs_stored;

static void look_up(void)
{
    char id[STORE_ID_SIZE];
    name_run(id, 1 + roll(runs_stored));
    store_run_get(store, id, true, on_run, NULL);
}

static struct store_filter filter;
static bool deep;

static void list(void)
{
    char id[STORE_ID_SIZE];
    struct store_filter asked = filter;
    if (deep)
        asked.until_ms = (1 + roll(runs_stored)) * APART_MS;
    else if (asked.before) {
        name_run(id, 1 + roll(runs_stored));
        asked.before = id;
    }
    store_run_list(store, &asked, on_runs, NULL);
}

static uint64_t added;

static void add(void)
{
    char id[STORE_ID_SIZE];
    (void)snprintf(id, sizeof id, "run_new%09llu", (unsigned long long)++added);
    struct store_run run = {
        .id = id,
        .key = 1,
        .language = "python",
        .created_ms = (runs_stored + added) * APART_MS,
        .accepted = slice_of("{\"language\":\"python\",\"limits\":{\"timeout_ms\":5000}}"),
        .request = slice_of("{\"language\":\"python\",\"code\":\"print(6*7)\"}"),
    };
    store_run_add(store, &run, on_added, NULL);
}

static void finish(void)
{
    char id[STORE_ID_SIZE];
    (void)snprintf(id, sizeof id, "run_new%09llu", (unsigned long long)++added);
    struct store_end end = {
        .verdict = "succeeded",
        .finished_ms = (runs_stored + added) * APART_MS,
        .result = slice_of("{\"stdout\":\"42\\n\",\"stderr\":\"\",\"exit_code\":0}"),
        .events = slice_of("[[12,\"stdout\",\"42\\n\"],[13,\"end\"]]"),
    };
    store_run_finish(store, id, &end, on_done, NULL);
}

static void measure(const char *what, void (*call)(void), unsigned rounds)
{
    static double taken[CALLS_MAX];
    rows = 0;
    for (unsigned i = 0; i < rounds; i++) {
        double began = now_ms();
        call();
        loop_run(loop);
        taken[i] = now_ms() - began;
    }
    double middle = median(taken, rounds);
    printf("| %s | %.3f ms | %.3f ms | %.0f |\n", what, middle, taken[rounds * 99 / 100],
           (double)rows / rounds);
}

static void measure_lists(unsigned rounds)
{
    static const struct store_pair pairs[] = {
        {"app", "openwebui"}, {"user", "user7"}, {"user", "nobody"}};
    const struct {
        const char *what;
        struct store_filter filter;
        bool deep;
    } lists[] = {
        {"of a key", {.key = 1}, false},
        {"of a key, behind any run", {.key = 1}, true},
        {"of a small key, behind any run", {.key = 5}, true},
        {"of all keys, behind any run", {.any_key = true}, true},
        {"of a key, by language", {.key = 1, .language = "ruby"}, true},
        {"of a key, by a rare verdict", {.key = 1, .verdict = "out_of_memory"}, true},
        {"of a key, by verdict and language",
         {.key = 5, .verdict = "compile_error", .language = "c"},
         true},
        {"of a key, by two that never come together",
         {.key = 1, .verdict = "compile_error", .language = "python"},
         true},
        {"of all keys, by a rare verdict", {.any_key = true, .verdict = "out_of_memory"}, true},
        {"of a key, by metadata", {.key = 1, .metadata = &pairs[1], .metadata_count = 1}, true},
        {"of a key, by metadata that all have",
         {.key = 1, .metadata = &pairs[0], .metadata_count = 1},
         true},
        {"of a key, by metadata that none has",
         {.key = 1, .metadata = &pairs[2], .metadata_count = 1},
         true},
        {"of a key, by two pairs", {.key = 1, .metadata = pairs, .metadata_count = 2}, true},
        {"of a key, by metadata and verdict",
         {.key = 1, .metadata = &pairs[1], .metadata_count = 1, .verdict = "failed"},
         true},
        {"of a key, by metadata that all have and a rare verdict",
         {.key = 1, .metadata = &pairs[0], .metadata_count = 1, .verdict = "out_of_memory"},
         true},
        {"of all keys, by metadata that all have and two that never come together",
         {.any_key = true,
          .metadata = &pairs[0],
          .metadata_count = 1,
          .verdict = "compile_error",
          .language = "python"},
         true},
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        char what[120];
        (void)snprintf(what, sizeof what, "a page of 50 %s", lists[i].what);
        filter = lists[i].filter;
        filter.limit = 50;
        deep = lists[i].deep;
        measure(what, list, rounds);
    }
}

int main(int argc, char **argv)
{
    unsigned rounds = argc == 4 ? number_of(argv[3]) : 0;
    runs_stored = argc == 4 ? number_of(argv[2]) : 0;
    if (runs_stored == 0 || rounds == 0 || rounds > CALLS_MAX) {
        (void)fprintf(stderr, "usage: store FOLDER RUNS ROUNDS\n");
        return 64;
    }
    struct err err = {0};
    const struct store_config config = {.dir = argv[1], .owner = (uid_t)-1};
    for (int i = 0; i < 3; i++) { /* made, as it was filled, as it is usually found */
        double began = now_ms();
        if (store_open(&config, &store, &err) < 0)
            die("open", err.text);
        if (i == 2) {
            printf("| opening it | %.1f ms |\n", now_ms() - began);
            break;
        }
        store_free(store);
        if (i == 0)
            fill_store(argv[1], runs_stored);
    }
    loop = loop_new();
    if (store_start(store, loop, &err) < 0)
        die("start", err.text);
    printf("\n| call | median | 99 %% | rows |\n|---|---|---|---|\n");
    measure("a run by its id", look_up, rounds);
    measure_lists(rounds);
    measure("a run is added", add, rounds);
    added = 0;
    measure("a run is finished", finish, rounds);
    store_free(store);
    loop_free(loop);
    return 0;
}
