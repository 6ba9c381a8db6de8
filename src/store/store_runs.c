/* SPDX-License-Identifier: MIT */
#include "base/util.h"
#include "store/store_private.h"

/* What a row and its places in indexes take beside texts, about. */
enum { RUN_BYTES = 1024, MS_PER_DAY = 86400000 };

static int insert_text(struct store *store, enum sql sql, uint64_t run, struct slice text,
                       struct err *err)
{
    auto_statement struct statement *insert = statement_use(&store->db, sql);
    bind_number(insert, run);
    bind_bytes(insert, text);
    return statement_run(insert, err);
}

static int add_word(struct store *store, const char *word, struct err *err)
{
    auto_statement struct statement *add = statement_use(&store->db, SQL_WORD_ADD);
    bind_text(add, word);
    return statement_run(add, err);
}

int run_find(struct store *store, const char *id, struct run_place *ret_place, struct err *err)
{
    auto_statement struct statement *find = statement_use(&store->db, SQL_RUN_FIND);
    bind_text(find, id);
    int rc = statement_step(find, err);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "run not found");
    ret_place->number = column_number(find);
    ret_place->key = column_number(find);
    ret_place->is_finished = column_number(find) != 0;
    ret_place->created_ms = column_number(find);
    return 0;
}

/* --- add --- */

struct run_add {
    struct job job;
    struct store_run run;
    store_added_fn *done;
    const char *existing;
    bool same_request;
};

/* 1: there is one. */
static int find_same(struct store *store, struct run_add *add, struct err *err)
{
    unsigned char digest[STORE_DIGEST_SIZE];
    add->existing = NULL;
    add->same_request = false;
    if (!add->run.idempotency_key)
        return 0;
    auto_statement struct statement *same = statement_use(&store->db, SQL_RUN_SAME);
    bind_number(same, add->run.key);
    bind_text(same, add->run.idempotency_key);
    int rc = statement_step(same, err);
    if (rc <= 0)
        return rc;
    add->existing = column_text(same, &add->job.results);
    column_digest(same, digest);
    add->same_request = memcmp(digest, add->run.request_digest, sizeof digest) == 0;
    return 1;
}

static uint64_t bytes_of(const struct store_run *run)
{
    uint64_t bytes = RUN_BYTES + run->accepted.len + run->request.len;
    for (size_t i = 0; i < run->metadata_count; i++)
        bytes += strlen(run->metadata[i].name) + strlen(run->metadata[i].value);
    return bytes;
}

static int insert_run(struct store *store, const struct store_run *run, uint64_t *ret_number,
                      struct err *err)
{
    auto_statement struct statement *insert = statement_use(&store->db, SQL_RUN_ADD);
    bind_text(insert, run->id);
    bind_number(insert, run->key);
    bind_text(insert, run->language);
    bind_number(insert, run->created_ms);
    bind_number(insert, bytes_of(run));
    bind_text(insert, run->idempotency_key);
    if (run->idempotency_key)
        bind_digest(insert, run->request_digest);
    else
        bind_nothing(insert);
    if (statement_run(insert, err) < 0)
        return -1;
    *ret_number = database_last_row(&store->db);
    return 0;
}

static int insert_metadata(struct store *store, const struct store_run *run, uint64_t number,
                           struct err *err)
{
    for (size_t i = 0; i < run->metadata_count; i++) {
        auto_statement struct statement *insert = statement_use(&store->db, SQL_METADATA_ADD);
        bind_number(insert, number);
        bind_number(insert, i);
        bind_number(insert, metadata_pair(&run->metadata[i]));
        bind_number(insert, run->key);
        bind_number(insert, run->created_ms);
        bind_text(insert, run->metadata[i].name);
        bind_text(insert, run->metadata[i].value);
        if (statement_run(insert, err) < 0)
            return -1;
    }
    return 0;
}

static int insert_webhook(struct store *store, const struct store_run *run, uint64_t number,
                          struct err *err)
{
    if (!run->webhook_url)
        return 0;
    auto_statement struct statement *insert = statement_use(&store->db, SQL_WEBHOOK_ADD);
    bind_number(insert, number);
    bind_text(insert, run->webhook_url);
    bind_text(insert, run->webhook_base);
    bind_number(insert, run->key);
    return statement_run(insert, err);
}

static int work_add(struct store *store, struct job *job, struct err *err)
{
    struct run_add *add = CONTAINER_OF(job, struct run_add, job);
    const struct store_run *run = &add->run;
    uint64_t number = 0;
    int rc = find_same(store, add, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (run->metadata_count > STORE_METADATA_MAX)
        return err_set(err, ERR_INVALID, "more than %d pairs of metadata", STORE_METADATA_MAX);
    if (store_check_room(store, err) < 0 || add_word(store, run->language, err) < 0 ||
        insert_run(store, run, &number, err) < 0 ||
        insert_text(store, SQL_ANSWER_ADD, number, run->accepted, err) < 0)
        return -1;
    if (run->request.len > 0 && insert_text(store, SQL_REQUEST_ADD, number, run->request, err) < 0)
        return -1;
    if (insert_metadata(store, run, number, err) < 0)
        return -1;
    return insert_webhook(store, run, number, err) < 0 ? -1 : 0;
}

static void deliver_add(struct job *job, const struct err *err)
{
    struct run_add *add = CONTAINER_OF(job, struct run_add, job);
    add->done(job->context, err ? NULL : add->existing, !err && add->same_request, err);
}

static const struct job_kind add_kind = {
    .size = sizeof(struct run_add),
    .writes = true,
    .work = work_add,
    .deliver = deliver_add,
};

void store_run_add(struct store *store, const struct store_run *run, store_added_fn *done,
                   void *context)
{
    struct run_add *add = job_new(store, &add_kind, context);
    struct arena *arena = &add->job.arguments;
    add->done = done;
    add->run = *run;
    add->run.id = arena_text(arena, run->id);
    add->run.language = arena_text(arena, run->language);
    add->run.accepted = arena_slice(arena, run->accepted);
    add->run.request = arena_slice(arena, run->request);
    add->run.metadata = pairs_copy(arena, run->metadata, run->metadata_count);
    add->run.idempotency_key = arena_text(arena, run->idempotency_key);
    add->run.webhook_url = arena_text(arena, run->webhook_url);
    add->run.webhook_base = arena_text(arena, run->webhook_base);
    job_send(&add->job);
}

static int work_find_same(struct store *store, struct job *job, struct err *err)
{
    return find_same(store, CONTAINER_OF(job, struct run_add, job), err) < 0 ? -1 : 0;
}

static const struct job_kind same_kind = {
    .size = sizeof(struct run_add),
    .work = work_find_same,
    .deliver = deliver_add,
};

void store_run_find_same(struct store *store, const struct store_run *run, store_added_fn *done,
                         void *context)
{
    struct run_add *find = job_new(store, &same_kind, context);
    find->done = done;
    find->run = (struct store_run){.key = run->key};
    find->run.idempotency_key = arena_text(&find->job.arguments, run->idempotency_key);
    memcpy(find->run.request_digest, run->request_digest, sizeof find->run.request_digest);
    job_send(&find->job);
}

/* --- finish --- */

struct run_finish {
    struct job job;
    const char *id;
    struct store_end end;
};

static int update_run(struct store *store, const struct store_end *end, uint64_t number,
                      struct err *err)
{
    auto_statement struct statement *update = statement_use(&store->db, SQL_RUN_FINISH);
    bind_number(update, number);
    bind_text(update, end->verdict);
    bind_number(update, end->finished_ms);
    bind_number(update, end->queued_ms);
    bind_number(update, end->wall_ms);
    bind_number(update, end->cpu_ms);
    bind_number(update, end->result.len + end->events.len);
    return statement_run(update, err);
}

static int count_usage(struct store *store, const struct store_end *end, uint64_t key,
                       struct err *err)
{
    auto_statement struct statement *add = statement_use(&store->db, SQL_USAGE_ADD);
    bind_number(add, key);
    bind_number(add, end->finished_ms / MS_PER_DAY);
    bind_number(add, end->run_ms);
    bind_number(add, end->cpu_ms);
    return statement_run(add, err);
}

static int start_webhook(struct store *store, uint64_t number, struct err *err)
{
    auto_statement struct statement *start = statement_use(&store->db, SQL_WEBHOOK_START);
    bind_number(start, number);
    bind_number(start, store_steady_ms(store));
    return statement_run(start, err);
}

static int work_finish(struct store *store, struct job *job, struct err *err)
{
    struct run_finish *finish = CONTAINER_OF(job, struct run_finish, job);
    const struct store_end *end = &finish->end;
    struct run_place run = {0};
    if (run_find(store, finish->id, &run, err) < 0)
        return -1;
    if (run.is_finished)
        return err_set(err, ERR_CONFLICT, "run %s has finished already", finish->id);
    if (add_word(store, end->verdict, err) < 0 || update_run(store, end, run.number, err) < 0 ||
        insert_text(store, SQL_ANSWER_FINISH, run.number, end->result, err) < 0)
        return -1;
    if (end->events.len > 0 && insert_text(store, SQL_EVENTS_ADD, run.number, end->events, err) < 0)
        return -1;
    for (size_t i = 0; i < end->artifact_count; i++) {
        if (file_insert(store, &end->artifacts[i], &run.number, err) < 0)
            return -1;
    }
    if (count_usage(store, end, run.key, err) < 0)
        return -1;
    return start_webhook(store, run.number, err) < 0 ? -1 : 0;
}

static const struct job_kind finish_kind = {
    .size = sizeof(struct run_finish),
    .writes = true,
    .work = work_finish,
};

void store_run_finish(struct store *store, const char *id, const struct store_end *end,
                      store_done_fn *done, void *context)
{
    struct run_finish *finish = job_new(store, &finish_kind, context);
    struct arena *arena = &finish->job.arguments;
    struct store_file *artifacts = arena_get(arena, (end->artifact_count + 1) * sizeof *artifacts);
    for (size_t i = 0; artifacts && i < end->artifact_count; i++)
        file_copy(arena, &end->artifacts[i], &artifacts[i]);
    finish->job.done = done;
    finish->id = arena_text(arena, id);
    finish->end = *end;
    finish->end.verdict = arena_text(arena, end->verdict);
    finish->end.result = arena_slice(arena, end->result);
    finish->end.events = arena_slice(arena, end->events);
    finish->end.artifacts = artifacts;
    job_send(&finish->job);
}

/* --- interrupt --- */

/* Nothing is known of them but that they have ended. */
static const char interrupted[] = "internal_error";

struct run_interrupt {
    struct job job;
    const char *id;
};

static int work_interrupt(struct store *store, struct job *job, struct err *err)
{
    const struct run_interrupt *interrupt = CONTAINER_OF(job, struct run_interrupt, job);
    struct run_place run = {0};
    if (run_find(store, interrupt->id, &run, err) < 0)
        return -1;
    if (run.is_finished)
        return err_set(err, ERR_CONFLICT, "run %s has finished already", interrupt->id);
    if (add_word(store, interrupted, err) < 0 || start_webhook(store, run.number, err) < 0)
        return -1;
    auto_statement struct statement *update = statement_use(&store->db, SQL_RUN_INTERRUPT);
    bind_text(update, interrupted);
    bind_number(update, store_now_ms());
    bind_number(update, run.number);
    return statement_run(update, err) < 0 ? -1 : 0;
}

static const struct job_kind interrupt_kind = {
    .size = sizeof(struct run_interrupt),
    .writes = true,
    .work = work_interrupt,
};

void store_run_interrupt(struct store *store, const char *id, store_done_fn *done, void *context)
{
    struct run_interrupt *interrupt = job_new(store, &interrupt_kind, context);
    interrupt->job.done = done;
    interrupt->id = arena_text(&interrupt->job.arguments, id);
    job_send(&interrupt->job);
}

/* Their webhooks first: they are found by what the second statement changes. */
int run_interrupt_all(struct store *store, struct err *err)
{
    if (add_word(store, interrupted, err) < 0)
        return -1;
    auto_statement struct statement *webhooks = statement_use(&store->db, SQL_WEBHOOK_START_ALL);
    bind_number(webhooks, store_steady_ms(store));
    if (statement_run(webhooks, err) < 0)
        return -1;
    auto_statement struct statement *runs = statement_use(&store->db, SQL_RUN_INTERRUPT_ALL);
    bind_text(runs, interrupted);
    bind_number(runs, store_now_ms());
    return statement_run(runs, err);
}
