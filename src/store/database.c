/* SPDX-License-Identifier: MIT */
#include "store/database.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/util.h"

/* synchronous=NORMAL: what is committed stands in the log and in the kernel's
 * memory, so a kill -9 of ours loses nothing. A power cut may lose the last
 * transactions, those since the last checkpoint, and never leaves half of one.
 *
 * No auto_vacuum: pages of what was removed are used again, which is what a store
 * of bounded size lives on. A file that shrinks would cost a page of pointers per
 * thousand, and moving pages about. */
static const char settings[] =
    "PRAGMA page_size = 4096;" /* PAGE_SIZE */
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -8192;"            /* KiB */
    "PRAGMA journal_size_limit = 16777216;" /* of the log, when it is reset */
    "PRAGMA secure_delete = FAST;"
    "PRAGMA trusted_schema = OFF;";

enum {
    BUSY_MS = 5000, /* another process of ours writes for a millisecond */
    PAGE_SIZE = 4096,
    LOG_PAGES = 4000, /* 16 MiB: what is read again at a start after a kill -9 */
};

int database_fail(const struct database *db, int rc, struct err *err)
{
    int primary = rc & 0xff;
    int sys = db->handle ? sqlite3_system_errno(db->handle) : 0;
    bool no_space = primary == SQLITE_IOERR && (sys == ENOSPC || sys == EDQUOT);
    if (primary == SQLITE_FULL || no_space)
        return err_set(err, ERR_STORAGE_FULL, "the disk of the store is full");
    if (primary == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
        return err_sys(err, ENOMEM, "the store");
    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
        return err_set(err, ERR_CONFLICT, "the store has it already");
    if (primary == SQLITE_TOOBIG)
        return err_set(err, ERR_TOO_LARGE, "it is too large for the store");
    if (primary == SQLITE_BUSY)
        return err_set(err, ERR_INTERNAL, "another process does not let go of the store");
    if (primary == SQLITE_IOERR && sys != 0)
        return err_sys(err, sys, "the store");
    return err_set(err, ERR_INTERNAL, "the store: %s",
                   db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc));
}

int database_execute(struct database *db, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : database_fail(db, rc, err);
}

int database_number(struct database *db, const char *sql, uint64_t *ret_number, struct err *err)
{
    struct statement once = {0};
    if (statement_make(db, &once, sql, err) < 0)
        return -1;
    int rc = statement_step(&once, err);
    if (rc > 0)
        *ret_number = column_number(&once);
    else if (rc == 0)
        rc = err_set(err, ERR_INTERNAL, "the store has no answer to %s", sql);
    (void)sqlite3_finalize(once.stmt);
    return rc < 0 ? -1 : 0;
}

/* A file system that cannot share memory between processes leaves another mode, silently. */
static int check_log(struct database *db, struct err *err)
{
    struct statement mode = {0};
    struct arena memory = {0};
    if (statement_make(db, &mode, "PRAGMA journal_mode", err) < 0)
        return -1;
    int rc = statement_step(&mode, err);
    const char *name = rc > 0 ? column_text(&mode, &memory) : NULL;
    if (rc >= 0 && (!name || strcmp(name, "wal") != 0))
        rc = err_set(err, ERR_CONFIG, "its file system cannot hold a database with a log");
    (void)sqlite3_finalize(mode.stmt);
    arena_fini(&memory);
    return rc < 0 ? -1 : 0;
}

static int on_committed(void *context, sqlite3 *handle, const char *name, int log_pages)
{
    struct database *db = context;
    (void)handle, (void)name;
    db->log_pages = log_pages;
    return SQLITE_OK;
}

/* SQLite would make every name absolute, and resolve it from the root on, where who has given up
 * its privilege may not search. Ours is one of an open folder (store_folder.c). */
static int keep_name(sqlite3_vfs *files, const char *name, int size, char *ret_name)
{
    (void)files;
    return snprintf(ret_name, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* SQLite's own files but for that; it keeps the pointer. */
static const char *use_files(void)
{
    static sqlite3_vfs files;
    const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    if (!files.zName && usual) {
        files = *usual;
        files.zName = "runnel";
        files.xFullPathname = keep_name;
        (void)sqlite3_vfs_register(&files, 0);
    }
    return "runnel";
}

int database_open(struct database *db, const char *path, struct err *err)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &db->handle, flags, use_files());
    if (rc != SQLITE_OK)
        return database_fail(db, rc, err);
    (void)sqlite3_busy_timeout(db->handle, BUSY_MS);
    if (database_execute(db, settings, err) < 0 || check_log(db, err) < 0)
        return -1;
    (void)sqlite3_wal_hook(db->handle, on_committed, db);
    return 0;
}

void database_tidy_soon(struct database *db)
{
    db->log_pages = LOG_PAGES;
}

void database_tidy(struct database *db, uint64_t free_bytes)
{
    uint64_t log_bytes = (uint64_t)db->log_pages * PAGE_SIZE;
    if (db->log_pages < LOG_PAGES && log_bytes <= free_bytes / 2)
        return;
    db->log_pages = 0;
    (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void database_close(struct database *db)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(db->statements[i].stmt);
    for (size_t i = 0; i < LIST_SHAPES; i++)
        (void)sqlite3_finalize(db->lists[i].stmt);
    (void)sqlite3_close(db->handle);
    *db = (struct database){0};
}

int database_begin(struct database *db, bool writes, struct err *err)
{
    database_rollback(db); /* of one before, for which there was no memory */
    return database_execute(db, writes ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

int database_commit(struct database *db, struct err *err)
{
    int rc = database_execute(db, "COMMIT", err);
    if (rc < 0)
        database_rollback(db);
    return rc;
}

void database_rollback(struct database *db)
{
    if (database_in_transaction(db))
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool database_in_transaction(const struct database *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

uint64_t database_last_row(const struct database *db)
{
    return (uint64_t)sqlite3_last_insert_rowid(db->handle);
}
