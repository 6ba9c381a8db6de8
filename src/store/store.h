/* SPDX-License-Identifier: MIT */
/* store.h — what survives us: runs, files, keys, usage. SQLite in WAL mode with
 * one owner thread; nobody else touches the database.
 *
 *     store_open(&config, &store, err);      made, locked, migrated; runs that a
 *                                            predecessor left are interrupted, or kept open
 *     …privilege is dropped…
 *     store_start(store, loop, err);         its thread
 *     store_run_add(store, &run, on_added, context);
 *     store_free(store);                     what was asked for is done first, and
 *                                            every `done` called, from here
 *
 * Calls queue, and never block; everything given is copied. `done` comes once,
 * from the loop, in the order of the calls; what it gets is borrowed for the call.
 * A call whose `done` may be NULL says so. All calls of one turn of the owner are
 * one transaction: a `done` means that a kill -9 loses nothing of it any more.
 *
 * Times are Unix milliseconds. A key is a row's number; 0 is nobody's: what is
 * made while no keys are configured. Errors: ERR_STORAGE_FULL when the disk is
 * full (the next call tries again), ERR_NOT_FOUND, ERR_CONFLICT, ERR_INTERNAL.
 */
#ifndef RUNNEL_STORE_STORE_H
#define RUNNEL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

struct loop;
struct store;

enum {
    STORE_ID_SIZE = 40,      /* "run_" or "file_" and 12 letters and digits, and room */
    STORE_DIGEST_SIZE = 32,  /* SHA-256 */
    STORE_METADATA_MAX = 16, /* pairs of a run */
    STORE_PAGE_MAX = 100,    /* rows of one list */
};

struct store_config {
    const char *dir; /* made when missing, mode 0700; ours alone: locked */
    uid_t owner;     /* of the folder; (uid_t)-1: as it comes. Such a user may have made what
                        is in it, so that root is no match: */
    int (*become_owner)(uid_t owner, struct err *err); /* called before anything is read; or NULL */
    uint64_t keep_ms;        /* finished runs, with all that is theirs; 0: for ever */
    uint64_t keep_bytes;     /* of all runs and files together; beyond it the oldest finished runs
                                and uploads go, of the key that holds most; 0: any */
    uint64_t min_free_bytes; /* of the disk, below which nothing new is taken; 0: 16 MiB */
    bool keeps_open; /* runs of a predecessor may still go on elsewhere: they stay as they are */
};

/* ERR_CONFIG when the folder cannot be used, or another runnel has it. */
int store_open(const struct store_config *config, struct store **ret_store, struct err *err);
int store_start(struct store *store, struct loop *loop, struct err *err);
void store_free(struct store *store);

/* A secret of ours that is made once and kept: 32 random bytes under this name.
 * Before store_start. */
int store_secret(struct store *store, const char *name, unsigned char ret_secret[32],
                 struct err *err);
/* The folder for contents (content.h); borrowed. */
int store_files_folder(const struct store *store);
/* Bytes on disk of runs and files together, and of the disk what is free, as last looked at. */
struct store_size {
    uint64_t bytes;
    uint64_t free_bytes;
    uint64_t runs;
    uint64_t files;
};
struct store_size store_size(const struct store *store);

typedef void store_done_fn(void *context, const struct err *err); /* NULL: done */

/* --- files (rows; their bytes are content.h's) --- */

struct store_file {
    const char *id;
    uint64_t key;
    const char *run;  /* whose artifact it is; NULL: uploaded */
    const char *name; /* UTF-8; an artifact's path below outputs/ */
    uint64_t size;
    unsigned char sha256[STORE_DIGEST_SIZE];
    uint64_t created_ms;
    uint64_t expires_ms; /* 0: with its run, or never */
};

typedef void store_file_fn(void *context, const struct store_file *file, const struct err *err);
typedef void store_files_fn(void *context, const struct store_file *files, size_t count,
                            const struct err *err);

/* The content stands in the folder under the file's id already. */
void store_file_add(struct store *store, const struct store_file *file, store_done_fn *done,
                    void *context);
/* ERR_NOT_FOUND also when it has expired. */
void store_file_get(struct store *store, const char *id, store_file_fn *done, void *context);
/* Uploads of a key, newest first, from the one behind `before` (NULL: the newest). */
void store_file_list(struct store *store, uint64_t key, const char *before, size_t limit,
                     store_files_fn *done, void *context);
/* Row and content. done may be NULL. */
void store_file_remove(struct store *store, const char *id, store_done_fn *done, void *context);

/* --- runs --- */

struct store_pair {
    const char *name;
    const char *value;
};

/* As it was accepted. */
struct store_run {
    const char *id;
    uint64_t key;
    const char *language;
    uint64_t created_ms;
    struct slice accepted; /* the dialect's own text about it, given back as it is */
    struct slice request;  /* the request's body, or as much of it as is kept */
    const struct store_pair *metadata;
    size_t metadata_count;
    const char *idempotency_key;                     /* of this key; NULL: none */
    unsigned char request_digest[STORE_DIGEST_SIZE]; /* of the request, with an idempotency_key */
    const char *webhook_url;                         /* NULL: none */
    const char *webhook_base; /* what links in it begin with; NULL: they are paths */
};

/* How it ended. */
struct store_end {
    const char *verdict; /* "succeeded" */
    uint64_t finished_ms;
    uint64_t queued_ms;
    uint64_t wall_ms;
    uint64_t cpu_ms;
    uint64_t run_ms;     /* of all stages: what its key's day is charged with; not read back */
    struct slice result; /* the dialect's own text, given back as it is */
    struct slice events; /* its output with its timing, the same */
    const struct store_file *artifacts;
    size_t artifact_count;
};

/* A run as it is stored. */
struct stored_run {
    struct store_run run; /* idempotency_key, digest and webhook_… are left out */
    bool is_finished;
    bool is_interrupted; /* finished by our restart: `end` has no result and no events */
    bool lacks_events;   /* there are more bytes of them than were asked for, and none is here */
    struct store_end end;
};

/* `existing` is NULL when the run was added; else the id of the run that has this
 * idempotency key, and whether its request was the same. */
typedef void store_added_fn(void *context, const char *existing, bool same_request,
                            const struct err *err);
typedef void store_run_fn(void *context, const struct stored_run *run, const struct err *err);
typedef void store_runs_fn(void *context, const struct stored_run *runs, size_t count, bool more,
                           const struct err *err);

void store_run_add(struct store *store, const struct store_run *run, store_added_fn *done,
                   void *context);
/* What store_run_add would say of its key, idempotency_key and request_digest; nothing is
 * added. */
void store_run_find_same(struct store *store, const struct store_run *run, store_added_fn *done,
                         void *context);
/* With its artifacts, its key's usage of the day, and its webhook becoming due: all or
 * nothing. */
void store_run_finish(struct store *store, const char *id, const struct store_end *end,
                      store_done_fn *done, void *context);
/* Nobody will say how it ended. ERR_CONFLICT when it has. done may be NULL. */
void store_run_interrupt(struct store *store, const char *id, store_done_fn *done, void *context);
/* Events only when they are no more bytes than that: they may be long, and longer ones are not
 * even read. Artifacts always. */
void store_run_get(struct store *store, const char *id, size_t events_max, store_run_fn *done,
                   void *context);

struct store_filter {
    bool any_key; /* else runs of `key` */
    uint64_t key;
    const char *verdict;               /* NULL: any; "" : not finished */
    const char *language;              /* NULL: any */
    const struct store_pair *metadata; /* all of them must be there */
    size_t metadata_count;
    uint64_t since_ms;  /* created then or later */
    uint64_t until_ms;  /* created before; 0: any */
    const char *before; /* the page behind this run; NULL: the newest */
    size_t limit;       /* at most STORE_PAGE_MAX */
};
/* Newest first; without request, events and artifacts. `more`: there is another page. A page
 * of long runs (8 MiB) is shorter than `limit`, and so is one for which many others had to be
 * looked at; ERR_INVALID, of `since`: they were too many. ERR_NOT_FOUND: `before` is none of the
 * key's. */
void store_run_list(struct store *store, const struct store_filter *filter, store_runs_fn *done,
                    void *context);
/* The same, before store_start. */
int store_run_list_now(struct store *store, const struct store_filter *filter, store_runs_fn *each,
                       void *context, struct err *err);
/* With its events, artifacts and their contents. done may be NULL. */
void store_run_remove(struct store *store, const char *id, store_done_fn *done, void *context);

/* --- webhooks that are due --- */

struct store_webhook {
    uint64_t key;
    const char *run;
    const char *url;
    const char *base; /* NULL: none */
    unsigned attempts;
    uint64_t first_ms; /* when the first attempt began; before that: when it became due */
};
typedef void store_webhooks_fn(void *context, const struct store_webhook *webhooks, size_t count,
                               uint64_t next_ms, const struct err *err);
enum { STORE_WEBHOOKS_OF_KEY = 4 };
/* The time of day when the store was opened, and since then a clock that nobody sets: by it they
 * are due. */
uint64_t store_steady_ms(const struct store *store);
/* Those that are due now, at most 32, and when the next will become so (0: none). Keys take
 * turns: of each the one that waits longest, from the key behind `after_key` on, then the
 * second of each, and so on to STORE_WEBHOOKS_OF_KEY. */
void store_webhook_due(struct store *store, uint64_t now_ms, uint64_t after_key,
                       store_webhooks_fn *done, void *context);
/* A start cannot know how long it was away, since the clock may have been set meanwhile. So of
 * those that were tried so often none waits more than pause_ms from now; and its first attempt
 * counts as having been past_ms before the next one, or before now when that is overdue. */
void store_webhook_resume(struct store *store, unsigned attempts, uint64_t pause_ms,
                          uint64_t past_ms);
/* Tried, first at first_ms: again at next_ms, or never (0: delivered, or given up). done may
 * be NULL. */
void store_webhook_tried(struct store *store, const char *run, uint64_t first_ms, uint64_t next_ms,
                         store_done_fn *done, void *context);

/* --- keys --- */

enum { STORE_SCOPE_RUN = 1, STORE_SCOPE_FILES = 2, STORE_SCOPE_ADMIN = 4 };

struct store_key {
    uint64_t number; /* 0 when it is to be added: the store gives one */
    const char *label;
    unsigned char token_digest[STORE_DIGEST_SIZE];
    unsigned scopes;
    uint64_t rate_milli; /* requests a second, in thousandths; 0: unlimited */
    uint64_t burst;
    uint64_t concurrency;  /* runs at once; 0: any */
    uint64_t daily_run_ms; /* of its runs and their compilers, a day (UTC); 0: any */
    uint64_t created_ms;
    uint64_t expires_ms; /* 0: never */
    uint64_t revoked_ms; /* 0: not */
};

struct store_usage {
    uint64_t key;
    uint64_t day; /* since 1970, UTC */
    uint64_t runs;
    uint64_t run_ms;
    uint64_t cpu_ms;
};

typedef void store_keys_fn(void *context, const struct store_key *keys, size_t count,
                           const struct err *err);
typedef void store_usages_fn(void *context, const struct store_usage *usages, size_t count,
                             const struct err *err);

/* ERR_CONFLICT when the token is known. ret_number may be NULL. The _now calls are
 * for programs without a loop, and before store_start; a service that has the same
 * folder open notices (store_key_list tells). */
int store_key_add_now(struct store *store, const struct store_key *key, uint64_t *ret_number,
                      struct err *err);
int store_key_revoke_now(struct store *store, uint64_t number, uint64_t now_ms, struct err *err);
int store_key_list_now(struct store *store, store_keys_fn *each, void *context, struct err *err);
/* For those: opens a folder that a service may have open; only the calls above. A process that is
 * root is the folder's owner from then on (user_become). */
int store_open_beside(const char *dir, struct store **ret_store, struct err *err);

void store_key_add(struct store *store, const struct store_key *key, store_done_fn *done,
                   void *context);
void store_key_revoke(struct store *store, uint64_t number, uint64_t now_ms, store_done_fn *done,
                      void *context);
/* All, revoked ones too. When `only_if_changed`, done gets NULL and 0 unless another
 * process wrote since this was last asked, or we did. */
void store_key_list(struct store *store, bool only_if_changed, store_keys_fn *done, void *context);
/* Of all keys from this day on. */
void store_usage_list(struct store *store, uint64_t from_day, store_usages_fn *done, void *context);

#endif
