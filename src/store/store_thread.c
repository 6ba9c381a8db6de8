/* SPDX-License-Identifier: MIT */
/* The owner of the database: a thread that takes all jobs that wait, runs them
 * (store_jobs.c), and puts them, in their order, where the loop finds them. When
 * there is nothing to do it looks after retention. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/util.h"
#include "store/store_private.h"

/* Records may have tens of megabytes: no more of them are in memory between this thread and
 * those who asked, however many ask at once. */
enum { IDLE_S = 1, LARGE_MAX = 4 };

static void move_all(struct list *from, struct list *to)
{
    while (!list_empty(from)) {
        struct list *link = from->next;
        list_remove(link);
        list_append(to, link);
    }
}

void job_send(struct job *job)
{
    struct store *store = job->store;
    (void)pthread_mutex_lock(&store->mutex);
    list_append(&store->pending, &job->link);
    (void)pthread_cond_signal(&store->news);
    (void)pthread_mutex_unlock(&store->mutex);
}

static bool may_take(const struct store *store, const struct job *job)
{
    return !job->kind->is_large || store->large < LARGE_MAX;
}

static bool has_work(const struct store *store)
{
    return !list_empty(&store->pending) &&
           may_take(store, CONTAINER_OF(store->pending.next, struct job, link));
}

/* In their order: behind one that must wait, all wait. */
static void take_some(struct store *store, struct list *ret_jobs)
{
    while (has_work(store)) {
        struct job *job = CONTAINER_OF(store->pending.next, struct job, link);
        job->is_counted = job->kind->is_large;
        store->large += job->is_counted;
        list_remove(&job->link);
        list_append(ret_jobs, &job->link);
    }
}

/* Waits for jobs, or until retention is to be looked after. False: the end. */
static bool take_jobs(struct store *store, struct list *ret_jobs)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    (void)pthread_mutex_lock(&store->mutex);
    int rc = store->has_backlog ? ETIMEDOUT : 0;
    while (rc != ETIMEDOUT && !has_work(store) && !store->stopping)
        rc = pthread_cond_timedwait(&store->news, &store->mutex, &until);
    take_some(store, ret_jobs);
    /* What must still wait is for store_drain: the loop delivers nothing any more. */
    bool goes_on = !store->stopping || !list_empty(ret_jobs);
    (void)pthread_mutex_unlock(&store->mutex);
    return goes_on;
}

static void hand_back(struct store *store, struct list *jobs)
{
    (void)pthread_mutex_lock(&store->mutex);
    move_all(jobs, &store->finished);
    (void)pthread_mutex_unlock(&store->mutex);
    loop_wake(store->wake);
}

static void *own_database(void *context)
{
    struct store *store = context;
    struct list jobs;
    list_init(&jobs);
    while (take_jobs(store, &jobs)) {
        bool idle = list_empty(&jobs);
        if (!idle) {
            jobs_run(store, &jobs);
            hand_back(store, &jobs);
        }
        if (retention_is_due(store, idle))
            retention_step(store);
        database_tidy(&store->db, store->seen.free_bytes);
    }
    return NULL;
}

static void deliver(struct job *job)
{
    const struct err *err = job->failed ? &job->err : NULL;
    if (job->kind->deliver)
        job->kind->deliver(job, err);
    else if (job->done)
        job->done(job->context, err);
    struct store *store = job->store;
    bool was_counted = job->is_counted;
    job_free(job);
    if (!was_counted)
        return;
    (void)pthread_mutex_lock(&store->mutex);
    store->large--;
    (void)pthread_cond_signal(&store->news);
    (void)pthread_mutex_unlock(&store->mutex);
}

static void deliver_all(struct list *jobs)
{
    while (!list_empty(jobs)) {
        struct job *job = CONTAINER_OF(jobs->next, struct job, link);
        list_remove(&job->link);
        deliver(job);
    }
}

static void on_wake(void *context)
{
    struct store *store = context;
    struct list jobs;
    list_init(&jobs);
    (void)pthread_mutex_lock(&store->mutex);
    move_all(&store->finished, &jobs);
    (void)pthread_mutex_unlock(&store->mutex);
    deliver_all(&jobs);
}

/* It begins with every signal blocked: they are the loop's. */
static int start_blocked(struct store *store)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&store->thread, NULL, own_database, store);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int store_thread_start(struct store *store, struct loop *loop, struct err *err)
{
    store->wake = loop_wake_new(loop, on_wake, store);
    int rc = start_blocked(store);
    if (rc != 0)
        return err_sys(err, rc, "the store's thread cannot be started");
    store->has_thread = true;
    (void)pthread_setname_np(store->thread, "store");
    return 0;
}

void store_thread_stop(struct store *store)
{
    if (store->has_thread) {
        (void)pthread_mutex_lock(&store->mutex);
        store->stopping = true;
        (void)pthread_cond_signal(&store->news);
        (void)pthread_mutex_unlock(&store->mutex);
        (void)pthread_join(store->thread, NULL);
        store->has_thread = false;
    }
    loop_wake_free(take_ptr(&store->wake));
}

void store_drain(struct store *store)
{
    while (!list_empty(&store->pending) || !list_empty(&store->finished)) {
        struct list jobs;
        list_init(&jobs);
        move_all(&store->finished, &jobs);
        deliver_all(&jobs);
        take_some(store, &jobs);
        if (!list_empty(&jobs))
            jobs_run(store, &jobs);
        move_all(&jobs, &store->finished);
    }
}
