/* SPDX-License-Identifier: MIT */
/* database.h — one connection to SQLite, and its statements with types of ours.
 *
 *     auto_statement struct statement *add = statement_use(db, SQL_FILE_ADD);
 *     bind_text(add, file->id);
 *     bind_number(add, file->size);
 *     if (statement_run(add, err) < 0) …
 *
 * Parameters are bound, and columns read, in their order; what is bound is
 * borrowed until the statement leaves its scope. A failure of a bind is kept and
 * comes out of the step. Numbers are signed 64 bit in SQLite: larger ones become
 * the largest. One thread at a time.
 */
#ifndef RUNNEL_STORE_DATABASE_H
#define RUNNEL_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/arena.h"
#include "store/sql.h"
#include "store/store.h"

struct sqlite3;
struct sqlite3_stmt;

struct statement {
    struct database *db;
    struct sqlite3_stmt *stmt; /* NULL: not made yet */
    int rc;
    int bound;  /* parameters */
    int column; /* the next of this row */
};

/* of store_list.c, which makes each when it is first asked for */
enum { LIST_SHAPES = 2 * 2 * 2 * 2 * 2 * (STORE_METADATA_MAX + 1) };

struct database {
    struct sqlite3 *handle;
    int log_pages; /* as of the last commit */
    struct statement statements[SQL_COUNT];
    struct statement lists[LIST_SHAPES];
};

/* Opens, or makes, the file; nothing is opened by path any more after the first transaction. */
int database_open(struct database *db, const char *path, struct err *err);
void database_close(struct database *db);
/* When nobody waits: brings a long log into the database, which takes as long as the disk does.
 * If it cannot, the log grows, and the next turn tries again. The database grows by as much as the
 * log is long: where less than twice that is free, a shorter log is long enough. */
void database_tidy(struct database *db, uint64_t free_bytes);
void database_tidy_soon(struct database *db); /* however short the log is */
/* What SQLite last said, as our error. ERR_STORAGE_FULL, ERR_CONFLICT or ERR_INTERNAL. */
int database_fail(const struct database *db, int rc, struct err *err);
int database_execute(struct database *db, const char *sql, struct err *err);
int database_number(struct database *db, const char *sql, uint64_t *ret_number, struct err *err);

/* `writes`: nobody else writes until the end. Commit and rollback end it, or, where there is no
 * memory for that, the next beginning does. */
int database_begin(struct database *db, bool writes, struct err *err);
int database_commit(struct database *db, struct err *err);
void database_rollback(struct database *db);
/* False: SQLite itself has rolled everything back, as it does when a disk fails. */
bool database_in_transaction(const struct database *db);
uint64_t database_last_row(const struct database *db); /* the number of what was inserted last */

int database_make_statements(struct database *db, struct err *err);
int statement_make(struct database *db, struct statement *statement, const char *sql,
                   struct err *err);
struct statement *statement_use(struct database *db, enum sql sql);
void statement_release(struct statement **statement);
#define auto_statement auto_cleanup(statement_release)

void bind_number(struct statement *statement, uint64_t number);
void bind_text(struct statement *statement, const char *text); /* NULL stays NULL */
void bind_bytes(struct statement *statement, struct slice bytes);
void bind_digest(struct statement *statement, const unsigned char digest[STORE_DIGEST_SIZE]);
void bind_nothing(struct statement *statement);

int statement_step(struct statement *statement, struct err *err); /* 1: a row, 0: no more */
/* The next row of a walk that may find none for long: after as many steps of SQLite's own machine
 * as there were in *left, which many calls may share, it is -1, and *left is 0. */
int statement_step_within(struct statement *statement, uint64_t *left, struct err *err);
/* To its end; how many rows it changed. */
int statement_run(struct statement *statement, struct err *err);

uint64_t column_number(struct statement *statement); /* NULL is 0 */
char *column_text(struct statement *statement, struct arena *arena);
struct slice column_bytes(struct statement *statement, struct arena *arena);
void column_digest(struct statement *statement, unsigned char ret_digest[STORE_DIGEST_SIZE]);

#endif
