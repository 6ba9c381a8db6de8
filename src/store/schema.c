/* SPDX-License-Identifier: MIT */
/* Theory. A run is a narrow row of `runs`, so that lists and filters walk over
 * few pages; its texts stand in tables of their own, and go with it (ON DELETE
 * CASCADE). Languages and verdicts are numbers there (`words`; 0 is "", a run
 * that has not finished).
 *
 * Every combination of key, verdict and language has an index that ends in
 * created_ms and, as every index, in the row's number: a page of any filter is a
 * walk along one index, from where the last page ended. Filters by metadata walk
 * along pairs: a pair's number is a hash of its name and value, so that the
 * index stays narrow; the texts are compared, too.
 *
 * `totals` is one row that triggers keep: what a sum over a million rows would
 * say. `holdings` are the same for each key: whose oldest go is asked with every
 * step of retention. */
#include "store/schema.h"

#include <stdio.h>

#include "base/util.h"
#include "store/database.h"

enum { APPLICATION = 0x526e6e6c }; /* "Rnnl": tells our files from others */

static const char version_1[] =
    "CREATE TABLE words(number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "INSERT INTO words VALUES(0, '');"
    "CREATE TABLE secrets(name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE runs("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  key INTEGER NOT NULL,"
    "  language INTEGER NOT NULL,"
    "  verdict INTEGER NOT NULL DEFAULT 0,"
    "  created_ms INTEGER NOT NULL,"
    "  finished_ms INTEGER NOT NULL DEFAULT 0,"
    "  interrupted INTEGER NOT NULL DEFAULT 0,"
    "  queued_ms INTEGER NOT NULL DEFAULT 0,"
    "  wall_ms INTEGER NOT NULL DEFAULT 0,"
    "  cpu_ms INTEGER NOT NULL DEFAULT 0,"
    "  bytes INTEGER NOT NULL," /* of its texts and rows */
    "  idempotency_key TEXT,"
    "  request_digest BLOB);"
    "CREATE INDEX runs_by_time ON runs(created_ms);"
    "CREATE INDEX runs_by_verdict ON runs(verdict, created_ms);"
    "CREATE INDEX runs_by_language ON runs(language, created_ms);"
    "CREATE INDEX runs_by_both ON runs(verdict, language, created_ms);"
    "CREATE INDEX runs_of_key ON runs(key, created_ms);"
    "CREATE INDEX runs_of_key_by_verdict ON runs(key, verdict, created_ms);"
    "CREATE INDEX runs_of_key_by_language ON runs(key, language, created_ms);"
    "CREATE INDEX runs_of_key_by_both ON runs(key, verdict, language, created_ms);"
    "CREATE UNIQUE INDEX runs_idempotent ON runs(key, idempotency_key)"
    "  WHERE idempotency_key IS NOT NULL;"

    "CREATE TABLE answers("
    "  run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, accepted BLOB, result BLOB);"
    "CREATE TABLE requests("
    "  run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, request BLOB);"
    "CREATE TABLE events("
    "  run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, events BLOB);"
    "CREATE TABLE metadata("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    "  place INTEGER NOT NULL,"
    "  pair INTEGER NOT NULL,"
    "  key INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  name TEXT NOT NULL,"
    "  value TEXT NOT NULL,"
    "  PRIMARY KEY(run, place)) WITHOUT ROWID;"
    "CREATE INDEX metadata_by_pair ON metadata(pair, created_ms, run);"
    "CREATE INDEX metadata_of_key ON metadata(key, pair, created_ms, run);"

    "CREATE TABLE files("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  key INTEGER NOT NULL,"
    "  run INTEGER REFERENCES runs ON DELETE CASCADE," /* NULL: uploaded */
    "  name TEXT NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  sha256 BLOB NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL);"
    "CREATE INDEX files_of_run ON files(run);"
    "CREATE INDEX uploads_by_time ON files(key, created_ms) WHERE run IS NULL;"
    "CREATE INDEX uploads_by_age ON files(created_ms) WHERE run IS NULL;"
    "CREATE INDEX files_expiring ON files(expires_ms) WHERE expires_ms > 0;"

    "CREATE TABLE webhooks("
    "  run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,"
    "  url TEXT NOT NULL,"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  first_ms INTEGER NOT NULL DEFAULT 0,"
    "  next_ms INTEGER NOT NULL DEFAULT 0);" /* 0: the run has not finished */
    "CREATE INDEX webhooks_due ON webhooks(next_ms) WHERE next_ms > 0;"

    "CREATE TABLE keys("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT," /* never given twice */
    "  label TEXT NOT NULL,"
    "  token_digest BLOB NOT NULL UNIQUE,"
    "  scopes INTEGER NOT NULL,"
    "  rate_milli INTEGER NOT NULL,"
    "  burst INTEGER NOT NULL,"
    "  concurrency INTEGER NOT NULL,"
    "  daily_run_ms INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL,"
    "  revoked_ms INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE usage("
    "  key INTEGER NOT NULL, day INTEGER NOT NULL,"
    "  runs INTEGER NOT NULL, run_ms INTEGER NOT NULL, cpu_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(day, key)) WITHOUT ROWID;"

    "CREATE TABLE totals(runs INTEGER NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "INSERT INTO totals VALUES(0, 0, 0);"
    "CREATE TRIGGER run_added AFTER INSERT ON runs BEGIN"
    "  UPDATE totals SET runs = runs + 1, bytes = bytes + NEW.bytes; END;"
    "CREATE TRIGGER run_grown AFTER UPDATE OF bytes ON runs BEGIN"
    "  UPDATE totals SET bytes = bytes + NEW.bytes - OLD.bytes; END;"
    "CREATE TRIGGER run_removed AFTER DELETE ON runs BEGIN"
    "  UPDATE totals SET runs = runs - 1, bytes = bytes - OLD.bytes; END;"
    "CREATE TRIGGER file_added AFTER INSERT ON files BEGIN"
    "  UPDATE totals SET files = files + 1, bytes = bytes + NEW.size; END;"
    "CREATE TRIGGER file_removed AFTER DELETE ON files BEGIN"
    "  UPDATE totals SET files = files - 1, bytes = bytes - OLD.size; END;";

/* What its client called us: links in the record begin with it. */
static const char version_2[] = "ALTER TABLE webhooks ADD COLUMN base TEXT;";

/* Keys take turns. */
static const char version_3[] =
    "ALTER TABLE webhooks ADD COLUMN key INTEGER NOT NULL DEFAULT 0;"
    "UPDATE webhooks SET key = (SELECT key FROM runs WHERE number = run);"
    "CREATE INDEX webhooks_of_key ON webhooks(key, next_ms) WHERE next_ms > 0;";

/* What is too much goes from the key that holds most. */
static const char version_4[] =
    "CREATE TABLE holdings(key INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);"
    "INSERT INTO holdings SELECT key, sum(bytes) FROM ("
    "  SELECT key, bytes FROM runs UNION ALL SELECT key, size FROM files) GROUP BY key;"
    "CREATE INDEX holdings_by_bytes ON holdings(bytes);"
    "DROP INDEX uploads_by_age;"
    "CREATE TRIGGER run_held AFTER INSERT ON runs BEGIN"
    "  INSERT INTO holdings VALUES(NEW.key, NEW.bytes)"
    "  ON CONFLICT DO UPDATE SET bytes = bytes + NEW.bytes; END;"
    "CREATE TRIGGER run_held_grown AFTER UPDATE OF bytes ON runs BEGIN"
    "  UPDATE holdings SET bytes = bytes + NEW.bytes - OLD.bytes WHERE key = NEW.key; END;"
    "CREATE TRIGGER run_let_go AFTER DELETE ON runs BEGIN"
    "  UPDATE holdings SET bytes = bytes - OLD.bytes WHERE key = OLD.key; END;"
    "CREATE TRIGGER file_held AFTER INSERT ON files BEGIN"
    "  INSERT INTO holdings VALUES(NEW.key, NEW.size)"
    "  ON CONFLICT DO UPDATE SET bytes = bytes + NEW.size; END;"
    "CREATE TRIGGER file_let_go AFTER DELETE ON files BEGIN"
    "  UPDATE holdings SET bytes = bytes - OLD.size WHERE key = OLD.key; END;";

static const char *const steps[] = {version_1, version_2, version_3, version_4};
static const struct schema current = {steps, ARRAY_LEN(steps)};

const struct schema *schema_current(void)
{
    return &current;
}

static int check_ours(struct database *db, struct err *err)
{
    uint64_t application = 0;
    uint64_t tables = 0;
    if (database_number(db, "PRAGMA application_id", &application, err) < 0 ||
        database_number(db, "SELECT count(*) FROM sqlite_master", &tables, err) < 0)
        return -1;
    if (tables > 0 && application != APPLICATION)
        return err_set(err, ERR_CONFIG,
                       "the database is not runnel's; name another folder with --storage-dir");
    return 0;
}

/* Numbers cannot be bound in a PRAGMA. */
static int set_version(struct database *db, size_t version, struct err *err)
{
    char sql[100];
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %zu",
                   APPLICATION, version);
    return database_execute(db, sql, err);
}

static int take_step(struct database *db, const struct schema *schema, size_t from, struct err *err)
{
    if (database_begin(db, true, err) < 0)
        return -1;
    if (database_execute(db, schema->steps[from], err) < 0 || set_version(db, from + 1, err) < 0) {
        database_rollback(db);
        return err_wrap(err, "the database cannot be brought to version %zu", from + 1);
    }
    return database_commit(db, err);
}

static int version_of(struct database *db, uint64_t *ret_version, struct err *err)
{
    return database_number(db, "PRAGMA user_version", ret_version, err);
}

int schema_is(struct database *db, const struct schema *schema, struct err *err)
{
    uint64_t version = 0;
    return version_of(db, &version, err) < 0 ? -1 : version == schema->version;
}

int schema_migrate(struct database *db, const struct schema *schema, struct err *err)
{
    uint64_t version = 0;
    if (check_ours(db, err) < 0 || version_of(db, &version, err) < 0)
        return -1;
    if (version > schema->version)
        return err_set(err, ERR_CONFIG,
                       "a newer runnel wrote the database: its version is %llu, this runnel "
                       "knows %zu; name another folder with --storage-dir",
                       (unsigned long long)version, schema->version);
    for (; version < schema->version; version++) {
        if (take_step(db, schema, version, err) < 0)
            return -1;
    }
    return 0;
}
