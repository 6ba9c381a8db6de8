/* SPDX-License-Identifier: MIT */
#include "fake_runs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "store/store.h"

enum { ROWS_MAX = 16, ASKED_MAX = 256 };
enum { TAKEN = ERR_INTERNAL }; /* of failures, of which this store has not that one */

struct row {
    struct stored_run stored;
    char id[STORE_ID_SIZE];
    char *idempotency_key;
    unsigned char digest[STORE_DIGEST_SIZE];
};

enum kind { OF_ADDED, OF_RUN, OF_RUNS, OF_FILE, OF_DONE };

struct question {
    enum kind kind;
    union {
        store_added_fn *added;
        store_run_fn *run;
        store_runs_fn *runs;
        store_file_fn *file;
        store_done_fn *done;
    };
    void *context;
    char id[STORE_ID_SIZE];
    bool is_known; /* the run was there before */
    bool is_same;
    enum err_code failure; /* TAKEN: none */
    uint64_t key;
    bool any_key;
};

static struct {
    struct row rows[ROWS_MAX];
    size_t count;
    struct question asked[ASKED_MAX];
    size_t asked_count;
    bool is_full;
} disk;

/* ---- rows ---- */

static char *copy(struct slice bytes)
{
    char *text = malloc(bytes.len + 1);
    assert(text);
    if (bytes.len > 0)
        memcpy(text, bytes.at, bytes.len);
    text[bytes.len] = '\0';
    return text;
}

static struct slice copy_slice(struct slice bytes)
{
    return (struct slice){copy(bytes), bytes.len};
}

static struct row *find(const char *id)
{
    for (size_t i = 0; i < disk.count; i++) {
        if (strcmp(disk.rows[i].id, id) == 0)
            return &disk.rows[i];
    }
    return NULL;
}

static const struct row *find_same(const struct store_run *run)
{
    for (size_t i = 0; run->idempotency_key && i < disk.count; i++) {
        const struct row *row = &disk.rows[i];
        if (row->idempotency_key && row->stored.run.key == run->key &&
            strcmp(row->idempotency_key, run->idempotency_key) == 0)
            return row;
    }
    return NULL;
}

static void row_fini(struct row *row)
{
    free((char *)row->stored.run.language);
    free((char *)row->stored.run.accepted.at);
    free((char *)row->stored.end.verdict);
    free((char *)row->stored.end.result.at);
    free((char *)row->stored.end.events.at);
    free(row->idempotency_key);
}

void fake_runs_clear(void)
{
    assert(disk.asked_count == 0);
    while (disk.count > 0)
        row_fini(&disk.rows[--disk.count]);
    disk.is_full = false;
}

void fake_runs_fill_disk(bool is_full)
{
    disk.is_full = is_full;
}

/* ---- questions ---- */

static struct question *ask(enum kind kind, const char *id, void *context)
{
    assert(disk.asked_count < ASKED_MAX);
    struct question *question = &disk.asked[disk.asked_count++];
    *question = (struct question){.kind = kind, .context = context};
    (void)snprintf(question->id, sizeof question->id, "%s", id ? id : "");
    return question;
}

static void ask_done(const char *id, store_done_fn *done, void *context, enum err_code failure)
{
    if (!done)
        return;
    struct question *question = ask(OF_DONE, id, context);
    question->done = done;
    question->failure = failure;
}

static void say_same(struct question *question, const struct row *same, const struct store_run *run)
{
    question->is_known = true;
    question->is_same = memcmp(same->digest, run->request_digest, sizeof same->digest) == 0;
    memcpy(question->id, same->id, sizeof question->id);
}

void store_run_add(struct store *store, const struct store_run *run, store_added_fn *done,
                   void *context)
{
    const struct row *same = find_same(run);
    struct question *question = ask(OF_ADDED, run->id, context);
    (void)store;
    question->added = done;
    assert(!find(run->id) && run->metadata_count <= STORE_METADATA_MAX);
    if (same) {
        say_same(question, same, run);
    } else if (disk.is_full || disk.count == ROWS_MAX) {
        question->failure = ERR_STORAGE_FULL;
    } else {
        struct row *row = &disk.rows[disk.count++];
        *row = (struct row){
            .stored.run = {.id = row->id,
                           .key = run->key,
                           .language = copy(slice_of(run->language)),
                           .created_ms = run->created_ms,
                           .accepted = copy_slice(run->accepted)},
            .idempotency_key = run->idempotency_key ? copy(slice_of(run->idempotency_key)) : NULL,
        };
        memcpy(row->id, question->id, sizeof row->id);
        memcpy(row->digest, run->request_digest, sizeof row->digest);
    }
}

void store_run_find_same(struct store *store, const struct store_run *run, store_added_fn *done,
                         void *context)
{
    const struct row *same = find_same(run);
    struct question *question = ask(OF_ADDED, NULL, context);
    (void)store;
    question->added = done;
    if (same)
        say_same(question, same, run);
}

void store_run_finish(struct store *store, const char *id, const struct store_end *end,
                      store_done_fn *done, void *context)
{
    struct row *row = find(id);
    (void)store;
    assert(!row || !row->stored.is_finished);
    if (row && !disk.is_full) {
        row->stored.is_finished = true;
        row->stored.end = *end;
        row->stored.end.verdict = copy(slice_of(end->verdict));
        row->stored.end.result = copy_slice(end->result);
        row->stored.end.events = copy_slice(end->events);
        row->stored.end.artifacts = NULL;
        row->stored.end.artifact_count = 0;
    }
    ask_done(id, done, context,
             disk.is_full ? ERR_STORAGE_FULL
             : row        ? (enum err_code)TAKEN
                          : ERR_NOT_FOUND);
}

void store_run_remove(struct store *store, const char *id, store_done_fn *done, void *context)
{
    struct row *row = find(id);
    (void)store;
    ask_done(id, done, context, row ? (enum err_code)TAKEN : ERR_NOT_FOUND);
    if (!row)
        return;
    row_fini(row);
    *row = disk.rows[--disk.count];
    row->stored.run.id = row->id;
}

void store_run_get(struct store *store, const char *id, size_t events_max, store_run_fn *done,
                   void *context)
{
    (void)store, (void)events_max;
    ask(OF_RUN, id, context)->run = done;
}

void store_run_list(struct store *store, const struct store_filter *filter, store_runs_fn *done,
                    void *context)
{
    struct question *question = ask(OF_RUNS, NULL, context);
    (void)store;
    question->runs = done;
    question->key = filter->key;
    question->any_key = filter->any_key;
}

void store_file_get(struct store *store, const char *id, store_file_fn *done, void *context)
{
    (void)store;
    ask(OF_FILE, id, context)->file = done;
}

int store_files_folder(const struct store *store)
{
    (void)store;
    return -1;
}

/* There are no webhooks. */
void store_webhook_due(struct store *store, uint64_t now_ms, uint64_t after_key,
                       store_webhooks_fn *done, void *context)
{
    (void)store, (void)now_ms, (void)after_key, (void)done, (void)context;
    abort();
}

void store_webhook_tried(struct store *store, const char *run, uint64_t first_ms, uint64_t next_ms,
                         store_done_fn *done, void *context)
{
    (void)store, (void)run, (void)first_ms, (void)next_ms, (void)done, (void)context;
    abort();
}

uint64_t store_steady_ms(const struct store *store)
{
    (void)store;
    abort();
}

void store_webhook_resume(struct store *store, unsigned attempts, uint64_t pause_ms,
                          uint64_t past_ms)
{
    (void)store, (void)attempts, (void)pause_ms, (void)past_ms;
    abort();
}

/* ---- answers ---- */

static void answer_list(const struct question *question)
{
    struct stored_run page[ROWS_MAX];
    size_t count = 0;
    for (size_t i = disk.count; i > 0; i--) {
        if (question->any_key || disk.rows[i - 1].stored.run.key == question->key)
            page[count++] = disk.rows[i - 1].stored;
    }
    question->runs(question->context, page, count, false, NULL);
}

static void answer(const struct question *question)
{
    struct err err;
    const struct row *row = find(question->id);
    (void)err_set(&err, question->failure, "the store takes nothing");
    if (question->kind == OF_RUN || question->kind == OF_FILE)
        (void)err_set(&err, ERR_NOT_FOUND, "there is no such row");
    if (question->kind == OF_ADDED)
        question->added(question->context, question->is_known ? question->id : NULL,
                        question->is_same, question->failure ? &err : NULL);
    else if (question->kind == OF_RUN)
        question->run(question->context, row ? &row->stored : NULL, row ? NULL : &err);
    else if (question->kind == OF_RUNS)
        answer_list(question);
    else if (question->kind == OF_FILE)
        question->file(question->context, NULL, &err);
    else
        question->done(question->context, question->failure ? &err : NULL);
}

bool fake_runs_answer(void)
{
    size_t count = 0;
    for (; count < disk.asked_count; count++) { /* an answer may lead to a question */
        const struct question question = disk.asked[count];
        answer(&question);
    }
    disk.asked_count = 0;
    return count > 0;
}
