/* SPDX-License-Identifier: MIT */
/* Theory. All jobs that have come up meanwhile are one transaction: the log is
 * written once for all of them, so the more there is to do, the cheaper a job
 * gets. Inside, each writing job has a savepoint, and one that fails takes
 * nothing with it. But some failures, a full disk above all, make SQLite give up
 * the whole transaction, or come when it is committed. Then nothing of it has
 * happened, and each job is tried again in a transaction of its own: so one that
 * is too large for the disk fails alone. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/reserve.h"
#include "base/util.h"
#include "store/content.h"
#include "store/store_private.h"

static void *new_or_die(size_t size)
{
    void *object = reserve_take(size);
    if (object)
        return object;
    (void)fprintf(stderr, "store: out of memory\n");
    abort();
}

void *job_new(struct store *store, const struct job_kind *kind, void *context)
{
    struct job *job = new_or_die(kind->size);
    list_init(&job->link);
    job->store = store;
    job->kind = kind;
    job->context = context;
    return job;
}

void job_free(struct job *job)
{
    arena_fini(&job->arguments);
    arena_fini(&job->results);
    reserve_give(job);
}

/* On a full disk the log is brought in at once: it is written over from its start then, and
 * what frees space needs none. */
static int fail(struct job *job, const struct err *err)
{
    if (err->code == ERR_STORAGE_FULL)
        database_tidy_soon(&job->store->db);
    job->failed = true;
    job->err = *err;
    job->removals = NULL;
    return -1;
}

void job_remove_content(struct job *job, const char *id)
{
    struct removal *removal = arena_get(&job->results, sizeof *removal);
    char *copy = arena_text(&job->results, id);
    if (!removal || !copy)
        return; /* the arena has failed, and so will the job */
    *removal = (struct removal){job->removals, copy};
    job->removals = removal;
}

static int work(struct store *store, struct job *job, struct err *err)
{
    arena_fini(&job->results);
    job->removals = NULL;
    job->failed = false;
    if (job->arguments.failed)
        return err_sys(err, ENOMEM, "the store");
    if (job->kind->work(store, job, err) < 0)
        return -1;
    return job->results.failed ? err_sys(err, ENOMEM, "the store") : 0;
}

static int run_statement(struct store *store, enum sql sql, struct err *err)
{
    auto_statement struct statement *statement = statement_use(&store->db, sql);
    return statement_run(statement, err) < 0 ? -1 : 0;
}

/* Like work, but what a failed job has written is undone. */
static int work_in_savepoint(struct store *store, struct job *job, struct err *err)
{
    if (run_statement(store, SQL_SAVEPOINT, err) < 0)
        return -1;
    if (work(store, job, err) == 0)
        return run_statement(store, SQL_SAVEPOINT_KEEP, err);
    if (database_in_transaction(&store->db) &&
        (run_statement(store, SQL_SAVEPOINT_UNDO, NULL) < 0 ||
         run_statement(store, SQL_SAVEPOINT_KEEP, NULL) < 0))
        database_rollback(&store->db);
    return -1;
}

/* -1: the transaction is lost. A job that failed by itself keeps its error. */
static int work_all(struct store *store, struct list *jobs, struct err *err)
{
    list_for_each (link, jobs) {
        struct job *job = CONTAINER_OF(link, struct job, link);
        struct err own = {0};
        int rc = job->kind->writes ? work_in_savepoint(store, job, &own) : work(store, job, &own);
        if (rc < 0)
            (void)fail(job, &own);
        if (!database_in_transaction(&store->db)) {
            *err = own;
            return -1;
        }
    }
    return 0;
}

static bool any_writes(const struct list *jobs)
{
    list_for_each (link, jobs) {
        if (CONTAINER_OF(link, struct job, link)->kind->writes)
            return true;
    }
    return false;
}

static void fail_all(struct list *jobs, const struct err *err)
{
    list_for_each (link, jobs)
        (void)fail(CONTAINER_OF(link, struct job, link), err);
}

static void run_each(struct store *store, struct list *jobs)
{
    struct list done;
    list_init(&done);
    while (!list_empty(jobs)) {
        struct list *link = jobs->next;
        struct list one;
        list_init(&one);
        list_remove(link);
        list_append(&one, link);
        jobs_run(store, &one);
        list_remove(link);
        list_append(&done, link);
    }
    while (!list_empty(&done)) {
        struct list *link = done.next;
        list_remove(link);
        list_append(jobs, link);
    }
}

/* Only now: a content may go when its row is gone for good. What a kill -9 leaves here is
 * found by content_sweep. */
static void remove_contents(const struct store *store, const struct list *jobs)
{
    list_for_each (link, jobs) {
        const struct job *job = CONTAINER_OF(link, struct job, link);
        for (const struct removal *removal = job->removals; removal; removal = removal->next)
            (void)content_remove(store->folder.files, removal->id);
    }
}

static void tell_committed(struct store *store, const struct list *jobs)
{
    list_for_each (link, jobs) {
        const struct job *job = CONTAINER_OF(link, struct job, link);
        if (!job->failed && job->kind->committed)
            job->kind->committed(store, job);
    }
}

void jobs_run(struct store *store, struct list *jobs)
{
    struct err err = {0};
    bool writes = any_writes(jobs);
    if (database_begin(&store->db, writes, &err) < 0) {
        fail_all(jobs, &err);
        return;
    }
    int rc = writes ? store_look(store, &err) : 0;
    if (rc == 0)
        rc = work_all(store, jobs, &err);
    if (rc == 0 && writes)
        rc = store_look(store, &err);
    if (rc == 0)
        rc = database_commit(&store->db, &err);
    if (rc == 0) {
        if (writes)
            store_publish(store);
        tell_committed(store, jobs);
        remove_contents(store, jobs);
        return;
    }
    database_rollback(&store->db);
    if (jobs->next->next == jobs)
        fail_all(jobs, &err);
    else
        run_each(store, jobs);
}

int job_run_now(struct job *job, struct err *err)
{
    struct list one;
    list_init(&one);
    list_append(&one, &job->link);
    jobs_run(job->store, &one);
    list_remove(&job->link);
    if (!job->failed)
        return 0;
    if (err)
        *err = job->err;
    return -1;
}
