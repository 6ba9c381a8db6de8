/* SPDX-License-Identifier: MIT */
/* front_private.h — what the pieces of a front share.
 *
 * front.c          its life, and its two connections
 * front_cargo.c    a run's part in it, found by id
 * front_send.c     a job, from the engine to the broker's confirm
 * front_mirror.c   what comes back of it: events in their order, and the end
 * front_command.c  what its clients say to it
 * front_watch.c    workers that are lost, places in the queue
 * front_find.c     runs that another machine took
 * front_resume.c   … and those that a process before this one did
 * front_foreign.c  those that runners of another form carry out
 */
#ifndef RUNNEL_FLEET_FRONT_PRIVATE_H
#define RUNNEL_FLEET_FRONT_PRIVATE_H

#include "base/buf.h"
#include "base/list.h"
#include "broker/amqp.h"
#include "broker/redis.h"
#include "fleet/front.h"
#include "fleet/names.h"
#include "fleet/wire.h"
#include "loop/loop.h"

enum {
    CARGO_ROWS = 1024, /* of the table by id; a power of two */
    WATCH_MS = 1000,
    PATIENCE_MS = 2000,
    ASIDE_MIN = 8, /* jobs of one tenant that wait among others', whatever the workers are */
};

struct front_lane {
    uint64_t sent;    /* jobs that came into it, ever */
    uint64_t started; /* … that workers have begun */
    uint64_t service_ms;
    uint64_t asked_ns; /* when Redis was asked for these; 0: never */
    bool is_asked;
};

struct fleet_front {
    struct carrier carrier;
    struct fleet_front_config config;
    char name[NODE_NAME_SIZE];
    struct fleet_key results;
    struct engine *engine;
    struct amqp *amqp;
    struct redis *redis;
    struct fleet_members *members;
    struct loop_timer *watch;
    struct loop_timer
        *patience;         /* with Redis, before we listen without knowing our name to be ours */
    bool is_listening;     /* to our queue of results */
    uint64_t unheard_ns;   /* when Redis was last known not to take or bring what workers say */
    struct list questions; /* that Redis is asked on behalf of others */
    struct list resumptions;
    struct loop_task *answer_lost;
    struct list foreign_ends; /* struct foreign_end */
    struct list cargos;       /* struct front_cargo */
    struct list rows[CARGO_ROWS];
    size_t waiting;                    /* sent, and no worker has begun */
    size_t others_waiting;             /* the same of runs that other fronts sent */
    struct front_lane lanes[LANES][2]; /* [1]: aside */
    uint64_t started_ms;               /* since 1970 */
};

struct front_cargo;

/* How a run's job is made and sent, and what its result is good for. */
struct front_form {
    const struct carrier_ops *ops; /* of its cargo */
    bool has_tickets;              /* it stands in one of our lanes */
    int (*prepare)(struct front_cargo *cargo, const struct job_header *header,
                   const struct run_spec *spec, struct err *err);
    int (*publish)(struct front_cargo *cargo, struct err *err);
    /* What the result says that was not heard. */
    void (*take_rest)(struct front_cargo *cargo, const struct job_result *result);
    void (*look)(struct front_cargo *cargo); /* once a second; it waits or runs */
};

/* Of lines, without their ends. */
struct front_heard {
    uint64_t bytes;
    uint64_t hash; /* fnv.h */
    uint64_t lines;
};

/* Lives as long as the engine has the run, and then until the last answer that is under
 * way for it has come (holds). */
struct front_cargo {
    struct cargo cargo;
    const struct front_form *form;
    struct fleet_front *front;
    struct list link;
    struct list row;
    unsigned holds;
    struct run *run; /* NULL: the engine is done with it */
    char id[RUN_ID_SIZE];
    enum lane lane;
    bool aside; /* in the second queue of its lane */
    uint64_t tenant;
    bool batch;
    bool streaming;
    bool adopted;
    bool is_anothers;      /* adopted, and a front that is not us has it in its queue */
    uint64_t submitted_ms; /* since 1970 */
    uint64_t known_ns;     /* since when we listen to it */
    uint64_t queue_ms;     /* its limit; 0: none */

    /* on its way to a worker */
    struct buf job;  /* until the broker has it */
    struct buf meta; /* the same without its contents, for Redis */
    bool publishing; /* its confirm is due */
    bool waits;      /* counted in front->waiting, or among the others' */
    uint64_t ticket; /* its number in its lane; 0: not known */
    bool started;    /* a worker has begun */

    /* what came back */
    unsigned attempt;
    uint64_t next_number;
    uint64_t seen_number;  /* the highest that was told of */
    uint64_t asked_number; /* … when the stream was asked last */
    bool asks_again;       /* the stream, although nothing is known to be missing */
    bool filling;          /* the stream is asked for what is missing */
    bool incomplete;       /* of a capped run some is lost: the result alone is whole */
    bool ended;
    bool quiet;         /* nothing came since the last look */
    uint64_t leased_ns; /* when its worker was last known to live */
    uint64_t missed_ns; /* since when its lease is missing, although it could be written; 0: it is
                           not, or nobody knows whether it could */
    struct front_heard heard;
    struct buf result; /* that came before all it speaks of; empty: none */

    /* what is said to it */
    uint64_t command_number;
    struct list commands; /* held until it has started: struct held_command */
    size_t held_bytes;
    uint64_t close_number; /* of the command that says that its input is; 0: not said yet */
    bool closed;
    bool close_is_heard;       /* its worker listened when it was said */
    enum verdict cancelled_as; /* by a cancel, … */
    char cancel[256];          /* … why; "": nobody asked for it */

    /* those who wait for it to be known (front_find.c) */
    void (*found)(void *context, struct run *run);
    void *found_context;
};

/* front.c: does what is in our queue of results come to us, now? */
bool front_is_listening(const struct fleet_front *front);

/* front_cargo.c */
struct front_cargo *front_cargo_new(struct fleet_front *front, const char *id,
                                    const struct run_spec *spec, struct err *err);
void front_cargo_set_form(struct front_cargo *cargo, const struct front_form *form);
struct front_cargo *front_cargo_of(struct cargo *cargo);
struct front_cargo *front_cargo_find(const struct fleet_front *front, const char *id);
void front_cargo_hold(struct front_cargo *cargo);
void front_cargo_release(struct front_cargo *cargo);
/* The engine's free: the run is gone. */
void front_cargo_free(struct cargo *cargo);
void front_cargo_waits(struct front_cargo *cargo, bool waits);

/* front_send.c */
struct cargo *front_prepare(struct carrier *carrier, struct run *run, const struct run_spec *spec,
                            struct err *err);
int front_send(struct cargo *cargo, struct err *err);
/* Its outcome comes to front_published. */
int front_publish(struct front_cargo *cargo, const struct amqp_message *message, struct err *err);
extern const struct front_form front_own_form;
void front_published(void *context, uint64_t token, enum amqp_outcome outcome);
/* Of one that no worker gets, who would count it. */
void front_count_out(const struct front_cargo *cargo);
/* What the broker may not have is sent again: over a new connection, and later, what there was
 * no room for. */
void front_send_again(struct fleet_front *front);
/* A new one to Redis, which may have forgotten everything. */
void front_write_again(struct fleet_front *front);

/* front_mirror.c */
void front_message(void *context, const char *channel, struct slice payload);
void front_take_result(struct fleet_front *front, struct slice text);
void front_take_rest(struct front_cargo *cargo, const struct job_result *result);
/* A worker has it. */
void front_begin(struct front_cargo *cargo);
/* Asks Redis for all that is not known yet, the result too. */
void front_catch_up(struct front_cargo *cargo);
/* Ends it from here, with a verdict of ours, unless it has ended. -1 when Redis is away: then
 * nobody can say whether it has. */
int front_end(struct front_cargo *cargo, enum verdict verdict, const char *reason);

/* front_command.c */
int front_write(struct cargo *cargo, struct slice bytes, struct err *err);
void front_close_input(struct cargo *cargo);
void front_signal(struct cargo *cargo, int signal);
void front_resize(struct cargo *cargo, unsigned columns, unsigned rows);
void front_cancel(struct cargo *cargo, const char *why);
/* The first time: for what it is said again with. */
void front_note_cancel(struct front_cargo *cargo, const char *why);
/* Unless it was heard already. */
void front_say_closed(struct front_cargo *cargo);
/* The way to its worker is new: what must not be lost may have been lost on the old one. */
void front_say_again(struct front_cargo *cargo);
/* Is its time in the queue up? */
bool front_is_too_late(const struct front_cargo *cargo);
bool front_may_have_begun(const struct cargo *cargo);
void front_taken(struct cargo *cargo, uint64_t bytes);
void front_commands_flush(struct front_cargo *cargo);
/* Of one that an earlier process of ours has talked to: its worker counts from here. */
void front_say_anew(struct front_cargo *cargo);
void front_commands_drop(struct front_cargo *cargo);

/* front_watch.c */
void front_watch(void *context);
/* Its number in its lane, as Redis says it; and how far the lane has come is asked for. */
void front_take_place(struct front_cargo *cargo, const struct redis_reply *ticket);
/* Does the worker of an interactive run live? */
void front_look(struct front_cargo *cargo);
size_t front_position(const struct cargo *cargo);
uint64_t front_wait_ms(const struct cargo *cargo);

/* front_find.c */
void front_find(struct carrier *carrier, const char *id,
                void (*found)(void *context, struct run *run), void *context);
void front_found(struct front_cargo *cargo);
void front_answer_lost(void *front);
void front_answer_all(struct fleet_front *front);
void front_list(struct carrier *carrier, size_t max,
                void (*listed)(void *context, const char *ids, size_t count), void *context);
/* A run that was sent by somebody else becomes one of our engine. NULL: no memory, or it is known
 * already. */
struct front_cargo *front_adopt(struct fleet_front *front, const struct run_spec *spec,
                                uint64_t submitted_ms, bool aside);

/* front_resume.c */
int front_resume(struct carrier *carrier, const struct run_spec *spec, uint64_t age_ms,
                 void (*lost)(void *context, const char *id), void *context);
/* Asks for all that are not found yet. */
void front_resume_look(struct fleet_front *front);
/* There is a result of it: then it is found. NULL: it is none of these. */
struct front_cargo *front_resume_found(struct fleet_front *front, const char *id);
void front_resume_drop(struct fleet_front *front);

/* front_foreign.c */
bool front_foreign_has_language(const struct fleet_front *front, const struct language *language);
/* NULL: such a run is for our own workers. */
const struct front_form *front_foreign_form(const struct fleet_front *front,
                                            const struct run_spec *spec);
void front_foreign_line(struct fleet_front *front, const char *id, struct slice payload);
bool front_is_foreign_result(const struct amqp_delivery *delivery);
void front_foreign_result(struct fleet_front *front, const struct amqp_delivery *delivery);
/* What Redis does not have yet; drop: and never will by us. */
void front_foreign_store(struct fleet_front *front);
void front_foreign_drop(struct fleet_front *front);

#endif
