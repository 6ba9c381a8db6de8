/* SPDX-License-Identifier: MIT */
/* sql.h — every statement of the store but those of lists (store_list.c) and of
 * migrations (store_schema.c): a name, and its text. All are made when the store
 * is opened, so that a mistake in one is seen at the start.
 *
 * Parameters ?1, ?2 … are bound in this order; one may stand in several places.
 */
#ifndef RUNNEL_STORE_SQL_H
#define RUNNEL_STORE_SQL_H

/* What read_run and read_file of store_rows.c read. */
#define SQL_RUN_COLUMNS                                                  \
    "r.number, r.id, r.key, language.text, r.created_ms, verdict.text, " \
    "r.finished_ms, r.interrupted, r.queued_ms, r.wall_ms, r.cpu_ms, "   \
    "answers.accepted, answers.result "
/* CROSS JOIN: in this order, whatever SQLite guesses. */
#define SQL_RUN_JOINS                                            \
    "CROSS JOIN words language ON language.number = r.language " \
    "CROSS JOIN words verdict ON verdict.number = r.verdict "    \
    "CROSS JOIN answers ON answers.run = r.number "
#define SQL_FILE_COLUMNS                                                    \
    "files.id, files.key, (SELECT id FROM runs WHERE number = files.run), " \
    "files.name, files.size, files.sha256, files.created_ms, files.expires_ms "
/* From one key to the next, however many rows each has. */
#define SQL_WEBHOOK_KEY "SELECT key FROM webhooks INDEXED BY webhooks_of_key WHERE next_ms > 0 "

#define SQL_ARTIFACT_BYTES "(SELECT coalesce(sum(size), 0) FROM files WHERE run = runs.number) "

/* clang-format off */
#define SQL_TABLE(X) \
    X(SQL_SAVEPOINT, "SAVEPOINT job") \
    X(SQL_SAVEPOINT_KEEP, "RELEASE job") \
    X(SQL_SAVEPOINT_UNDO, "ROLLBACK TO job") \
    X(SQL_TOTALS, "SELECT runs, files, bytes FROM totals") \
    X(SQL_WORD_ADD, "INSERT OR IGNORE INTO words(text) VALUES(?1)") \
    X(SQL_USAGE_FORGET, "DELETE FROM usage WHERE day < ?1") \
    X(SQL_SECRET_GET, "SELECT bytes FROM secrets WHERE name = ?1") \
    X(SQL_SECRET_ADD, "INSERT OR IGNORE INTO secrets(name, bytes) VALUES(?1, ?2)") \
    \
    X(SQL_RUN_SAME, \
      "SELECT id, request_digest FROM runs WHERE key = ?1 AND idempotency_key = ?2") \
    X(SQL_RUN_ADD, \
      "INSERT INTO runs(id, key, language, created_ms, bytes, idempotency_key, request_digest) " \
      "VALUES(?1, ?2, (SELECT number FROM words WHERE text = ?3), ?4, ?5, ?6, ?7)") \
    X(SQL_ANSWER_ADD, "INSERT INTO answers(run, accepted) VALUES(?1, ?2)") \
    X(SQL_REQUEST_ADD, "INSERT INTO requests(run, request) VALUES(?1, ?2)") \
    X(SQL_METADATA_ADD, \
      "INSERT INTO metadata(run, place, pair, key, created_ms, name, value) " \
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
    X(SQL_RUN_FIND, "SELECT number, key, verdict, created_ms FROM runs WHERE id = ?1") \
    X(SQL_RUN_FINISH, \
      "UPDATE runs SET verdict = (SELECT number FROM words WHERE text = ?2), finished_ms = ?3, " \
      "queued_ms = ?4, wall_ms = ?5, cpu_ms = ?6, bytes = bytes + ?7 WHERE number = ?1") \
    X(SQL_ANSWER_FINISH, "UPDATE answers SET result = ?2 WHERE run = ?1") \
    X(SQL_EVENTS_ADD, "INSERT INTO events(run, events) VALUES(?1, ?2)") \
    X(SQL_USAGE_ADD, \
      "INSERT INTO usage(key, day, runs, run_ms, cpu_ms) VALUES(?1, ?2, 1, ?3, ?4) " \
      "ON CONFLICT DO UPDATE SET runs = runs + 1, run_ms = run_ms + ?3, cpu_ms = cpu_ms + ?4") \
    X(SQL_RUN_GET, "SELECT " SQL_RUN_COLUMNS "FROM runs r " SQL_RUN_JOINS "WHERE r.id = ?1") \
    X(SQL_REQUEST_GET, "SELECT request FROM requests WHERE run = ?1") \
    X(SQL_EVENTS_GET, "SELECT length(events), CASE WHEN length(events) <= ?2 THEN events END " \
      "FROM events WHERE run = ?1") \
    X(SQL_METADATA_GET, "SELECT name, value FROM metadata WHERE run = ?1 ORDER BY place") \
    X(SQL_RUN_REMOVE, "DELETE FROM runs WHERE number = ?1") \
    X(SQL_WEBHOOK_START_ALL, \
      "UPDATE webhooks SET first_ms = ?1, next_ms = ?1 " \
      "WHERE run IN (SELECT number FROM runs WHERE verdict = 0)") \
    X(SQL_RUN_INTERRUPT_ALL, \
      "UPDATE runs SET verdict = (SELECT number FROM words WHERE text = ?1), " \
      "finished_ms = MAX(created_ms, ?2), interrupted = 1 WHERE verdict = 0") \
    X(SQL_RUN_INTERRUPT, \
      "UPDATE runs SET verdict = (SELECT number FROM words WHERE text = ?1), " \
      "finished_ms = MAX(created_ms, ?2), interrupted = 1 WHERE number = ?3") \
    \
    X(SQL_FILE_ADD, \
      "INSERT INTO files(id, key, run, name, size, sha256, created_ms, expires_ms) " \
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)") \
    X(SQL_FILE_GET, \
      "SELECT " SQL_FILE_COLUMNS "FROM files " \
      "WHERE id = ?1 AND (expires_ms = 0 OR expires_ms > ?2)") \
    X(SQL_FILES_OF_RUN, \
      "SELECT " SQL_FILE_COLUMNS "FROM files WHERE run = ?1 ORDER BY number") \
    X(SQL_FILE_PLACE, \
      "SELECT created_ms, number FROM files WHERE id = ?1 AND key = ?2 AND run IS NULL") \
    X(SQL_FILE_LIST, \
      "SELECT " SQL_FILE_COLUMNS "FROM files INDEXED BY uploads_by_time " \
      "WHERE run IS NULL AND key = ?1 AND created_ms <= ?2 " \
      "AND (created_ms < ?2 OR number < ?3) AND (expires_ms = 0 OR expires_ms > ?4) " \
      "ORDER BY created_ms DESC, number DESC LIMIT ?5") \
    X(SQL_FILE_REMOVE, "DELETE FROM files WHERE id = ?1") \
    X(SQL_FILE_KNOWN, "SELECT 1 FROM files WHERE id = ?1") \
    \
    X(SQL_WEBHOOK_ADD, "INSERT INTO webhooks(run, url, base, key) VALUES(?1, ?2, ?3, ?4)") \
    X(SQL_WEBHOOK_START, "UPDATE webhooks SET first_ms = ?2, next_ms = ?2 WHERE run = ?1") \
    X(SQL_WEBHOOK_DUE, \
      "WITH RECURSIVE tenants(key) AS (" \
      "SELECT (" SQL_WEBHOOK_KEY "ORDER BY key LIMIT 1) UNION ALL " \
      "SELECT (" SQL_WEBHOOK_KEY "AND key > tenants.key ORDER BY key LIMIT 1) " \
      "FROM tenants WHERE tenants.key IS NOT NULL) " \
      "SELECT hook.key, (SELECT id FROM runs WHERE number = hook.run), hook.url, hook.base, " \
      "hook.attempts, hook.first_ms FROM tenants CROSS JOIN webhooks hook " \
      "WHERE hook.run IN (SELECT run FROM webhooks INDEXED BY webhooks_of_key " \
      "WHERE key = tenants.key AND next_ms > 0 AND next_ms <= ?1 ORDER BY next_ms LIMIT ?3) " \
      "ORDER BY row_number() OVER (PARTITION BY hook.key ORDER BY hook.next_ms, hook.run), " \
      "hook.key <= ?2, hook.key LIMIT ?4") \
    X(SQL_WEBHOOK_NEXT, \
      "SELECT next_ms FROM webhooks INDEXED BY webhooks_due " \
      "WHERE next_ms > 0 AND next_ms > ?1 ORDER BY next_ms LIMIT 1") \
    X(SQL_WEBHOOK_RESUME, \
      "UPDATE webhooks SET next_ms = MIN(next_ms, ?2 + ?3), " \
      "first_ms = MAX(?4, ?2, MIN(next_ms, ?2 + ?3)) - ?4 WHERE next_ms > 0 AND attempts = ?1") \
    X(SQL_WEBHOOK_AGAIN, \
      "UPDATE webhooks SET attempts = attempts + 1, first_ms = ?2, next_ms = ?3 " \
      "WHERE run = (SELECT number FROM runs WHERE id = ?1)") \
    X(SQL_WEBHOOK_REMOVE, \
      "DELETE FROM webhooks WHERE run = (SELECT number FROM runs WHERE id = ?1)") \
    \
    X(SQL_KEY_ADD, \
      "INSERT INTO keys(label, token_digest, scopes, rate_milli, burst, concurrency, " \
      "daily_run_ms, created_ms, expires_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)") \
    X(SQL_KEY_REVOKE, \
      "UPDATE keys SET revoked_ms = CASE revoked_ms WHEN 0 THEN ?2 ELSE revoked_ms END " \
      "WHERE number = ?1") \
    X(SQL_KEY_LIST, \
      "SELECT number, label, token_digest, scopes, rate_milli, burst, concurrency, " \
      "daily_run_ms, created_ms, expires_ms, revoked_ms FROM keys ORDER BY number") \
    X(SQL_OTHERS_WROTE, "PRAGMA data_version") \
    X(SQL_USAGE_LIST, \
      "SELECT key, day, runs, run_ms, cpu_ms FROM usage WHERE day >= ?1 ORDER BY day, key") \
    \
    X(SQL_FILES_EXPIRED, \
      "SELECT id, size FROM files WHERE expires_ms > 0 AND expires_ms <= ?1 " \
      "ORDER BY expires_ms LIMIT ?2") \
    X(SQL_RUNS_OLD, \
      "SELECT number, bytes + " SQL_ARTIFACT_BYTES \
      "FROM runs INDEXED BY runs_by_time " \
      "WHERE created_ms < ?1 AND finished_ms < ?1 AND verdict <> 0 " \
      "ORDER BY created_ms, number LIMIT ?2") \
    X(SQL_HOLDER_LARGEST, \
      "SELECT key FROM holdings INDEXED BY holdings_by_bytes WHERE " \
      "EXISTS(SELECT 1 FROM files INDEXED BY uploads_by_time " \
      "WHERE run IS NULL AND files.key = holdings.key) OR " \
      "EXISTS(SELECT 1 FROM runs INDEXED BY runs_of_key " \
      "WHERE runs.key = holdings.key AND verdict <> 0) " \
      "ORDER BY bytes DESC LIMIT 1") \
    X(SQL_HOLDER_OLDEST, \
      "SELECT created_ms, number, NULL, bytes + " SQL_ARTIFACT_BYTES \
      "FROM runs INDEXED BY runs_of_key WHERE key = ?1 AND verdict <> 0 UNION ALL " \
      "SELECT created_ms, NULL, id, size " \
      "FROM files INDEXED BY uploads_by_time WHERE run IS NULL AND key = ?1 " \
      "ORDER BY 1 LIMIT ?2")

enum sql {
#define X(name, text) name,
    SQL_TABLE(X)
#undef X
    SQL_COUNT
};
/* clang-format on */

#endif
