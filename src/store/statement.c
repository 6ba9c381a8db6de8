/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <sqlite3.h>

#include "base/util.h"
#include "store/database.h"

static const char *const texts[] = {
#define X(name, text) [name] = text,
    SQL_TABLE(X)
#undef X
};

int statement_make(struct database *db, struct statement *statement, const char *sql,
                   struct err *err)
{
    int rc =
        sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->stmt, NULL);
    statement->db = db;
    return rc == SQLITE_OK ? 0 : database_fail(db, rc, err);
}

int database_make_statements(struct database *db, struct err *err)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        if (statement_make(db, &db->statements[i], texts[i], err) < 0)
            return -1;
    }
    return 0;
}

struct statement *statement_use(struct database *db, enum sql sql)
{
    return &db->statements[sql];
}

/* A statement that is not reset holds its transaction open. */
void statement_release(struct statement **statement)
{
    struct statement *used = *statement;
    if (!used)
        return;
    (void)sqlite3_reset(used->stmt); /* repeats the error of the step */
    (void)sqlite3_clear_bindings(used->stmt);
    used->rc = SQLITE_OK;
    used->bound = used->column = 0;
}

static void keep(struct statement *statement, int rc)
{
    if (statement->rc == SQLITE_OK)
        statement->rc = rc;
}

void bind_number(struct statement *statement, uint64_t number)
{
    sqlite3_int64 value = (sqlite3_int64)MIN(number, (uint64_t)INT64_MAX);
    keep(statement, sqlite3_bind_int64(statement->stmt, ++statement->bound, value));
}

void bind_text(struct statement *statement, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    keep(statement, sqlite3_bind_text64(statement->stmt, ++statement->bound, text, len,
                                        SQLITE_STATIC, SQLITE_UTF8));
}

void bind_bytes(struct statement *statement, struct slice bytes)
{
    const char *at = bytes.len > 0 ? bytes.at : "";
    keep(statement,
         sqlite3_bind_blob64(statement->stmt, ++statement->bound, at, bytes.len, SQLITE_STATIC));
}

void bind_digest(struct statement *statement, const unsigned char digest[STORE_DIGEST_SIZE])
{
    bind_bytes(statement, (struct slice){(const char *)digest, STORE_DIGEST_SIZE});
}

void bind_nothing(struct statement *statement)
{
    keep(statement, sqlite3_bind_null(statement->stmt, ++statement->bound));
}

int statement_step(struct statement *statement, struct err *err)
{
    assert(statement->bound == sqlite3_bind_parameter_count(statement->stmt));
    statement->column = 0;
    if (statement->rc == SQLITE_OK) {
        int rc = sqlite3_step(statement->stmt);
        if (rc == SQLITE_ROW)
            return 1;
        if (rc == SQLITE_DONE)
            return 0;
        statement->rc = rc;
    }
    return database_fail(statement->db, statement->rc, err);
}

enum { STEPS_A_TURN = 1000 }; /* SQLite asks after so many of them */

static int take_steps(void *context)
{
    uint64_t *left = context;
    *left -= MIN(*left, (uint64_t)STEPS_A_TURN);
    return *left == 0;
}

int statement_step_within(struct statement *statement, uint64_t *left, struct err *err)
{
    sqlite3 *handle = statement->db->handle;
    sqlite3_progress_handler(handle, STEPS_A_TURN, take_steps, left);
    int rc = statement_step(statement, err);
    sqlite3_progress_handler(handle, 0, NULL, NULL);
    return rc;
}

int statement_run(struct statement *statement, struct err *err)
{
    int rc = 0;
    do
        rc = statement_step(statement, err);
    while (rc > 0);
    return rc < 0 ? -1 : sqlite3_changes(statement->db->handle);
}

static int next_column(struct statement *statement)
{
    assert(statement->column < sqlite3_column_count(statement->stmt));
    return statement->column++;
}

uint64_t column_number(struct statement *statement)
{
    return (uint64_t)sqlite3_column_int64(statement->stmt, next_column(statement));
}

/* The pointer first: asking for it is what may convert, and so change the size. */
static struct slice column_borrowed(struct statement *statement, int column)
{
    const char *at = sqlite3_column_blob(statement->stmt, column);
    int len = sqlite3_column_bytes(statement->stmt, column);
    return (struct slice){at, at ? (size_t)len : 0};
}

/* Long ones are read into memory first, and there may be none. */
static struct slice column_copy(struct statement *statement, int column, struct arena *arena)
{
    struct slice bytes = column_borrowed(statement, column);
    if (!bytes.at && sqlite3_errcode(statement->db->handle) == SQLITE_NOMEM)
        arena->failed = true;
    return arena_slice(arena, bytes);
}

char *column_text(struct statement *statement, struct arena *arena)
{
    int column = next_column(statement);
    if (sqlite3_column_type(statement->stmt, column) == SQLITE_NULL)
        return NULL;
    return (char *)column_copy(statement, column, arena).at;
}

struct slice column_bytes(struct statement *statement, struct arena *arena)
{
    return column_copy(statement, next_column(statement), arena);
}

void column_digest(struct statement *statement, unsigned char ret_digest[STORE_DIGEST_SIZE])
{
    struct slice bytes = column_borrowed(statement, next_column(statement));
    memset(ret_digest, 0, STORE_DIGEST_SIZE);
    if (bytes.len == STORE_DIGEST_SIZE)
        memcpy(ret_digest, bytes.at, STORE_DIGEST_SIZE);
}
