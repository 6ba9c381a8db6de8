/* SPDX-License-Identifier: MIT */
/* engine_private.h — what the pieces of the engine share.
 *
 * admission.c   whether a run may wait: its place, its bytes
 * engine.c      submissions, the slots, the end of service, finished runs
 * engine_wait.c how long runs will wait for theirs
 * queue.c       runs that wait for a slot, and whose turn it is
 * run_table.c   runs by id
 * run_plan.c    a submission, checked and copied
 * run_new.c     a run taken over, or refused; and freed
 * run.c         its life, stage by stage
 * run_ending.c  its end: what it left, who keeps it, who is told
 * run_clock.c   its deadlines: queue, wall, idle, cpu
 * run_input.c   bytes on their way to its stdin
 * run_waiting.c whether the program waits for more of them
 * run_carried.c a run that another machine carries out: what is told of it, and to it
 * carried.c     all of those: sent, adopted, looked up, let go
 * reader.c      events on their way to a client
 * output_log.c  the events, as they come and go
 * log_cursor.c  … and as they are read
 *
 * Everything that calls out (an observer, a reader's on_ready) runs from the
 * loop. A run ends in exactly one place, run_finish() in run_ending.c; all that can end
 * it sets a fact and kills its stage, or finds it in the queue.
 */
#ifndef RUNNEL_ENGINE_ENGINE_PRIVATE_H
#define RUNNEL_ENGINE_ENGINE_PRIVATE_H

#include "base/buf.h"
#include "base/list.h"
#include "engine/carrier.h"
#include "engine/engine.h"
#include "engine/output_log.h"
#include "engine/queue.h"
#include "engine/run_plan.h"
#include "loop/loop.h"

/* What the run's one deadline is of; it is never of two at once. */
enum run_deadline {
    DEADLINE_NONE,
    DEADLINE_QUEUE,
    DEADLINE_UNHEARD, /* of a carried run: behind that, as it may run and nobody could say so */
    DEADLINE_START,
    DEADLINE_WALL,
    DEADLINE_KILL,
    DEADLINE_COLLECT,
    DEADLINE_CANCEL, /* of a carried run: the far side has not ended it yet */
};

struct run_clock {
    struct loop_timer *deadline;
    enum run_deadline deadline_of;
    struct loop_timer *idle; /* this and the next two made at first use */
    struct loop_timer *cpu;
    struct loop_timer *unattended;
    uint64_t active_ns; /* last output or input */
};

struct run_input {
    struct buf bytes;
    size_t taken; /* of the bytes, by the stage */
    bool closed;  /* EOF after the bytes */
};

struct run_waiting {
    struct loop_timer *timer; /* made at first use */
    uint64_t pause_ms;        /* before the next question */
    bool soon;                /* the timer runs, and fires as soon as it has been quiet */
    bool asked;               /* the answer has not come yet */
    bool outdated;            /* it came too late: there was output or input since */
};

struct run_usage_events {
    struct loop_timer *timer; /* made at first use */
    bool is_asked;            /* the next sample is for readers */
    struct log_usage last;
};

/* What it leaves behind. */
struct run_artifacts {
    struct run_artifact *items;
    size_t count;
    size_t room;
};

/* Of a run that another machine carries out. */
struct run_carried {
    bool is;      /* the rest means nothing otherwise */
    bool adopted; /* another machine took it; nobody but its readers is told of it here */
    bool resumed; /* a process before this one sent it; its quota was that one's */
    bool accepted;
    struct cargo *cargo;   /* NULL: it is over, and the carrier knows */
    char *worker;          /* NULL: not known */
    size_t *counter;       /* of the engine's, the one in which it counts */
    uint64_t happened_ms;  /* what comes now; 0: just now */
    uint64_t logged_ms;    /* what came last */
    uint64_t output_bytes; /* of the present attempt, as they came */
    uint64_t notice_bytes;
    uint64_t taken_bytes; /* as the carrier was told last */
};

struct run {
    struct engine *engine;   /* NULL once it is forgotten: only readers hold it */
    struct list place;       /* the queue, or one of the engine's lists */
    struct list newcomer;    /* in engine.newcomers until the observer knows of it */
    struct run *next_in_row; /* of run_table */
    char id[RUN_ID_SIZE];
    uint64_t owner;
    uint64_t tenant;
    uint64_t memory_bytes; /* promised to it while it has a slot; 0: memory is not bounded */
    struct buf note;
    enum lane lane;
    enum run_state state;
    const struct language *language;
    struct limits limits;
    struct limits compile_limits;
    unsigned columns;
    unsigned rows;
    uint64_t signals; /* for a program that has not started; bits of 1 << (signal - 1) */
    bool tty;
    bool passing;
    bool ends_unattended;
    uint64_t unattended_ms;
    struct run_plan plan;
    uint64_t held_bytes; /* counted in the engine's */

    uint64_t submitted_ns;
    uint64_t slot_ns; /* when it got its slot */
    struct run_clock clock;
    struct run_input input;
    struct run_waiting waiting;
    struct run_usage_events usage;
    struct output_log log;
    struct run_carried carried;

    struct workspace *workspace;
    struct stage *stage;
    size_t command; /* stages done: the compile commands, then execute */
    bool in_queue;  /* queue.c says so */
    bool started;   /* the stage; its limits run */
    bool killed;    /* by us; it has not ended yet */
    bool paused;    /* by us: a reader is too slow */
    bool ending;    /* in run_ending.c's hands, for good */
    bool recorded;  /* asks the recorder */
    struct run_artifacts artifacts;
    struct buf compiler_text; /* held until it is known what it is */

    struct verdict_facts facts;
    char why[256]; /* of our failure, or the cancel */
    struct run_result result;
    uint64_t finished_ns;
};

struct run_table {
    struct run **rows;
    size_t row_count; /* a power of two */
    size_t len;
};

enum { SLOT_TIMES_KEPT = 32 };

/* How long runs held their slots of late. */
struct slot_times {
    uint64_t ns[SLOT_TIMES_KEPT];
    size_t count; /* ever */
    uint64_t sum_ns;
};

struct engine {
    struct loop *loop;
    struct engine_config config;
    struct executor *executor;
    struct run_table table;
    struct queue queue;
    uint64_t held_bytes;           /* that runs brought which wait, or are not started yet */
    uint64_t held_of[QUEUE_LINES]; /* … of tenants, as in the queue */
    struct list newcomers;
    struct list leaving;   /* left the queue, to be ended */
    struct list unstarted; /* … and their end is being recorded */
    struct list active;    /* hold a slot */
    size_t active_count;
    size_t active_in[LANES];
    uint64_t promised_bytes; /* of memory, to these */
    struct list finished;    /* oldest first */
    struct list unread;      /* … and pass, and have no reader: forgotten in the next turn */
    struct list carried;     /* were sent, and have not finished */
    struct list adopted;     /* … and are others' */
    size_t carried_queued[LANES];
    size_t carried_running;
    struct list lookups; /* to be answered from the loop */
    uint64_t kept_bytes;
    struct loop_task *dispatch;
    struct loop_timer *forget;
    struct slot_times slot_times[LANES + 1]; /* the last: of all lanes */

    bool draining;
    struct loop_timer *drain;
    void (*drained)(void *context);
    void *drained_context;
};

/* admission.c: ERR_BUSY says that there is no room */
int admission_check_place(enum queue_room room, size_t waiting, struct err *err);
int admission_enter_queue(struct run *run, struct err *err);
int admission_check_bytes(const struct run *run, size_t len, struct err *err);
void admission_hold_bytes(struct run *run, size_t len);
void admission_release_bytes(struct run *run); /* all of them: it has them no more */

/* engine.c */
void engine_observe(struct engine *engine, struct run *run);
void engine_announce(struct run *run);    /* unless the observer knows of it */
void engine_leave_queue(struct run *run); /* to be finished from the loop */
void engine_run_finished(struct engine *engine, struct run *run);
/* A finished one that nobody reads. In the next turn: in this one, who found it may yet use it. */
void engine_forget_soon(struct run *run);
void engine_end_quota(const struct run *run, uint64_t run_ms);
/* Beside what those that run were promised. */
bool engine_has_memory(const struct engine *engine, const struct run *run);

/* engine_wait.c */
void engine_note_slot_time(struct engine *engine, enum lane lane, uint64_t ns);
size_t engine_free_slots(const struct engine *engine); /* that who comes now could have */
/* ERR_BUSY when a run that has just been queued would wait longer than it may. */
int engine_check_wait(const struct engine *engine, const struct run *run, struct err *err);

/* run_table.c */
int run_table_init(struct run_table *table);
void run_table_fini(struct run_table *table);
void run_table_add(struct run_table *table, struct run *run);
void run_table_remove(struct run_table *table, struct run *run);
void run_table_each(const struct run_table *table, void (*each)(void *context, struct run *run),
                    void *context);
struct run *run_table_find(const struct run_table *table, const char *id);

/* run_new.c */
int run_new(struct engine *engine, const struct run_spec *spec, struct run **ret_run,
            struct err *err);
void run_free(struct run *run);

/* run.c */
void run_start(struct run *run); /* it has got a slot */
void run_finish_queued(struct run *run);
void run_kill(struct run *run);                  /* the facts say why */
void run_fail(struct run *run, const char *why); /* at once, whatever the executor does */
void run_set_why(struct run *run, const char *why);
void run_update_pause(struct run *run);
void run_show_compiler_text(struct run *run, enum event_kind kind);
void run_blame_us(struct run *run, const char *why);
uint64_t run_stage_output_cap(const struct run *run);

/* Its program is there, or on its way: what is meant for it reaches no compiler. */
static inline bool run_is_executing(const struct run *run)
{
    return run->stage && !run->facts.in_compile_stage;
}

/* run_access.c */
enum { SIGNALS_MAX = 64 };
void run_send_signals(struct run *run); /* its execute stage has started */

/* run_ending.c */
void run_finish(struct run *run);
/* As the far side says it; artifacts are copied. */
void run_finish_as_told(struct run *run, const struct run_result *result,
                        const struct run_artifact *artifacts, size_t artifact_count);
void run_collected(struct run *run); /* what has come by now is all */
void run_artifacts_free(struct run *run);

/* run_clock.c */
void run_clock_set(struct run *run, enum run_deadline deadline);
void run_clock_start_stage(struct run *run); /* by the limits of the stage */
void run_clock_stop_stage(struct run *run);
void run_clock_active(struct run *run);
void run_clock_paused(struct run *run);
void run_clock_sampled(struct run *run, uint64_t cpu_ns);
void run_clock_unattended(struct run *run, bool unattended);
void run_clock_free(struct run *run);

/* run_usage.c */
void run_usage_start(struct run *run); /* a stage has started */
void run_usage_sampled(struct run *run, const struct stage_usage *usage);
void run_usage_free(struct run *run);

/* run_input.c */
int run_input_init(struct run_input *input, const struct run_spec *spec);
void run_input_flush(struct run *run);

/* run_waiting.c */
void run_waiting_start(struct run *run);  /* the execute stage runs */
void run_waiting_active(struct run *run); /* output, input, or somebody who cares */
void run_waiting_over(struct run *run);   /* if it did: it has got what it waited for */
void run_waiting_probed(struct run *run, bool waiting);
void run_waiting_free(struct run *run);

/* run_carried.c; of other runs these do nothing, or may not be called */
int run_carried_prepare(struct run *run, const struct run_spec *spec, struct err *err);
void run_carried_start(struct run *run);                  /* it was sent */
void run_carried_count(struct run *run, size_t *counter); /* NULL: nowhere any more */
void run_carried_cancel(struct run *run, const char *why);
bool run_carried_may_have_begun(const struct run *run);
void run_carried_waited(struct run *run);     /* its queue deadline has passed */
void run_carried_unanswered(struct run *run); /* … and that of a cancel */
void run_carried_taken(struct run *run);      /* by its readers, perhaps */
void run_carried_free(struct run *run);       /* the cargo */

/* carried.c */
size_t carried_queued(const struct engine *engine);
int carried_send(struct run *run, struct err *err);
void carried_let_go(struct run *run); /* it goes on, and is known here no more */
void carried_drain(struct engine *engine, const char *why);
uint64_t carried_wait_ms(const struct engine *engine); /* that the last in line expects */
void carried_answer(struct engine *engine);            /* lookups */
void carried_fini(struct engine *engine);

/* reader.c */
void run_tell_readers(struct run *run);

#endif
