/* SPDX-License-Identifier: MIT */
/* wire.h — what machines of one fleet say to each other, to the byte
 * (docs/FLEET.md shows it). Two forms: a job and a result are JSON objects with a
 * version; an event and a command are a line of words and then raw bytes, because
 * they carry what programs write and read.
 *
 * Decoders take what anybody may have put there: they check everything, say what is
 * wrong, and never trust a length or a number.
 */
#ifndef RUNNEL_FLEET_WIRE_H
#define RUNNEL_FLEET_WIRE_H

#include <jansson.h>

#include "base/buf.h"
#include "engine/engine.h"
#include "fleet/names.h"
#include "os/name_lock.h"

struct catalogue;

enum {
    FLEET_VERSION = 1,
    JOB_FILES_MAX_BYTES = 8 * 1024 * 1024, /* source, files and input */
    JOB_MAX_BYTES = 12 * 1024 * 1024,      /* of an encoded one, which all of that fits */
    RESULT_MAX_BYTES = 64 * 1024 * 1024,   /* of an encoded one; without its events it is small */
};

/* --- a job: queues runnel.jobs.*, and without its contents the field "job" of a run's
 * hash --- */

struct job_header {
    char id[RUN_ID_SIZE];
    char front[NODE_NAME_SIZE]; /* the front that took it, whose result queue hears of it */
    uint64_t submitted_ms;      /* since 1970 */
    enum lane lane;
    bool aside; /* in the second queue of the lane: its tenant has many waiting already */
};

struct job {
    struct job_header header;
    struct run_spec spec; /* borrows from `tree`, and from the arrays behind it */
    bool has_contents;
    json_t *tree;
    void *arrays;
};

/* Whether the run may begin again on another worker: nobody has typed into it. */
bool job_is_batch(const struct run_spec *spec);
/* contents: source, files and input too. ERR_TOO_LARGE above JOB_FILES_MAX_BYTES. */
int job_encode(const struct job_header *header, const struct run_spec *spec, bool contents,
               struct buf *text, struct err *err);
/* The language is looked up in the catalogue, installed or not. ERR_INVALID names the field;
 * ERR_MISMATCH: it is of a version that this program does not know. */
int job_decode(struct slice text, const struct catalogue *catalogue, struct job *ret_job,
               struct err *err);
void job_fini(struct job *job);

/* What lists show of a job, also where nobody knows its language. */
struct job_summary {
    struct job_header header;
    char language[64];
};
int job_summarize(struct slice text, struct job_summary *ret_summary, struct err *err);
/* The same job once more, as another run with this id and time, that nobody attends. */
int job_renew(struct slice text, const char *id, uint64_t submitted_ms, bool contents,
              struct buf *renewed, struct err *err);

/* --- an event: the field "e" of an entry of runnel:events:ID, and a message on the
 * channel of that name ---
 *
 *     NUMBER ATTEMPT TIME_MS KIND[ ARGUMENT…]\n BYTES
 */

struct carried_event {
    uint64_t number;  /* from 1 in each attempt, no holes */
    unsigned attempt; /* 0: it ended before any began */
    uint64_t time_ms; /* since the run was submitted */
    enum event_kind kind;
    enum run_state state;  /* EVENT_STATE */
    uint64_t cpu_ms;       /* EVENT_USAGE */
    uint64_t memory_bytes; /* EVENT_USAGE */
    uint64_t lost_bytes;   /* EVENT_GAP */
    struct slice bytes;    /* borrowed; of EVENT_END the result, on the channel */
};

void event_encode(const struct carried_event *event, struct buf *text);
int event_decode(struct slice text, struct carried_event *ret_event, struct err *err);

/* --- a result: field "result" of the run's hash, and a message to runnel.results.of.FRONT --- */

struct job_result {
    char id[RUN_ID_SIZE];
    char worker[NODE_NAME_SIZE]; /* or front, when it was one that ended it */
    unsigned attempt;
    struct run_result result;
    uint64_t last_event; /* the number of the attempt's last one; 0: none was told */
    /* Of a capped run all that it said, as encoded events, so that a result alone is
     * whole; each event's bytes borrow from `tree`. */
    struct carried_event *events;
    size_t event_count;
    struct run_artifact *artifacts; /* fd is -1 */
    size_t artifact_count;
    json_t *tree; /* owned by a decoded result; arrays too */
    void *arrays;
};

int result_encode(const struct job_result *result, bool events, struct buf *text);
int result_decode(struct slice text, struct job_result *ret_result, struct err *err);
void result_fini(struct job_result *result);

/* --- a command: a message on runnel:commands:ID, from whoever has the client --- */

enum command_kind {
    COMMAND_INPUT, /* bytes */
    COMMAND_EOF,
    COMMAND_SIGNAL, /* a */
    COMMAND_RESIZE, /* a columns, b rows */
    COMMAND_CANCEL, /* bytes: why */
    COMMAND_TAKEN,  /* a: bytes of output in all that readers have taken */
    COMMAND_ANEW,   /* its front has begun again, and counts its commands from this one on */
    COMMAND_KINDS
};

struct command {
    enum command_kind kind;
    uint64_t number; /* from 1, no holes, per run; one that is missing is told, not waited for */
    uint64_t a;
    uint64_t b;
    struct slice bytes;
};

void command_encode(const struct command *command, struct buf *text);
int command_decode(struct slice text, struct command *ret_command, struct err *err);

/* --- a member: runnel:worker:NAME and runnel:front:NAME, JSON, kept alive by being
 * written again --- */

struct member {
    char name[NODE_NAME_SIZE];
    char host[NODE_NAME_SIZE];
    char version[32];
    char lock[NAME_LOCK_PLACE_SIZE]; /* where it has the name locked; "": nowhere */
    bool is_worker;
    unsigned slots;
    unsigned running;
    uint64_t memory_bytes; /* that may be promised; 0: not bounded */
    uint64_t promised_bytes;
    uint64_t load_milli; /* of the machine, one minute */
    uint64_t service_ms; /* how long a run holds a slot, on average of late */
    uint64_t started_ms; /* since 1970; of this process: another one with the name differs */
    uint64_t last_seen_ms;
    bool draining;
    bool without_broker; /* which it tries to reach: until then it takes no jobs */
    char languages[512]; /* names that are installed, with spaces between */
};

int member_encode(const struct member *member, struct buf *text);
int member_decode(struct slice text, struct member *ret_member, struct err *err);

#endif
