/* SPDX-License-Identifier: MIT */
/* Rows of files. Their bytes are there before the row, and go after it. */
#include "base/util.h"
#include "store/store_private.h"

/* --- add --- */

struct file_add {
    struct job job;
    struct store_file file;
};

static int work_add(struct store *store, struct job *job, struct err *err)
{
    const struct store_file *file = &CONTAINER_OF(job, struct file_add, job)->file;
    struct run_place run = {0};
    if (store_check_room(store, err) < 0)
        return -1;
    if (file->run && run_find(store, file->run, &run, err) < 0)
        return -1;
    return file_insert(store, file, file->run ? &run.number : NULL, err);
}

static const struct job_kind add_kind = {
    .size = sizeof(struct file_add),
    .writes = true,
    .work = work_add,
};

void store_file_add(struct store *store, const struct store_file *file, store_done_fn *done,
                    void *context)
{
    struct file_add *add = job_new(store, &add_kind, context);
    add->job.done = done;
    file_copy(&add->job.arguments, file, &add->file);
    job_send(&add->job);
}

/* --- get --- */

struct file_get {
    struct job job;
    const char *id;
    store_file_fn *done;
    struct store_file file;
};

static int work_get(struct store *store, struct job *job, struct err *err)
{
    struct file_get *get = CONTAINER_OF(job, struct file_get, job);
    auto_statement struct statement *row = statement_use(&store->db, SQL_FILE_GET);
    bind_text(row, get->id);
    bind_number(row, store_now_ms());
    int rc = statement_step(row, err);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "file not found");
    file_read(row, &job->results, &get->file);
    return 0;
}

static void deliver_get(struct job *job, const struct err *err)
{
    struct file_get *get = CONTAINER_OF(job, struct file_get, job);
    get->done(job->context, err ? NULL : &get->file, err);
}

static const struct job_kind get_kind = {
    .size = sizeof(struct file_get),
    .work = work_get,
    .deliver = deliver_get,
};

void store_file_get(struct store *store, const char *id, store_file_fn *done, void *context)
{
    struct file_get *get = job_new(store, &get_kind, context);
    get->id = arena_text(&get->job.arguments, id);
    get->done = done;
    job_send(&get->job);
}

/* --- list --- */

struct file_list {
    struct job job;
    uint64_t key;
    const char *before;
    size_t limit;
    store_files_fn *done;
    struct store_file *files;
    size_t count;
};

/* Where the page begins: behind this time and number. */
static int find_place(struct store *store, const struct file_list *list, uint64_t *ret_created_ms,
                      uint64_t *ret_number, struct err *err)
{
    *ret_created_ms = *ret_number = INT64_MAX;
    if (!list->before)
        return 0;
    auto_statement struct statement *place = statement_use(&store->db, SQL_FILE_PLACE);
    bind_text(place, list->before);
    bind_number(place, list->key);
    int rc = statement_step(place, err);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "file not found");
    *ret_created_ms = column_number(place);
    *ret_number = column_number(place);
    return 0;
}

static int work_list(struct store *store, struct job *job, struct err *err)
{
    struct file_list *list = CONTAINER_OF(job, struct file_list, job);
    uint64_t created_ms = 0;
    uint64_t number = 0;
    if (find_place(store, list, &created_ms, &number, err) < 0)
        return -1;
    auto_statement struct statement *rows = statement_use(&store->db, SQL_FILE_LIST);
    bind_number(rows, list->key);
    bind_number(rows, created_ms);
    bind_number(rows, number);
    bind_number(rows, store_now_ms());
    bind_number(rows, MIN(list->limit, STORE_PAGE_MAX));
    return files_read(rows, &job->results, &list->files, &list->count, err);
}

static void deliver_list(struct job *job, const struct err *err)
{
    struct file_list *list = CONTAINER_OF(job, struct file_list, job);
    list->done(job->context, err ? NULL : list->files, err ? 0 : list->count, err);
}

static const struct job_kind list_kind = {
    .size = sizeof(struct file_list),
    .work = work_list,
    .deliver = deliver_list,
};

void store_file_list(struct store *store, uint64_t key, const char *before, size_t limit,
                     store_files_fn *done, void *context)
{
    struct file_list *list = job_new(store, &list_kind, context);
    list->key = key;
    list->before = arena_text(&list->job.arguments, before);
    list->limit = limit;
    list->done = done;
    job_send(&list->job);
}

/* --- remove --- */

struct file_remove {
    struct job job;
    const char *id;
};

static int work_remove(struct store *store, struct job *job, struct err *err)
{
    const char *id = CONTAINER_OF(job, struct file_remove, job)->id;
    auto_statement struct statement *remove = statement_use(&store->db, SQL_FILE_REMOVE);
    bind_text(remove, id);
    int changed = statement_run(remove, err);
    if (changed <= 0)
        return changed < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "file not found");
    job_remove_content(job, id);
    return 0;
}

static const struct job_kind remove_kind = {
    .size = sizeof(struct file_remove),
    .writes = true,
    .work = work_remove,
};

void store_file_remove(struct store *store, const char *id, store_done_fn *done, void *context)
{
    struct file_remove *remove = job_new(store, &remove_kind, context);
    remove->job.done = done;
    remove->id = arena_text(&remove->job.arguments, id);
    job_send(&remove->job);
}
