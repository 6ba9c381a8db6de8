/* SPDX-License-Identifier: MIT */
/* A webhook is a row from the run's acceptance on, and due from its end, until it
 * was delivered or given up. */
#include "base/util.h"
#include "store/store_private.h"

enum { DUE_MAX = 32 };

/* --- due --- */

struct webhook_due {
    struct job job;
    uint64_t now_ms;
    uint64_t after_key;
    store_webhooks_fn *done;
    struct store_webhook webhooks[DUE_MAX];
    size_t count;
    uint64_t next_ms;
};

static int read_due(struct store *store, struct webhook_due *due, struct err *err)
{
    struct arena *arena = &due->job.results;
    auto_statement struct statement *rows = statement_use(&store->db, SQL_WEBHOOK_DUE);
    bind_number(rows, due->now_ms);
    bind_number(rows, due->after_key);
    bind_number(rows, STORE_WEBHOOKS_OF_KEY);
    bind_number(rows, DUE_MAX);
    int rc = 0;
    due->count = 0;
    while (due->count < DUE_MAX && (rc = statement_step(rows, err)) > 0) {
        struct store_webhook *webhook = &due->webhooks[due->count++];
        webhook->key = column_number(rows);
        webhook->run = column_text(rows, arena);
        webhook->url = column_text(rows, arena);
        webhook->base = column_text(rows, arena);
        webhook->attempts = (unsigned)column_number(rows);
        webhook->first_ms = column_number(rows);
    }
    return rc < 0 ? -1 : 0;
}

static int work_due(struct store *store, struct job *job, struct err *err)
{
    struct webhook_due *due = CONTAINER_OF(job, struct webhook_due, job);
    if (read_due(store, due, err) < 0)
        return -1;
    auto_statement struct statement *next = statement_use(&store->db, SQL_WEBHOOK_NEXT);
    bind_number(next, due->now_ms);
    int rc = statement_step(next, err);
    due->next_ms = rc > 0 ? column_number(next) : 0;
    return rc < 0 ? -1 : 0;
}

static void deliver_due(struct job *job, const struct err *err)
{
    struct webhook_due *due = CONTAINER_OF(job, struct webhook_due, job);
    if (err)
        due->done(job->context, NULL, 0, 0, err);
    else
        due->done(job->context, due->webhooks, due->count, due->next_ms, NULL);
}

static const struct job_kind due_kind = {
    .size = sizeof(struct webhook_due),
    .work = work_due,
    .deliver = deliver_due,
};

void store_webhook_due(struct store *store, uint64_t now_ms, uint64_t after_key,
                       store_webhooks_fn *done, void *context)
{
    struct webhook_due *due = job_new(store, &due_kind, context);
    due->now_ms = now_ms;
    due->after_key = after_key;
    due->done = done;
    job_send(&due->job);
}

/* --- resume --- */

struct webhook_resume {
    struct job job;
    unsigned attempts;
    uint64_t pause_ms;
    uint64_t past_ms;
};

static int work_resume(struct store *store, struct job *job, struct err *err)
{
    const struct webhook_resume *resume = CONTAINER_OF(job, struct webhook_resume, job);
    auto_statement struct statement *update = statement_use(&store->db, SQL_WEBHOOK_RESUME);
    bind_number(update, resume->attempts);
    bind_number(update, store_steady_ms(store));
    bind_number(update, resume->pause_ms);
    bind_number(update, resume->past_ms);
    return statement_run(update, err) < 0 ? -1 : 0;
}

static const struct job_kind resume_kind = {
    .size = sizeof(struct webhook_resume),
    .writes = true,
    .work = work_resume,
};

void store_webhook_resume(struct store *store, unsigned attempts, uint64_t pause_ms,
                          uint64_t past_ms)
{
    struct webhook_resume *resume = job_new(store, &resume_kind, NULL);
    resume->attempts = attempts;
    resume->pause_ms = pause_ms;
    resume->past_ms = past_ms;
    job_send(&resume->job);
}

/* --- tried --- */

struct webhook_tried {
    struct job job;
    const char *run;
    uint64_t first_ms;
    uint64_t next_ms;
};

static int work_tried(struct store *store, struct job *job, struct err *err)
{
    const struct webhook_tried *tried = CONTAINER_OF(job, struct webhook_tried, job);
    bool again = tried->next_ms != 0;
    auto_statement struct statement *update =
        statement_use(&store->db, again ? SQL_WEBHOOK_AGAIN : SQL_WEBHOOK_REMOVE);
    bind_text(update, tried->run);
    if (again) {
        bind_number(update, tried->first_ms);
        bind_number(update, tried->next_ms);
    }
    int changed = statement_run(update, err);
    if (changed == 0)
        return err_set(err, ERR_NOT_FOUND, "run %s has no webhook", tried->run);
    return changed < 0 ? -1 : 0;
}

static const struct job_kind tried_kind = {
    .size = sizeof(struct webhook_tried),
    .writes = true,
    .work = work_tried,
};

void store_webhook_tried(struct store *store, const char *run, uint64_t first_ms, uint64_t next_ms,
                         store_done_fn *done, void *context)
{
    struct webhook_tried *tried = job_new(store, &tried_kind, context);
    tried->job.done = done;
    tried->run = arena_text(&tried->job.arguments, run);
    tried->first_ms = first_ms;
    tried->next_ms = next_ms;
    job_send(&tried->job);
}
