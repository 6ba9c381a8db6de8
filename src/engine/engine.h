/* SPDX-License-Identifier: MIT */
/* engine.h — runs, from submission to result. All that dialects and the
 * command line may ask of the engine stands here.
 *
 *     struct run *run = engine_submit(engine, &spec, err);    queued; or queue full
 *     struct reader *reader = run_attach(run, 0, READER_TEXT, on_ready, request, err);
 *     …on_ready:  while (reader_next(reader, &event) > 0) …
 *     reader_free(reader);
 *
 * A run is held by the engine while it lives and for a while after its end
 * (config.keep_ms), and as long as a reader is attached. Times are milliseconds
 * since the run was submitted unless a name says otherwise. Single-threaded;
 * callbacks come from the loop, never from inside the call that caused them.
 */
#ifndef RUNNEL_ENGINE_ENGINE_H
#define RUNNEL_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"
#include "engine/profile.h"
#include "engine/run_state.h"
#include "engine/verdict.h"
#include "executor/executor.h"
#include "language/language.h"

struct loop;
struct engine;
struct run;
struct reader;
struct run_result;

enum {
    RUN_ID_SIZE = 40,              /* a version 4 UUID, lower case, or what a spec gave */
    RUN_UNATTENDED_MS = 30 * 1000, /* that its readers may stay away, where a spec does not say */
};

/* A file that the program left behind, or what was found in its place. */
struct run_artifact {
    char *path; /* below the folder, bytes as the program chose them */
    uint64_t size;
    int fd;              /* read-only; -1: refused, or taken */
    const char *refusal; /* a few words for people, kept with the path; NULL: it is there */
};

/* Keeps runs that are to be kept (run_spec.recorded). */
struct recorder {
    /* The run is over, all of it is known, and nobody has been told: until
     * run_recorded(run), which must come, in the call or later. The artifacts and
     * the run are the recorder's to look at until then; of an artifact it may take
     * the descriptor (and set -1), or refuse it after all. */
    void (*ended)(void *context, struct run *run, const struct run_result *result,
                  struct run_artifact *artifacts, size_t artifact_count);
    void *context;
};

struct run_spec;

/* What a key (run_spec.owner) may have at once, and in a day. */
struct quota {
    /* Of a submission: -1 refuses it. What it allowed must end. */
    int (*begin)(void *context, const struct run_spec *spec, struct err *err);
    /* run_ms: of compiling and of running (run_usage_ms); 0 when no run came of it. */
    void (*end)(void *context, uint64_t owner, uint64_t run_ms);
    void *context;
};

struct engine_config {
    unsigned concurrency; /* runs that hold a slot at once */
    size_t queue_length;  /* runs that may wait for one */
    uint64_t held_bytes;  /* of files and input, that runs may hold together until they have
                             one; one may alone. 0: not bounded */
    uint64_t keep_ms;     /* how long a finished run stays readable */
    uint64_t keep_bytes;  /* of output of finished runs, above which the oldest go
                             earlier; 0: 256 MiB */
    struct limits ceiling;
    /* Told of every state a run reaches, but not of its turns between running and
     * waiting; for logs and counters; may be NULL. */
    void (*observer)(void *context, const struct run *run);
    void *observer_context;
    /* Of the machine, that running boxes may have been promised together; 0: not bounded. */
    uint64_t memory_bytes;
    struct carrier *carrier;  /* runs go to other machines (engine/carrier.h); NULL: here */
    struct recorder recorder; /* this and the next: none without their functions */
    struct quota quota;
};

/* Which of the waiting is first: all of a lane before the next, unless they wait too long. */
enum lane { LANE_HIGH, LANE_NORMAL, LANE_LOW, LANES };
const char *lane_name(enum lane lane); /* "high" */

struct run_file {
    const char *path;
    struct slice content;
};

/* One submission. Borrowed for the call; the engine copies what it keeps. */
struct run_spec {
    const struct language *language;
    enum profile profile;
    struct slice source;
    const char *entry_file;       /* NULL: by the language's rule */
    const struct run_file *files; /* besides the entry file */
    size_t file_count;
    const char *const *folders; /* "outputs/": that are there from the start; NULL-ended */
    struct slice input;         /* goes to stdin first */
    bool input_stays_open;      /* more comes by run_write; else EOF after `input` */
    const char *const *args;
    const char *const *compile_args; /* for the compiler, behind its own */
    const char *const *env;          /* the request's own, for the execute stage */
    struct limits limits;            /* what the request asks; 0 = not asked */
    bool streaming;                  /* ring log, slowest reader holds the program; else capped */
    bool tty;
    bool passing;           /* forgotten with its last reader after its end; else readable
                               for keep_ms */
    bool ends_unattended;   /* cancelled when its last reader left, and none came back */
    uint64_t unattended_ms; /* within this time; 0: RUN_UNATTENDED_MS */
    const char *id;         /* NULL: one is made; else free, and shorter than RUN_ID_SIZE */
    uint64_t owner;         /* a key's number, given back by run_owner */
    enum lane lane;
    uint64_t tenant;       /* who shares the slots fairly with others; 0: nobody in particular */
    struct slice note;     /* any bytes, given back by run_note */
    const char *workspace; /* told to runners of others, who tell it their backends; NULL: none */
    const char *artifacts; /* the folder whose files are wanted back; NULL: none */
    bool recorded;         /* ends when the recorder has it */
};

struct run_usage {
    uint64_t wall_ms;    /* of the execute stage */
    uint64_t cpu_ms;     /* of all stages */
    uint64_t compile_ms; /* wall of the compile stage, 0 when none ran */
    uint64_t memory_peak_bytes;
    uint64_t queued_ms;
};

/* The time that programs of others had, the compiler's too: what a key's day is charged with. */
static inline uint64_t run_usage_ms(const struct run_usage *usage)
{
    return usage->compile_ms + usage->wall_ms;
}

struct run_result {
    enum verdict verdict;
    char reason[256];   /* one sentence for people */
    bool compile_stage; /* it ended in the compile stage */
    int exit_code;      /* of the stage that ended it; -1 when none did; meaningless
                           when signal is set */
    int signal;         /* 0 when it exited by itself */
    struct run_usage usage;
    struct limit_hits hits;
    uint64_t artifacts_unlisted; /* found in the folder, and not told */
};

enum event_kind {
    EVENT_STATE, /* the run reached `state` */
    EVENT_STDOUT,
    EVENT_STDERR,
    EVENT_NOTICE, /* of ours or the compiler's: not program output */
    EVENT_USAGE,  /* what the program uses by now; of a streaming run, now and then */
    EVENT_GAP,    /* `lost_bytes` were dropped before this reader came to read them */
    EVENT_END,    /* the last one: run_result() is there */
};

struct event {
    uint64_t number;  /* from 1; a reader skips only what a gap covers, and an event in
                         which there is nothing for it: half a character */
    uint64_t time_ms; /* since submission */
    enum event_kind kind;
    enum run_state state;
    unsigned attempt;      /* what an earlier attempt said is void */
    struct slice bytes;    /* borrowed until the reader's next call */
    uint64_t cpu_ms;       /* EVENT_USAGE */
    uint64_t memory_bytes; /* EVENT_USAGE */
    uint64_t lost_bytes;   /* 0 when it is not known how many */
};

/* ERR_CONFIG: no run could ever start. The executor is borrowed; NULL with a carrier. */
struct engine *engine_new(struct loop *loop, const struct engine_config *config,
                          struct executor *executor, struct err *err);
/* Every run must have ended (engine_drain). */
void engine_free(struct engine *engine);

/* ERR_BUSY when the queue is full, or the room for what runs bring; ERR_SHUTTING_DOWN,
 * ERR_NOT_INSTALLED, ERR_INVALID with the field, ERR_TOO_LARGE when the files do not fit the
 * workspace. */
struct run *engine_submit(struct engine *engine, const struct run_spec *spec, struct err *err);
/* The same in two steps, for what must happen between them: the first takes all that
 * can be wrong in the submission, room for what it brings included, and nobody else can see
 * the run yet; the second fails with ERR_BUSY or ERR_SHUTTING_DOWN, and the run is gone then. */
struct run *engine_prepare(struct engine *engine, const struct run_spec *spec, struct err *err);
int engine_start(struct run *run, struct err *err);
void engine_discard(struct run *run); /* instead of starting it */
/* The limits that such a run would have. */
struct limits engine_limits(const struct engine *engine, const struct run_spec *spec);
struct run *engine_find(struct engine *engine, const char *id); /* NULL: not known */
/* The same, and where runs are carried elsewhere also of those that another machine took:
 * `found` is called once, from the loop, with NULL when there is none. */
void engine_look_up(struct engine *engine, const char *id,
                    void (*found)(void *context, struct run *run), void *context);
/* Ids of the newest `max` runs that other machines' engines may have taken, each with a NUL
 * behind it, one after the other, newest first; our own can be among them. `listed` is called
 * once, from the loop; without a carrier with none. */
void engine_list(struct engine *engine, size_t max,
                 void (*listed)(void *context, const char *ids, size_t count), void *context);
/* One that a process before this one took, and whose end it has not seen, where runs are carried
 * elsewhere: it is looked for, and followed again until its end, which the recorder gets. spec is
 * what is known of it: id, language, owner, note. `lost` is called when nobody knows of it: at
 * most once, from the loop. -1: no run of this engine goes elsewhere, or there is no memory. */
int engine_resume(struct engine *engine, const struct run_spec *spec, uint64_t age_ms,
                  void (*lost)(void *context, const char *id), void *context);
/* Refuses new runs; lets the present ones end for grace_ms, then cancels the
 * rest; calls `drained` when none is left. Calling again with 0 hurries it. */
void engine_drain(struct engine *engine, uint64_t grace_ms, void (*drained)(void *context),
                  void *context);
/* No run is left that is ours to end: those of others that it follows are not. */
bool engine_is_idle(const struct engine *engine);
size_t engine_running(const struct engine *engine);
size_t engine_queued(const struct engine *engine);
size_t engine_queued_in(const struct engine *engine, enum lane lane);
uint64_t engine_promised_bytes(const struct engine *engine); /* memory, to running boxes */
const char *engine_isolation(const struct engine *engine);
/* Rough seconds until a slot is free, for Retry-After: at least 1. */
unsigned engine_retry_after_s(const struct engine *engine);

const char *run_id(const struct run *run);
uint64_t run_owner(const struct run *run);
struct slice run_note(const struct run *run); /* with a NUL behind it */
bool run_is_recorded(const struct run *run);  /* ends when the recorder has it */
/* 1: the next one to get a slot; 0 when it does not wait (any more). */
size_t run_queue_position(const struct run *run);
/* How long it will wait for its slot, by what runs of its lane took of late; 0 when it
 * does not wait. */
uint64_t run_expected_wait_ms(const struct run *run);
enum lane run_lane(const struct run *run);
unsigned run_attempt(const struct run *run); /* from 1 */
/* The machine that carries it out, or did; NULL when it is this one or that is not known. */
const char *run_worker_name(const struct run *run);
enum run_state run_state(const struct run *run);
const struct language *run_language(const struct run *run);
const struct limits *run_limits(const struct run *run);     /* as resolved, of the execute stage */
const struct run_result *run_result(const struct run *run); /* NULL until it has finished */
/* The number of the event that comes next; the one behind the last, when it has finished. */
uint64_t run_next_event(const struct run *run);
uint64_t run_time_ms(const struct run *run); /* since it was submitted */

/* The recorder has it: everybody is told of the end. */
void run_recorded(struct run *run);
/* All runs that wait, run, or are still known. */
void engine_each(const struct engine *engine, void (*each)(void *context, struct run *run),
                 void *context);

/* A finished run is known no more, but to those who read it. */
void run_forget(struct run *run);

/* Bytes for stdin; takes all or none: -1 with ERR_BUSY when more than 1 MiB
 * waits already, ERR_CONFLICT when the input is closed or the run has ended. */
int run_write(struct run *run, struct slice bytes, struct err *err);
void run_close_input(struct run *run);
/* To the program; one that has not started yet gets it (once) when it has. */
void run_signal(struct run *run, int signal);
void run_resize(struct run *run, unsigned columns, unsigned rows);
/* Ends it with the verdict `cancelled`, in any state; repeating it is harmless.
 * `why` goes into the reason: "the client stopped it". */
void run_cancel(struct run *run, const char *why);

enum reader_form {
    READER_TEXT,  /* bytes are valid UTF-8, never split inside a character; what is
                     not UTF-8 is replaced by U+FFFD */
    READER_BYTES, /* as the program wrote them */
};

/* Reads events from number `from` on (0 or 1: all that is held). on_ready is
 * called from the loop when reader_next has something (again). NULL: no memory, or the run
 * is held by its readers alone (ERR_NOT_FOUND). */
struct reader *run_attach(struct run *run, uint64_t from, enum reader_form form,
                          void (*on_ready)(void *context), void *context, struct err *err);
/* 1 and *ret_event, or 0 when there is nothing now. Nothing follows EVENT_END. */
int reader_next(struct reader *reader, struct event *ret_event);
/* The run goes with it only when it was forgotten before: one that engine_find gave is there for
 * the rest of the turn. */
void reader_free(struct reader *reader);

#endif
