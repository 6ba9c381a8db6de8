/* SPDX-License-Identifier: MIT */
/* Opening and closing. What needs a path or privilege happens here: the folder is made, opened and
 * given away. The database, its log and its index are opened through it, the last because the
 * recovery writes; what SQLite needs later goes through these descriptors, a checkpoint too, and
 * what is temporary stays in memory. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "os/user.h"
#include "store/content.h"
#include "store/schema.h"
#include "store/store_private.h"

enum { USAGE_DAYS = 400, MS_PER_DAY = 86400000 };
static const uint64_t min_free_default = 16 * MIB;

uint64_t store_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / NS_PER_MS;
}

uint64_t store_steady_ms(const struct store *store)
{
    return store->steady_from_ms + loop_now_ns() / NS_PER_MS;
}

static int look_at_disk(struct store *store, struct err *err)
{
    struct statvfs disk;
    if (fstatvfs(store->folder.dir, &disk) < 0)
        return err_sys(err, errno, "cannot look at the disk of the store");
    store->seen.free_bytes = disk.f_bavail * disk.f_frsize;
    return 0;
}

int store_look(struct store *store, struct err *err)
{
    auto_statement struct statement *totals = statement_use(&store->db, SQL_TOTALS);
    if (look_at_disk(store, err) < 0)
        return -1;
    int rc = statement_step(totals, err);
    if (rc <= 0)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "the store has lost its totals");
    store->seen.runs = column_number(totals);
    store->seen.files = column_number(totals);
    store->seen.bytes = column_number(totals);
    return 0;
}

void store_publish(struct store *store)
{
    store->size.runs = store->seen.runs;
    store->size.files = store->seen.files;
    store->size.bytes = store->seen.bytes;
    store->size.free_bytes = store->seen.free_bytes;
}

int store_check_room(const struct store *store, struct err *err)
{
    if (store->seen.free_bytes >= store->config.min_free_bytes)
        return 0;
    return err_set(err, ERR_STORAGE_FULL, "the disk of the store is full");
}

/* When in doubt it is known: a content that is lost is worse than one too many. */
static bool is_known(void *context, const char *id)
{
    struct store *store = context;
    auto_statement struct statement *known = statement_use(&store->db, SQL_FILE_KNOWN);
    bind_text(known, id);
    return statement_step(known, NULL) != 0;
}

static int forget_old_usage(struct store *store, struct err *err)
{
    auto_statement struct statement *forget = statement_use(&store->db, SQL_USAGE_FORGET);
    uint64_t today = store_now_ms() / MS_PER_DAY;
    bind_number(forget, today > USAGE_DAYS ? today - USAGE_DAYS : 0);
    return statement_run(forget, err);
}

/* One transaction that writes: the log is open from here on. */
static int recover(struct store *store, struct err *err)
{
    if (database_begin(&store->db, true, err) < 0)
        return -1;
    if ((!store->config.keeps_open && run_interrupt_all(store, err) < 0) ||
        forget_old_usage(store, err) < 0 || store_look(store, err) < 0) {
        database_rollback(&store->db);
        return -1;
    }
    store_publish(store);
    return database_commit(&store->db, err);
}

static int open_database(struct store *store, struct err *err)
{
    if (store_folder_make_database(&store->folder, err) < 0 ||
        database_open(&store->db, store->folder.name, err) < 0)
        return -1;
    if (schema_migrate(&store->db, schema_current(), err) < 0)
        return -1;
    return database_make_statements(&store->db, err);
}

/* The checkpoint is for SQLite's one look at the folder after a log was made: now it may. */
static int make_ready(struct store *store, struct err *err)
{
    if (recover(store, err) < 0 ||
        database_execute(&store->db, "PRAGMA wal_checkpoint(TRUNCATE)", err) < 0)
        return -1;
    int rc = content_sweep(store->folder.files, is_known, store);
    if (rc < 0)
        return err_sys(err, -rc, "cannot clear up files/");
    return 0;
}

static struct store *store_new(void)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->folder = (struct store_folder){.dir = -1, .lock = -1, .files = -1};
    store->steady_from_ms = store_now_ms() - loop_now_ns() / NS_PER_MS;
    list_init(&store->pending);
    list_init(&store->finished);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&store->news, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&store->mutex, NULL);
    return store;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    int saved = errno;
    store_thread_stop(store);
    store_drain(store);
    database_close(&store->db);
    store_folder_close(&store->folder);
    (void)pthread_cond_destroy(&store->news);
    (void)pthread_mutex_destroy(&store->mutex);
    free(store);
    errno = saved;
}

static void store_cleanup(struct store **store)
{
    store_free(*store);
}

/* A start fails by what is configured, but for a full disk. */
static int fail_to_open(const char *dir, struct err *err)
{
    if (err && err->code == ERR_INTERNAL)
        err->code = ERR_CONFIG;
    return err_wrap(err, "cannot use the storage folder %s", dir);
}

int store_open(const struct store_config *config, struct store **ret_store, struct err *err)
{
    auto_cleanup(store_cleanup) struct store *store = store_new();
    if (!store)
        return err_sys(err, ENOMEM, "the store");
    if (store_folder_open(config, true, &store->folder, err) < 0)
        return -1;
    store->config = *config;
    store->config.dir = NULL;
    if (config->min_free_bytes == 0)
        store->config.min_free_bytes = min_free_default;
    if (store_folder_give(&store->folder, config->owner, err) < 0)
        return -1;
    if (config->become_owner && config->become_owner(config->owner, err) < 0)
        return -1;
    if (open_database(store, err) < 0 || make_ready(store, err) < 0)
        return fail_to_open(config->dir, err);
    *ret_store = take_ptr(&store);
    return 0;
}

static int become_owner(const struct store_folder *folder, struct err *err)
{
    struct stat status;
    if (geteuid() != 0)
        return 0;
    int rc = fstat(folder->dir, &status) < 0 ? -errno : 0;
    if (rc == 0 && status.st_uid != 0)
        rc = user_become(status.st_uid);
    return rc < 0 ? err_sys(err, -rc, "become the owner of the folder") : 0;
}

/* Only who has the folder locked may change tables; a service that has it did that. */
static int open_beside(struct store *store, struct err *err)
{
    const struct schema *schema = schema_current();
    if (store_folder_lock(&store->folder, 1, NULL) == 0)
        return open_database(store, err);
    if (database_open(&store->db, store->folder.name, err) < 0)
        return -1;
    int rc = schema_is(&store->db, schema, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(err, ERR_CONFIG, "a runnel of another version uses it");
    return database_make_statements(&store->db, err);
}

int store_open_beside(const char *dir, struct store **ret_store, struct err *err)
{
    const struct store_config config = {.dir = dir};
    auto_cleanup(store_cleanup) struct store *store = store_new();
    if (!store)
        return err_sys(err, ENOMEM, "the store");
    if (store_folder_open(&config, false, &store->folder, err) < 0)
        return -1;
    if (become_owner(&store->folder, err) < 0 || open_beside(store, err) < 0)
        return fail_to_open(dir, err);
    store_folder_unlock(&store->folder); /* a service may start meanwhile */
    *ret_store = take_ptr(&store);
    return 0;
}

int store_start(struct store *store, struct loop *loop, struct err *err)
{
    return store_thread_start(store, loop, err);
}

/* 1: it is there. */
static int read_secret(struct store *store, const char *name, unsigned char ret_secret[32],
                       struct err *err)
{
    auto_statement struct statement *get = statement_use(&store->db, SQL_SECRET_GET);
    bind_text(get, name);
    int rc = statement_step(get, err);
    if (rc > 0)
        column_digest(get, ret_secret);
    return rc;
}

int store_secret(struct store *store, const char *name, unsigned char ret_secret[32],
                 struct err *err)
{
    unsigned char fresh[32];
    int rc = read_secret(store, name, ret_secret, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (getrandom(fresh, sizeof fresh, 0) != (ssize_t)sizeof fresh)
        return err_sys(err, errno, "cannot make a secret");
    auto_statement struct statement *add = statement_use(&store->db, SQL_SECRET_ADD);
    bind_text(add, name);
    bind_digest(add, fresh);
    if (statement_run(add, err) < 0)
        return -1;
    rc = read_secret(store, name, ret_secret, err);
    if (rc == 0)
        return err_set(err, ERR_INTERNAL, "the secret %s was not kept", name);
    return rc < 0 ? -1 : 0;
}

int store_files_folder(const struct store *store)
{
    return store->folder.files;
}

struct store_size store_size(const struct store *store)
{
    return (struct store_size){
        .bytes = store->size.bytes,
        .free_bytes = store->size.free_bytes,
        .runs = store->size.runs,
        .files = store->size.files,
    };
}
