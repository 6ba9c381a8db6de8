/* SPDX-License-Identifier: MIT */
/* store_private.h — the store from inside: the folder, the database, and jobs.
 *
 * A call of store.h becomes a job: an object that begins with `struct job`, holds
 * copies of the arguments, travels to the owner's thread, where `work` fills in
 * its results, and back to the loop, where `deliver` calls the caller.
 *
 *     struct file_get *get = job_new(store, &file_get_kind, context);
 *     get->id = arena_text(&get->job.arguments, id);
 *     job_send(&get->job);
 *
 * `work` may run twice for one job: when a transaction is lost, its jobs are
 * tried again one by one. So it writes to its results only, which are cleared
 * before, and changes nothing but the database. What the store shall know of it
 * afterwards is for `committed`.
 */
#ifndef RUNNEL_STORE_STORE_PRIVATE_H
#define RUNNEL_STORE_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "loop/loop.h"
#include "store/database.h"
#include "store/store.h"

struct store_folder {
    int dir;
    int lock;        /* -1: beside another process */
    int files;       /* contents */
    char path[4096]; /* of the database, for people; */
    char name[40];   /* and for this process, whatever the folders above it are */
};

/* As of a transaction: when both are as they were, the keys are, too. */
struct keys_state {
    bool is_known;
    uint64_t written;      /* keys_written then */
    uint64_t others_wrote; /* SQL_OTHERS_WROTE then */
};

struct store {
    struct store_folder folder;
    struct store_config config; /* dir is not kept */
    uint64_t steady_from_ms;    /* what store_steady_ms adds to the loop's clock */
    struct database db;         /* the owner's, while the thread runs */
    struct {
        _Atomic uint64_t runs, files, bytes, free_bytes;
    } size; /* as of the last transaction that was committed */

    /* The owner's. */
    struct store_size seen;       /* by store_look */
    uint64_t keys_written;        /* how often by us; also when the transaction was lost */
    struct keys_state keys_known; /* to those who list them */
    bool has_backlog;             /* the last step of retention left something to do */
    uint64_t next_retention_ns;

    struct loop_wake *wake;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t news; /* pending or stopping */
    struct list pending; /* under the mutex, as the rest */
    struct list finished;
    unsigned large; /* jobs of this kind, taken and not yet delivered */
    bool stopping;
};

/* --- jobs --- */

struct job;
struct job_kind {
    size_t size;
    bool writes;
    bool is_large; /* its results may be megabytes */
    int (*work)(struct store *store, struct job *job, struct err *err);
    void (*committed)(struct store *store, const struct job *job); /* or NULL; it has not failed */
    void (*deliver)(struct job *job, const struct err *err);       /* NULL: its `done` */
};

struct removal {
    struct removal *next;
    const char *id;
};

struct job {
    struct list link;
    struct store *store;
    const struct job_kind *kind;
    store_done_fn *done; /* NULL: nobody asks, or `deliver` knows */
    void *context;
    struct arena arguments;
    struct arena results;
    struct removal *removals; /* contents that go when the transaction is committed */
    bool is_counted;          /* in store.large */
    bool failed;
    struct err err;
};

/* The first member of an object of kind->size bytes, which is zero otherwise. */
void *job_new(struct store *store, const struct job_kind *kind, void *context);
void job_send(struct job *job);
/* A content that goes with the transaction. */
void job_remove_content(struct job *job, const char *id);
/* All of them in one transaction, or, if that is lost, each in its own. */
void jobs_run(struct store *store, struct list *jobs);
/* At once, on this thread; for calls before store_start. */
int job_run_now(struct job *job, struct err *err);
void job_free(struct job *job);

/* After the thread has ended: what is left, and what the callbacks still ask for. */
void store_drain(struct store *store);
int store_thread_start(struct store *store, struct loop *loop, struct err *err);
void store_thread_stop(struct store *store);

/* --- what files share --- */

int store_folder_open(const struct store_config *config, bool locked, struct store_folder *folder,
                      struct err *err);
int store_folder_lock(struct store_folder *folder, unsigned tries, struct err *err);
void store_folder_unlock(struct store_folder *folder);
int store_folder_give(const struct store_folder *folder, uid_t owner, struct err *err);
int store_folder_make_database(const struct store_folder *folder, struct err *err);
void store_folder_close(struct store_folder *folder);

uint64_t store_now_ms(void); /* Unix */
/* Looks at the disk and at totals; says it to store_size, when it is committed. */
int store_look(struct store *store, struct err *err);
void store_publish(struct store *store);
int store_check_room(const struct store *store, struct err *err);

struct run_place {
    uint64_t number;
    uint64_t key;
    uint64_t created_ms;
    bool is_finished;
};
int run_find(struct store *store, const char *id, struct run_place *ret_place, struct err *err);
/* Deletes its rows, and has its contents removed with the transaction of the job. */
int run_delete(struct store *store, struct job *job, uint64_t number, struct err *err);
int run_interrupt_all(struct store *store, struct err *err);
/* The next columns, SQL_RUN_COLUMNS: what stands in the row. */
void run_read(struct statement *statement, struct arena *arena, struct stored_run *ret_run,
              uint64_t *ret_number);
int run_read_metadata(struct store *store, uint64_t number, struct arena *arena,
                      struct stored_run *run, struct err *err);
uint64_t metadata_pair(const struct store_pair *pair);

int file_insert(struct store *store, const struct store_file *file, const uint64_t *run_number,
                struct err *err);
void file_read(struct statement *statement, struct arena *arena, struct store_file *ret_file);
/* All rows of a statement. */
int files_read(struct statement *statement, struct arena *arena, struct store_file **ret_files,
               size_t *ret_count, struct err *err);
/* Room for one more row behind `count`: the same rows, or a larger copy. */
void *rows_grow(struct arena *arena, void *rows, size_t count, size_t row_size);
void file_copy(struct arena *arena, const struct store_file *from, struct store_file *to);
const struct store_pair *pairs_copy(struct arena *arena, const struct store_pair *pairs,
                                    size_t count);

bool retention_is_due(const struct store *store, bool idle);
void retention_step(struct store *store);

#endif
