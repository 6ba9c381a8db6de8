/* SPDX-License-Identifier: MIT */
/* Pages of runs, newest first.
 *
 * A list walks along one index that knows the order, from where the last page
 * ended, and looks at each run for what the index does not know. Key, verdict and
 * language have an index for each combination (schema.c), so there is nothing
 * to look at. With metadata there is a choice: along the runs of one of the pairs, or
 * along those of the verdict and language. The shortest is taken, by counting each
 * a little way. Both may be long and have little in common: the thread is everybody's,
 * so a page takes so many steps, and no more. */
#include <assert.h>

#include "base/buf.h"
#include "base/util.h"
#include "store/store_private.h"

enum {
    COUNT_MAX = 1000,
    PAGE_BYTES = 8 * 1024 * 1024,
    PAGE_STEPS = 1000 * 1000, /* some fifty thousand runs that are looked at in vain: 50 ms */
};

struct run_list {
    struct job job;
    struct store_filter filter;
    store_runs_fn *done;
    struct stored_run *runs;
    size_t count;
    bool more;
};

/* What the text of a statement depends on. */
struct shape {
    bool counts; /* how many there are, instead of their rows */
    bool has_key;
    bool has_verdict;
    bool has_language;
    bool by_pair; /* along the first pair */
    size_t pairs;
};

/* Runs that were made before this time, or then and have a smaller number. */
struct place {
    uint64_t created_ms;
    uint64_t number;
};

static const char *const run_indexes[2][2][2] = {
    {{"runs_by_time", "runs_by_language"}, {"runs_by_verdict", "runs_by_both"}},
    {{"runs_of_key", "runs_of_key_by_language"}, {"runs_of_key_by_verdict", "runs_of_key_by_both"}},
};

static void add_source(struct buf *sql, const struct shape *shape)
{
    if (shape->by_pair)
        buf_add_format(sql, "FROM metadata first INDEXED BY %s ",
                       shape->has_key ? "metadata_of_key" : "metadata_by_pair");
    else
        buf_add_format(sql, "FROM runs r INDEXED BY %s ",
                       run_indexes[shape->has_key][shape->has_verdict][shape->has_language]);
    if (shape->counts)
        return;
    if (shape->by_pair)
        buf_add_text(sql, "CROSS JOIN runs r ON r.number = first.run ");
    buf_add_text(sql, SQL_RUN_JOINS);
}

/* In the order in which bind_shape binds. */
static void add_conditions(struct buf *sql, const struct shape *shape)
{
    const char *driver = shape->by_pair ? "first" : "r";
    buf_add_format(sql,
                   "WHERE %s.created_ms >= ?1 AND %s.created_ms <= ?2 "
                   "AND (%s.created_ms < ?2 OR %s.%s < ?3) ",
                   driver, driver, driver, driver, shape->by_pair ? "run" : "number");
    int next = 5; /* ?4 is the limit */
    if (shape->has_key)
        buf_add_format(sql, "AND %s.key = ?%d ", driver, next++);
    if (shape->has_verdict)
        buf_add_format(sql, "AND r.verdict = (SELECT number FROM words WHERE text = ?%d) ", next++);
    if (shape->has_language)
        buf_add_format(sql, "AND r.language = (SELECT number FROM words WHERE text = ?%d) ",
                       next++);
    for (size_t i = 0; i < shape->pairs; i++, next += 2) {
        if (i == 0 && shape->by_pair) {
            buf_add_format(sql, "AND first.pair = ?%d AND first.name = ?%d AND first.value = ?%d ",
                           next, next + 1, next + 2);
            next++;
        } else
            buf_add_format(sql,
                           "AND EXISTS(SELECT 1 FROM metadata WHERE run = r.number "
                           "AND name = ?%d AND value = ?%d) ",
                           next, next + 1);
    }
}

static int make_statement(struct database *db, struct statement *statement,
                          const struct shape *shape, struct err *err)
{
    auto_buf struct buf sql;
    buf_init(&sql, 8 * KIB);
    buf_add_text(&sql,
                 shape->counts ? "SELECT count(*) FROM (SELECT 1 " : "SELECT " SQL_RUN_COLUMNS);
    add_source(&sql, shape);
    add_conditions(&sql, shape);
    if (!shape->counts)
        buf_add_format(&sql, "ORDER BY %s ",
                       shape->by_pair ? "first.created_ms DESC, first.run DESC"
                                      : "r.created_ms DESC, r.number DESC");
    buf_add_text(&sql, shape->counts ? "LIMIT ?4)" : "LIMIT ?4");
    if (sql.failed)
        return err_sys(err, ENOMEM, "the store");
    return statement_make(db, statement, buf_text(&sql), err);
}

static struct statement *use_shape(struct database *db, const struct shape *shape, struct err *err)
{
    assert(shape->pairs <= STORE_METADATA_MAX);
    size_t at = shape->pairs;
    const bool flags[] = {shape->counts, shape->has_key, shape->has_verdict, shape->has_language,
                          shape->by_pair};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        at = 2 * at + flags[i];
    struct statement *statement = &db->lists[at];
    if (!statement->stmt && make_statement(db, statement, shape, err) < 0)
        return NULL;
    return statement;
}

static void bind_shape(struct statement *statement, const struct shape *shape,
                       const struct store_filter *filter, const struct place *place, size_t limit)
{
    bind_number(statement, filter->since_ms);
    bind_number(statement, place->created_ms);
    bind_number(statement, place->number);
    bind_number(statement, limit);
    if (shape->has_key)
        bind_number(statement, filter->key);
    if (shape->has_verdict)
        bind_text(statement, filter->verdict);
    if (shape->has_language)
        bind_text(statement, filter->language);
    for (size_t i = 0; i < shape->pairs; i++) {
        if (i == 0 && shape->by_pair)
            bind_number(statement, metadata_pair(&filter->metadata[i]));
        bind_text(statement, filter->metadata[i].name);
        bind_text(statement, filter->metadata[i].value);
    }
}

static struct shape shape_of(const struct store_filter *filter)
{
    return (struct shape){
        .has_key = !filter->any_key,
        .has_verdict = filter->verdict,
        .has_language = filter->language,
        .pairs = filter->metadata_count,
    };
}

static int count_some(struct store *store, const struct shape *shape,
                      const struct store_filter *filter, const struct place *place,
                      uint64_t *ret_count, struct err *err)
{
    auto_statement struct statement *count = use_shape(&store->db, shape, err);
    if (!count)
        return -1;
    bind_shape(count, shape, filter, place, COUNT_MAX);
    if (statement_step(count, err) < 0)
        return -1;
    *ret_count = column_number(count);
    return 0;
}

/* Puts the rarest pair first, and says whether to go along it. */
static int choose_way(struct store *store, struct store_filter *filter, const struct place *place,
                      bool *ret_by_pair, struct err *err)
{
    struct store_pair *pairs = (struct store_pair *)filter->metadata; /* our copies */
    bool has_other = filter->verdict || filter->language;
    *ret_by_pair = filter->metadata_count > 0;
    if (filter->metadata_count == 0 || (filter->metadata_count == 1 && !has_other))
        return 0;
    uint64_t fewest = UINT64_MAX;
    for (size_t i = 0; i < filter->metadata_count; i++) {
        struct store_filter one = {.metadata = &pairs[i], .metadata_count = 1};
        one.any_key = filter->any_key;
        one.key = filter->key;
        one.since_ms = filter->since_ms;
        struct shape shape = shape_of(&one);
        shape.counts = shape.by_pair = true;
        uint64_t count = 0;
        if (count_some(store, &shape, &one, place, &count, err) < 0)
            return -1;
        if (count >= fewest)
            continue;
        fewest = count;
        struct store_pair first = pairs[0];
        pairs[0] = pairs[i];
        pairs[i] = first;
    }
    if (!has_other)
        return 0;
    struct shape shape = shape_of(filter);
    shape.counts = true;
    shape.pairs = 0;
    uint64_t count = 0;
    if (count_some(store, &shape, filter, place, &count, err) < 0)
        return -1;
    *ret_by_pair = fewest <= count;
    return 0;
}

/* The run behind which the page begins must be one that the asker may see. */
static int find_place(struct store *store, const struct store_filter *filter,
                      struct place *ret_place, struct err *err)
{
    struct run_place run = {0};
    *ret_place = (struct place){filter->until_ms != 0 ? filter->until_ms : INT64_MAX, 0};
    if (!filter->before)
        return 0;
    if (run_find(store, filter->before, &run, err) < 0)
        return -1;
    if (!filter->any_key && run.key != filter->key)
        return err_set(err, ERR_NOT_FOUND, "run not found");
    if (run.created_ms < ret_place->created_ms)
        *ret_place = (struct place){run.created_ms, run.number};
    return 0;
}

/* What was found is a page, and the next goes on behind it. With nothing there is no place to
 * go on from. */
static int end_walk(struct run_list *list, struct err *err)
{
    list->more = list->count > 0;
    if (list->more)
        return 0;
    return err_field(err, "since",
                     "too many runs were looked at, and none is of these; say since when, or look "
                     "at those until an earlier time");
}

/* A page ends early when its runs are long: it is held in memory. */
static int read_page(struct store *store, struct run_list *list, struct statement *rows,
                     size_t limit, struct err *err)
{
    struct arena *arena = &list->job.results;
    uint64_t steps = PAGE_STEPS;
    size_t bytes = 0;
    int rc = 0;
    list->count = 0;
    list->more = false;
    list->runs = arena_get(arena, (limit + 1) * sizeof *list->runs);
    while (list->runs && (rc = statement_step_within(rows, &steps, err)) > 0) {
        list->more = list->count == limit || bytes > PAGE_BYTES;
        if (list->more)
            return 0;
        struct stored_run *run = &list->runs[list->count++];
        uint64_t number = 0;
        run_read(rows, arena, run, &number);
        bytes += run->run.accepted.len + run->end.result.len;
        if (run_read_metadata(store, number, arena, run, err) < 0)
            return -1;
    }
    if (rc < 0 && steps == 0)
        return end_walk(list, err);
    return rc < 0 ? -1 : 0;
}

static int work_list(struct store *store, struct job *job, struct err *err)
{
    struct run_list *list = CONTAINER_OF(job, struct run_list, job);
    struct store_filter *filter = &list->filter;
    struct shape shape = shape_of(filter);
    struct place place;
    size_t limit = MIN(filter->limit, STORE_PAGE_MAX);
    if (filter->metadata_count > STORE_METADATA_MAX)
        return err_set(err, ERR_INVALID, "more than %d pairs of metadata", STORE_METADATA_MAX);
    if (find_place(store, filter, &place, err) < 0 ||
        choose_way(store, filter, &place, &shape.by_pair, err) < 0)
        return -1;
    auto_statement struct statement *rows = use_shape(&store->db, &shape, err);
    if (!rows)
        return -1;
    bind_shape(rows, &shape, filter, &place, limit + 1);
    return read_page(store, list, rows, limit, err);
}

static void deliver_list(struct job *job, const struct err *err)
{
    struct run_list *list = CONTAINER_OF(job, struct run_list, job);
    if (err)
        list->done(job->context, NULL, 0, false, err);
    else
        list->done(job->context, list->runs, list->count, list->more, NULL);
}

static const struct job_kind list_kind = {
    .size = sizeof(struct run_list),
    .is_large = true,
    .work = work_list,
    .deliver = deliver_list,
};

static struct run_list *list_new(struct store *store, const struct store_filter *filter,
                                 store_runs_fn *done, void *context)
{
    struct run_list *list = job_new(store, &list_kind, context);
    struct arena *arena = &list->job.arguments;
    list->done = done;
    list->filter = *filter;
    list->filter.verdict = arena_text(arena, filter->verdict);
    list->filter.language = arena_text(arena, filter->language);
    list->filter.before = arena_text(arena, filter->before);
    list->filter.metadata = pairs_copy(arena, filter->metadata, filter->metadata_count);
    return list;
}

void store_run_list(struct store *store, const struct store_filter *filter, store_runs_fn *done,
                    void *context)
{
    job_send(&list_new(store, filter, done, context)->job);
}

int store_run_list_now(struct store *store, const struct store_filter *filter, store_runs_fn *each,
                       void *context, struct err *err)
{
    struct run_list *list = list_new(store, filter, each, context);
    int rc = job_run_now(&list->job, err);
    if (rc == 0)
        deliver_list(&list->job, NULL);
    job_free(&list->job);
    return rc;
}
