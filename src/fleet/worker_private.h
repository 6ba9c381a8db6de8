/* SPDX-License-Identifier: MIT */
/* worker_private.h — what the pieces of a worker share.
 *
 * worker.c           its life, its two connections, its end
 * worker_delivery.c  what the broker brings
 * worker_jobs.c      jobs that wait, until a run begins or ends without it
 * worker_decide.c    what becomes of one
 * worker_work.c      one job in our hands: found, held, settled
 * worker_run.c       one run: its events out, commands in
 * worker_result.c    its result, in words
 * worker_end.c       … stored and told
 * worker_foreign.c   jobs of another form
 * worker_lease.c     that it is ours
 * worker_watch.c     the other members, and fronts that are gone
 *
 *  delivery ─► listening ─► asking ─┬─► running ─┬─► ending ──► settled
 *                  ▲                │            │     ▲
 *                  └──── held ◄─────┤            ├─────│─────► leaving ─► given back
 *                                   └────────────│─────┘         ▲
 *                                   └────────────┴───────────────┘
 */
#ifndef RUNNEL_FLEET_WORKER_PRIVATE_H
#define RUNNEL_FLEET_WORKER_PRIVATE_H

#include "base/buf.h"
#include "base/list.h"
#include "broker/amqp.h"
#include "broker/redis.h"
#include "fleet/names.h"
#include "fleet/wire.h"
#include "fleet/worker.h"
#include "fleet/worker_decide.h"
#include "loop/loop.h"

enum {
    AGAIN_MS = 1000, /* before what did not work, or is another's, is tried again */
    /* Redis is away for good, as far as jobs that wait for it are concerned. */
    PATIENCE_MS = 2000,
    /* Within this time what a batch run does is told: most short ones end before, and all goes at
     * once. Every message costs Redis, us and the front a turn. */
    TELL_WITHIN_MS = 10,
    EVENT_MARKS = 16,
};

/* Output of a streaming run that its readers have not taken. */
#define UNTAKEN_MAX MIB
/* The one notice that is a worker's own. */
#define COMMANDS_LOST_TEXT "some of what was sent to the program was lost on its way\n"
/* What the stream of one run holds at most: EVENT_MARKS times this, and a bit. */
#define EVENT_MARK_BYTES (256 * KIB)
#define FOREIGN_LINE_MAX (64 * KIB) /* a longer one comes in pieces */

enum work_state {
    WORK_LISTENING, /* its channel of commands does not stand, or Redis is away */
    WORK_ASKING,    /* Redis, what became of it so far */
    WORK_HELD,      /* another has it, or nobody can have it yet: looked at again */
    WORK_RUNNING,   /* in the engine's hands */
    WORK_ENDING,    /* its result is on its way */
    WORK_LEAVING,   /* Redis is told that it is given back */
    WORK_GONE,      /* settled; an answer is still due */
};

/* Why a run of ours ends without its result being one. */
enum work_fate {
    FATE_OURS,
    FATE_GIVEN_BACK, /* if it can be: it has not ended by itself */
    FATE_ABANDONED,  /* another worker has it, or it has ended elsewhere */
};

/* What a run's events have come to. */
struct work_events {
    uint64_t number;       /* of the last */
    uint64_t output_bytes; /* sent, of stdout and stderr */
    uint64_t taken_bytes;  /* of these, by readers; or as good as */
    uint64_t taken_told;   /* as the front said last */
    uint64_t held_bytes;   /* sent in all, for the marks */
    uint64_t marks[EVENT_MARKS];
    size_t mark_count;      /* ever */
    bool lossy;             /* some may not be in Redis */
    uint64_t notice_number; /* of the one that is ours, not the log's; 0: none */
};

struct fleet_members;
struct work;

/* What jobs of one form do differently. */
struct work_form {
    enum reader_form reader;
    /* The event has its number. */
    void (*tell)(struct work *work, const struct carried_event *event);
    /* Into the work's result and brief. -1: no memory. */
    int (*encode)(struct work *work, struct job_result *result);
    /* The result; the delivery is settled once it is safe. */
    void (*store)(struct work *work);
    /* The broker has it (work_publish), and the delivery is about to be settled. */
    void (*arrived)(struct work *work);
};
extern const struct work_form own_form;

/* One job in our hands. Lives until it is settled and no answer is due (holds). */
struct work {
    struct list link;
    struct fleet_worker *worker;
    const struct work_form *form;
    enum work_state state;
    enum work_fate fate;
    unsigned holds;
    struct amqp_ref ref;
    struct job job; /* its contents until the run has them */
    struct job_header header;
    char reply_to[96]; /* a front's queue of results; "": none */
    bool is_batch;
    bool is_listening;    /* subscribed */
    bool hears;           /* … and that is confirmed */
    bool is_leased;       /* or to be, with the next renewal */
    bool is_begun_unsaid; /* Redis refused to write it down */
    bool is_counted;      /* as one that waits no more */
    bool passes_on;       /* held before it is given back */
    uint64_t
        due_ns; /* when a held or an ending one is looked at again; 0: it waits for an answer */
    uint64_t leased_ns; /* when another was last known to have it */
    uint64_t age_ms;    /* when its run was submitted here: of the job */
    struct delivery_facts facts;
    char cancel[256]; /* why; "": it is not asked for */
    unsigned attempt;

    struct run *run;
    struct reader *reader;
    uint64_t begun_ns; /* 0: its run has no slot yet */
    struct work_events events;
    uint64_t command_number;
    bool is_streaming;
    bool ends_unattended;
    uint64_t unattended_ms;
    uint64_t unattended_ns; /* when somebody was last there; 0: it is not known */
    bool is_unheard;        /* its front is gone: nobody takes what it says */

    bool is_refused; /* its result, by a Redis that is there */
    enum amqp_settlement settlement;
    struct buf result; /* with all that a capped run said */
    struct buf brief;  /* without; empty when it would be the same */

    /* Of the other form: */
    const struct language *language;
    char *workspace;
    struct buf rest[2]; /* of stdout and stderr, behind the last whole line */
};

struct fleet_worker {
    struct fleet_worker_config config;
    char name[NODE_NAME_SIZE];
    struct engine *engine;
    struct amqp *amqp;
    struct redis *redis;
    struct fleet_members *members;
    struct list works;
    size_t in_hand;
    uint64_t service_ms; /* how long a run has its slot, of late */
    struct list gone;
    struct list owed; /* results that Redis is to get when it is back */
    size_t owed_bytes;
    struct loop_timer *tick;
    bool is_ticking;
    struct loop_timer *leases;
    struct loop_timer *telling;
    bool is_telling; /* some have something to say */
    struct loop_timer *patience;
    bool is_patient; /* Redis is away, and some wait for it */
    bool is_blind;   /* … and nothing does any more */
    bool is_holding;
    bool has_begun; /* to ask for jobs */

    bool draining;
    bool hurried; /* the grace is over */
    struct loop_timer *grace;
    struct loop_timer *last; /* to tell the last results */
    struct loop_task *empty;
    void (*drained)(void *context);
    void *drained_context;
};

/* --- worker.c --- */

/* Something is due later: looks at all of it until nothing is. */
void worker_tick(struct fleet_worker *worker);
uint64_t worker_soon_ns(void); /* in AGAIN_MS */

/* --- worker_work.c --- */

/* Takes the job. NULL when memory is short. */
struct work *work_new(struct fleet_worker *worker, const struct amqp_delivery *delivery,
                      struct job *job);
struct work *work_find(const struct fleet_worker *worker, const char *id);
struct work *work_of_run(const struct fleet_worker *worker, const struct run *run);
bool work_waits(const struct work *work); /* its job is still undecided */
/* As redis_command, with an answer to the work: fn begins with work_answered. */
int work_ask(struct work *work, redis_reply_fn *fn, size_t argc, const struct slice *argv);
#define WORK_ASK(work, fn, ...)                                                                \
    work_ask((work), (fn), sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice), \
             (const struct slice[]){__VA_ARGS__})
/* An answer is due (from elsewhere), or has come. False: the work has gone meanwhile. */
void work_hold(struct work *work);
bool work_answered(struct work *work);
/* The delivery is settled, and the work is out of our hands. */
void work_settle(struct work *work, enum amqp_settlement settlement);
void work_free_all(struct fleet_worker *worker);

/* --- worker_delivery.c --- */

void worker_delivered(struct fleet_worker *worker, const struct amqp_delivery *delivery);
/* A delivery of a job that is in our hands already. */
void work_recognise(struct work *work, const struct amqp_delivery *delivery);
/* The broker is lost: what has not begun will be delivered anew. */
void worker_forget_deliveries(struct fleet_worker *worker);

/* --- worker_jobs.c --- */

/* Finds out what is to become of it. */
void work_begin(struct work *work);
/* Goes on with one that waits: for Redis, or for its time. */
void work_look(struct work *work);
/* Its job goes back to the broker, for any worker. */
void work_give_back(struct work *work);
/* The same after a pause: another worker may know what to do with it. */
void work_pass_on(struct work *work);

/* --- worker_run.c --- */

void work_run_started(struct work *work);
/* Sends what is there; `all`: whether or not anybody takes it. */
void work_pump(struct work *work, bool all);
/* What was sent may never be taken: it counts as if it were. */
void work_take_all(struct work *work);
/* Of all that run here. */
void worker_pump(struct fleet_worker *worker);
void worker_message(void *context, const char *channel, struct slice payload);
/* Redis may have lost what it was told; or it is back. */
void work_events_lost(struct work *work);
void work_stream_back(struct work *work);
/* What Redis refused to write down of those that began. */
void worker_say_begun_again(struct fleet_worker *worker);
void work_tell(struct work *work, const struct carried_event *event); /* own_form's */
/* False: the event is not one that travels (its kind and state), or not alone. */
bool work_carries(const struct work *work, const struct event *event,
                  struct carried_event *ret_event);
/* The job waits no more, for those who count how many do. */
void work_count(struct work *work);

/* --- worker_result.c --- */

/* Of one that has ended without a verdict so far. */
struct job_result work_result(const struct work *work);
void work_refuse_artifacts(struct run_artifact *artifacts, size_t count);
int work_encode(struct work *work, struct job_result *result); /* own_form's */

/* --- worker_end.c --- */

/* The engine's recorder. */
void worker_run_ended(void *context, struct run *run, const struct run_result *result,
                      struct run_artifact *artifacts, size_t artifact_count);
/* It ends without a run. */
void work_end(struct work *work, const struct verdict_facts *facts, const char *why,
              enum amqp_settlement settlement);
/* Sends the result, and settles once the broker has it. */
void work_publish(struct work *work, const struct amqp_message *message);
void worker_published(void *context, uint64_t token, enum amqp_outcome outcome);
/* One that we have ended, and Redis does not know it: its front is told once more. */
bool worker_answer_again(struct fleet_worker *worker, const char *id);
void worker_pay_owed(struct fleet_worker *worker);
void worker_forget_owed(struct fleet_worker *worker);

/* --- worker_foreign.c --- */

bool worker_is_foreign(const struct amqp_delivery *delivery);
void worker_delivered_foreign(struct fleet_worker *worker, const struct amqp_delivery *delivery);

/* --- worker_watch.c --- */

/* Becomes a member, once there is Redis. */
int worker_join(struct fleet_worker *worker, struct err *err);
/* Asks the broker for jobs, once. */
void worker_begin(struct fleet_worker *worker);
/* Another worker, that lives, has the language. */
bool worker_is_elsewhere(const struct fleet_worker *worker, const char *language);
/* There are workers of other versions than ours; or nobody can say. */
bool worker_has_others(const struct fleet_worker *worker);
void worker_watch_fronts(struct fleet_worker *worker);

/* --- worker_lease.c --- */

void worker_renew_leases(struct fleet_worker *worker);
void work_release_lease(struct work *work);
/* It is not ours any more. What is left of its delivery is settled so once its run has ended:
 * requeued, it is not lost should nobody have it after all. */
void work_abandon(struct work *work, enum amqp_settlement settlement);

#endif
