/* SPDX-License-Identifier: MIT */
/* One run that is stored: looked at, and forgotten. */
#include "base/util.h"
#include "store/store_private.h"

/* --- get --- */

struct run_get {
    struct job job;
    const char *id;
    size_t events_max;
    store_run_fn *done;
    struct stored_run run;
};

static int read_request(struct store *store, uint64_t number, struct run_get *get, struct err *err)
{
    auto_statement struct statement *statement = statement_use(&store->db, SQL_REQUEST_GET);
    bind_number(statement, number);
    int rc = statement_step(statement, err);
    if (rc > 0)
        get->run.run.request = column_bytes(statement, &get->job.results);
    return rc < 0 ? -1 : 0;
}

static int read_events(struct store *store, uint64_t number, struct run_get *get, struct err *err)
{
    auto_statement struct statement *statement = statement_use(&store->db, SQL_EVENTS_GET);
    bind_number(statement, number);
    bind_number(statement, get->events_max);
    int rc = statement_step(statement, err);
    if (rc <= 0)
        return rc;
    get->run.lacks_events = column_number(statement) > get->events_max;
    if (!get->run.lacks_events)
        get->run.end.events = column_bytes(statement, &get->job.results);
    return 0;
}

static int read_artifacts(struct store *store, uint64_t number, struct run_get *get,
                          struct err *err)
{
    struct store_file *files = NULL;
    auto_statement struct statement *statement = statement_use(&store->db, SQL_FILES_OF_RUN);
    bind_number(statement, number);
    if (files_read(statement, &get->job.results, &files, &get->run.end.artifact_count, err) < 0)
        return -1;
    get->run.end.artifacts = files;
    return 0;
}

static int work_get(struct store *store, struct job *job, struct err *err)
{
    struct run_get *get = CONTAINER_OF(job, struct run_get, job);
    uint64_t number = 0;
    auto_statement struct statement *row = statement_use(&store->db, SQL_RUN_GET);
    bind_text(row, get->id);
    int rc = statement_step(row, err);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "run not found");
    run_read(row, &job->results, &get->run, &number);
    if (read_request(store, number, get, err) < 0 ||
        run_read_metadata(store, number, &job->results, &get->run, err) < 0)
        return -1;
    if (get->events_max > 0 && read_events(store, number, get, err) < 0)
        return -1;
    return read_artifacts(store, number, get, err);
}

static void deliver_get(struct job *job, const struct err *err)
{
    struct run_get *get = CONTAINER_OF(job, struct run_get, job);
    get->done(job->context, err ? NULL : &get->run, err);
}

static const struct job_kind get_kind = {
    .size = sizeof(struct run_get),
    .is_large = true,
    .work = work_get,
    .deliver = deliver_get,
};

void store_run_get(struct store *store, const char *id, size_t events_max, store_run_fn *done,
                   void *context)
{
    struct run_get *get = job_new(store, &get_kind, context);
    get->id = arena_text(&get->job.arguments, id);
    get->events_max = events_max;
    get->done = done;
    job_send(&get->job);
}

/* --- remove --- */

struct run_remove {
    struct job job;
    const char *id;
};

int run_delete(struct store *store, struct job *job, uint64_t number, struct err *err)
{
    int rc = 0;
    {
        auto_statement struct statement *files = statement_use(&store->db, SQL_FILES_OF_RUN);
        bind_number(files, number);
        while ((rc = statement_step(files, err)) > 0)
            job_remove_content(job, column_text(files, &job->results));
    }
    if (rc < 0)
        return -1;
    auto_statement struct statement *remove = statement_use(&store->db, SQL_RUN_REMOVE);
    bind_number(remove, number);
    return statement_run(remove, err) < 0 ? -1 : 0;
}

static int work_remove(struct store *store, struct job *job, struct err *err)
{
    const struct run_remove *remove = CONTAINER_OF(job, struct run_remove, job);
    struct run_place run = {0};
    if (run_find(store, remove->id, &run, err) < 0)
        return -1;
    return run_delete(store, job, run.number, err);
}

static const struct job_kind remove_kind = {
    .size = sizeof(struct run_remove),
    .writes = true,
    .work = work_remove,
};

void store_run_remove(struct store *store, const char *id, store_done_fn *done, void *context)
{
    struct run_remove *remove = job_new(store, &remove_kind, context);
    remove->job.done = done;
    remove->id = arena_text(&remove->job.arguments, id);
    job_send(&remove->job);
}
