/* SPDX-License-Identifier: MIT */
/* Keys, and what was used with them. */
#include "base/util.h"
#include "store/store_private.h"

/* --- add --- */

struct key_add {
    struct job job;
    struct store_key key;
    uint64_t number;
};

static int work_add(struct store *store, struct job *job, struct err *err)
{
    struct key_add *add = CONTAINER_OF(job, struct key_add, job);
    const struct store_key *key = &add->key;
    struct err own = {0};
    auto_statement struct statement *insert = statement_use(&store->db, SQL_KEY_ADD);
    bind_text(insert, key->label);
    bind_digest(insert, key->token_digest);
    bind_number(insert, key->scopes);
    bind_number(insert, key->rate_milli);
    bind_number(insert, key->burst);
    bind_number(insert, key->concurrency);
    bind_number(insert, key->daily_run_ms);
    bind_number(insert, key->created_ms);
    bind_number(insert, key->expires_ms);
    if (statement_run(insert, &own) < 0) {
        *err = own;
        return own.code == ERR_CONFLICT ? err_set(err, ERR_CONFLICT, "this token is known already")
                                        : -1;
    }
    add->number = database_last_row(&store->db);
    store->keys_written++;
    return 0;
}

static const struct job_kind add_kind = {
    .size = sizeof(struct key_add),
    .writes = true,
    .work = work_add,
};

static struct key_add *add_new(struct store *store, const struct store_key *key, void *context)
{
    struct key_add *add = job_new(store, &add_kind, context);
    add->key = *key;
    add->key.label = arena_text(&add->job.arguments, key->label);
    return add;
}

void store_key_add(struct store *store, const struct store_key *key, store_done_fn *done,
                   void *context)
{
    struct key_add *add = add_new(store, key, context);
    add->job.done = done;
    job_send(&add->job);
}

int store_key_add_now(struct store *store, const struct store_key *key, uint64_t *ret_number,
                      struct err *err)
{
    struct key_add *add = add_new(store, key, NULL);
    int rc = job_run_now(&add->job, err);
    if (rc == 0 && ret_number)
        *ret_number = add->number;
    job_free(&add->job);
    return rc;
}

/* --- revoke --- */

struct key_revoke {
    struct job job;
    uint64_t number;
    uint64_t now_ms;
};

static int work_revoke(struct store *store, struct job *job, struct err *err)
{
    const struct key_revoke *revoke = CONTAINER_OF(job, struct key_revoke, job);
    auto_statement struct statement *update = statement_use(&store->db, SQL_KEY_REVOKE);
    bind_number(update, revoke->number);
    bind_number(update, revoke->now_ms);
    int changed = statement_run(update, err);
    if (changed == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no key %llu",
                       (unsigned long long)revoke->number);
    store->keys_written++;
    return changed < 0 ? -1 : 0;
}

static const struct job_kind revoke_kind = {
    .size = sizeof(struct key_revoke),
    .writes = true,
    .work = work_revoke,
};

static struct key_revoke *revoke_new(struct store *store, uint64_t number, uint64_t now_ms,
                                     void *context)
{
    struct key_revoke *revoke = job_new(store, &revoke_kind, context);
    revoke->number = number;
    revoke->now_ms = now_ms;
    return revoke;
}

void store_key_revoke(struct store *store, uint64_t number, uint64_t now_ms, store_done_fn *done,
                      void *context)
{
    struct key_revoke *revoke = revoke_new(store, number, now_ms, context);
    revoke->job.done = done;
    job_send(&revoke->job);
}

int store_key_revoke_now(struct store *store, uint64_t number, uint64_t now_ms, struct err *err)
{
    struct key_revoke *revoke = revoke_new(store, number, now_ms, NULL);
    int rc = job_run_now(&revoke->job, err);
    job_free(&revoke->job);
    return rc;
}

/* --- list --- */

struct key_list {
    struct job job;
    bool only_if_changed;
    store_keys_fn *done;
    struct store_key *keys; /* NULL: unchanged */
    size_t count;
    struct keys_state state; /* that they show */
};

static int ask_state(struct store *store, struct keys_state *ret_state, struct err *err)
{
    auto_statement struct statement *others = statement_use(&store->db, SQL_OTHERS_WROTE);
    int rc = statement_step(others, err);
    *ret_state = (struct keys_state){.is_known = true, .written = store->keys_written};
    if (rc > 0)
        ret_state->others_wrote = column_number(others);
    return rc < 0 ? -1 : 0;
}

static bool is_same(const struct keys_state *known, const struct keys_state *now)
{
    return known->is_known && known->written == now->written &&
           known->others_wrote == now->others_wrote;
}

static void read_key(struct statement *row, struct arena *arena, struct store_key *ret_key)
{
    *ret_key = (struct store_key){.number = column_number(row)};
    ret_key->label = column_text(row, arena);
    column_digest(row, ret_key->token_digest);
    ret_key->scopes = (unsigned)column_number(row);
    ret_key->rate_milli = column_number(row);
    ret_key->burst = column_number(row);
    ret_key->concurrency = column_number(row);
    ret_key->daily_run_ms = column_number(row);
    ret_key->created_ms = column_number(row);
    ret_key->expires_ms = column_number(row);
    ret_key->revoked_ms = column_number(row);
}

static int read_keys(struct store *store, struct key_list *list, struct err *err)
{
    struct arena *arena = &list->job.results;
    auto_statement struct statement *rows = statement_use(&store->db, SQL_KEY_LIST);
    struct store_key *keys = rows_grow(arena, NULL, 0, sizeof *keys);
    int rc = 0;
    list->count = 0;
    while (keys && (rc = statement_step(rows, err)) > 0) {
        keys = rows_grow(arena, keys, list->count, sizeof *keys);
        if (keys)
            read_key(rows, arena, &keys[list->count++]);
    }
    list->keys = keys;
    return rc < 0 ? -1 : 0;
}

static int work_list(struct store *store, struct job *job, struct err *err)
{
    struct key_list *list = CONTAINER_OF(job, struct key_list, job);
    list->keys = NULL;
    list->count = 0;
    if (ask_state(store, &list->state, err) < 0)
        return -1;
    if (list->only_if_changed && is_same(&store->keys_known, &list->state))
        return 0;
    return read_keys(store, list, err);
}

/* Not before: of a lost transaction nobody is told, and the next one shall not say "unchanged". */
static void committed_list(struct store *store, const struct job *job)
{
    store->keys_known = CONTAINER_OF(job, struct key_list, job)->state;
}

static void deliver_list(struct job *job, const struct err *err)
{
    struct key_list *list = CONTAINER_OF(job, struct key_list, job);
    list->done(job->context, err ? NULL : list->keys, err ? 0 : list->count, err);
}

static const struct job_kind list_kind = {
    .size = sizeof(struct key_list),
    .work = work_list,
    .committed = committed_list,
    .deliver = deliver_list,
};

void store_key_list(struct store *store, bool only_if_changed, store_keys_fn *done, void *context)
{
    struct key_list *list = job_new(store, &list_kind, context);
    list->only_if_changed = only_if_changed;
    list->done = done;
    job_send(&list->job);
}

int store_key_list_now(struct store *store, store_keys_fn *each, void *context, struct err *err)
{
    struct key_list *list = job_new(store, &list_kind, context);
    int rc = job_run_now(&list->job, err);
    if (rc == 0)
        each(context, list->keys, list->count, NULL);
    job_free(&list->job);
    return rc;
}

/* --- usage --- */

struct usage_list {
    struct job job;
    uint64_t from_day;
    store_usages_fn *done;
    struct store_usage *usages;
    size_t count;
};

static int work_usage(struct store *store, struct job *job, struct err *err)
{
    struct usage_list *list = CONTAINER_OF(job, struct usage_list, job);
    auto_statement struct statement *rows = statement_use(&store->db, SQL_USAGE_LIST);
    bind_number(rows, list->from_day);
    struct store_usage *usages = rows_grow(&job->results, NULL, 0, sizeof *usages);
    int rc = 0;
    list->count = 0;
    while (usages && (rc = statement_step(rows, err)) > 0) {
        usages = rows_grow(&job->results, usages, list->count, sizeof *usages);
        if (!usages)
            break;
        struct store_usage *usage = &usages[list->count++];
        usage->key = column_number(rows);
        usage->day = column_number(rows);
        usage->runs = column_number(rows);
        usage->run_ms = column_number(rows);
        usage->cpu_ms = column_number(rows);
    }
    list->usages = usages;
    return rc < 0 ? -1 : 0;
}

static void deliver_usage(struct job *job, const struct err *err)
{
    struct usage_list *list = CONTAINER_OF(job, struct usage_list, job);
    list->done(job->context, err ? NULL : list->usages, err ? 0 : list->count, err);
}

static const struct job_kind usage_kind = {
    .size = sizeof(struct usage_list),
    .work = work_usage,
    .deliver = deliver_usage,
};

void store_usage_list(struct store *store, uint64_t from_day, store_usages_fn *done, void *context)
{
    struct usage_list *list = job_new(store, &usage_kind, context);
    list->from_day = from_day;
    list->done = done;
    job_send(&list->job);
}
