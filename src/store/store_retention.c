/* SPDX-License-Identifier: MIT */
/* What is too old or too much goes, a little at a time: a step is a job like any
 * other, of the owner itself, between the turns of the others.
 *
 *     files that have expired
 *     runs that finished longer ago than keep_ms, with all that is theirs
 *     while there is more than keep_bytes: of the key that holds most, the oldest
 *     of its finished runs and its uploads
 *
 * So who holds less than an equal share loses nothing to the others, whatever they
 * bring. A run that has not finished is never touched: of a key that has no others
 * nothing goes, and it is the next one's turn. */
#include "base/util.h"
#include "store/store_private.h"

enum {
    ROWS_A_STEP = 30, /* some 3 ms, for which others wait */
    EVERY_MS = 1000,
    BUSY_EVERY_MS = 50, /* with a backlog, while there are other jobs */
};
static const uint64_t bytes_a_step = 64 * MIB; /* rows, and contents to unlink */

struct retention {
    struct job job;
    uint64_t rows;
    uint64_t bytes; /* that were removed */
};

static bool is_enough(const struct retention *step)
{
    return step->rows >= ROWS_A_STEP || step->bytes >= bytes_a_step;
}

static int remove_file(struct store *store, struct retention *step, const char *id, struct err *err)
{
    auto_statement struct statement *remove = statement_use(&store->db, SQL_FILE_REMOVE);
    bind_text(remove, id);
    job_remove_content(&step->job, id);
    return statement_run(remove, err);
}

static int remove_expired(struct store *store, struct retention *step, struct err *err)
{
    auto_statement struct statement *files = statement_use(&store->db, SQL_FILES_EXPIRED);
    bind_number(files, store_now_ms());
    bind_number(files, ROWS_A_STEP);
    int rc = 0;
    while (!is_enough(step) && (rc = statement_step(files, err)) > 0) {
        const char *id = column_text(files, &step->job.results);
        step->rows++;
        step->bytes += column_number(files);
        if (id && remove_file(store, step, id, err) < 0)
            return -1;
    }
    return rc < 0 ? -1 : 0;
}

/* That finished before; the oldest first. */
static int remove_old(struct store *store, struct retention *step, uint64_t before_ms,
                      struct err *err)
{
    int rc = 0;
    auto_statement struct statement *runs = statement_use(&store->db, SQL_RUNS_OLD);
    bind_number(runs, before_ms);
    bind_number(runs, ROWS_A_STEP);
    while (!is_enough(step) && (rc = statement_step(runs, err)) > 0) {
        uint64_t number = column_number(runs);
        step->rows++;
        step->bytes += column_number(runs);
        if (run_delete(store, &step->job, number, err) < 0)
            return -1;
    }
    return rc < 0 ? -1 : 0;
}

/* 1: there is one that holds something that may go. */
static int find_largest(struct store *store, uint64_t *ret_key, struct err *err)
{
    auto_statement struct statement *largest = statement_use(&store->db, SQL_HOLDER_LARGEST);
    int rc = statement_step(largest, err);
    if (rc > 0)
        *ret_key = column_number(largest);
    return rc;
}

/* All of a step from one key, if it has so much: to find it again with each row would be a walk
 * along its runs that have not finished. */
static int remove_oldest_of(struct store *store, struct retention *step, uint64_t key,
                            uint64_t until_bytes, struct err *err)
{
    int rc = 0;
    auto_statement struct statement *oldest = statement_use(&store->db, SQL_HOLDER_OLDEST);
    bind_number(oldest, key);
    bind_number(oldest, ROWS_A_STEP);
    while (!is_enough(step) && step->bytes < until_bytes &&
           (rc = statement_step(oldest, err)) > 0) {
        (void)column_number(oldest);          /* its time */
        uint64_t run = column_number(oldest); /* 0: it is an upload */
        const char *file = column_text(oldest, &step->job.results);
        step->rows++;
        step->bytes += column_number(oldest);
        if (run > 0 && run_delete(store, &step->job, run, err) < 0)
            return -1;
        if (file && remove_file(store, step, file, err) < 0)
            return -1;
    }
    return rc < 0 ? -1 : 0;
}

static int remove_excess(struct store *store, struct retention *step, struct err *err)
{
    uint64_t keep_bytes = store->config.keep_bytes;
    if (store_look(store, err) < 0)
        return -1;
    if (keep_bytes == 0 || store->seen.bytes <= keep_bytes)
        return 0;
    uint64_t until_bytes = step->bytes + store->seen.bytes - keep_bytes;
    uint64_t key = 0;
    int rc = 0;
    while (!is_enough(step) && step->bytes < until_bytes &&
           (rc = find_largest(store, &key, err)) > 0) {
        if (remove_oldest_of(store, step, key, until_bytes, err) < 0)
            return -1;
    }
    return rc < 0 ? -1 : 0;
}

static int work_retention(struct store *store, struct job *job, struct err *err)
{
    struct retention *step = CONTAINER_OF(job, struct retention, job);
    uint64_t now_ms = store_now_ms();
    uint64_t keep_ms = store->config.keep_ms;
    step->rows = step->bytes = 0;
    if (remove_expired(store, step, err) < 0)
        return -1;
    if (keep_ms != 0 && now_ms > keep_ms && remove_old(store, step, now_ms - keep_ms, err) < 0)
        return -1;
    return remove_excess(store, step, err);
}

static const struct job_kind retention_kind = {
    .size = sizeof(struct retention),
    .writes = true,
    .work = work_retention,
};

bool retention_is_due(const struct store *store, bool idle)
{
    if (idle && store->has_backlog)
        return true;
    return loop_now_ns() >= store->next_retention_ns;
}

void retention_step(struct store *store)
{
    struct retention *step = job_new(store, &retention_kind, NULL);
    int rc = job_run_now(&step->job, NULL);
    store->has_backlog = rc == 0 && is_enough(step);
    uint64_t pause_ms = store->has_backlog ? BUSY_EVERY_MS : EVERY_MS;
    store->next_retention_ns = loop_now_ns() + pause_ms * NS_PER_MS;
    job_free(&step->job);
}
