/* SPDX-License-Identifier: MIT */
/* native_private.h — what the pieces of the native executor share.
 *
 * native.c        requests to the spawner and its replies
 * native_stage.c  the life of one stage, and its bytes
 * native_pipes.c  pipes and terminals
 * native_collect.c what is left in a workspace
 */
#ifndef RUNNEL_EXECUTOR_NATIVE_PRIVATE_H
#define RUNNEL_EXECUTOR_NATIVE_PRIVATE_H

#include "base/list.h"
#include "executor/native.h"
#include "sandbox/client.h"

struct loop_task;
struct loop_watch;

/* As much as a pipe holds by default, so one read empties it; and the most that
 * one stage may move before the others have their turn. */
enum { NATIVE_CHUNK = 32 * 1024 };

struct native {
    struct executor executor;
    struct loop *loop;
    int socket;
    struct loop_watch *replies;
    struct native_config config;
    char isolation[256];
    struct list stages;     /* struct native_stage */
    struct list collecting; /* struct native_workspace */
    uint32_t last_id;
    bool lost;
    struct err why_lost;
    char *chunk; /* NATIVE_CHUNK bytes that every read goes through */
};

struct native_workspace {
    struct workspace workspace;
    struct native *native;
    uint32_t id;
    struct list link; /* while it is collected */
    const struct collect_events *events;
    void *context;
    uint64_t max_files;
    uint64_t max_bytes;
    struct loop_task *failed; /* NULL, or tells `failure` */
    struct err failure;
    bool used; /* a stage was started in it */
};

/* Our ends of a stage's three streams. For a terminal `input` and
 * `output[STAGE_STDOUT]` are the same terminal, each a descriptor of its own. */
struct native_pipes {
    int input;
    int output[STAGE_STREAMS];
    bool tty;
    unsigned ends_due; /* characters that are still to end a terminal's input */
};

struct native_output {
    struct native_stage *stage;
    enum stage_stream stream;
    struct loop_watch *watch; /* NULL when the stream has ended, or the box is dead */
};

/* A stage reads its pipes as they become ready while its box lives. Once the
 * box is dead nobody can write any more, so what is left is read to its end by
 * `drain`, a task, whatever the pipes report; then comes `ended`. */
struct native_stage {
    struct stage stage;
    struct native *native;
    struct list link;
    uint32_t id;
    const struct stage_events *events;
    void *context;
    bool own_program; /* argv[0] came out of the workspace, not from a toolchain */
    bool is_later;    /* another was in the workspace before */
    char program[64]; /* argv[0], for a failure's text */
    struct native_pipes pipes;
    struct native_output outputs[STAGE_STREAMS];
    struct loop_watch *input_watch; /* made when a write did not fit, at first */
    bool input_ends;
    struct loop_task *drain;
    bool paused;
    bool killed;
    bool dead; /* `end` is known */
    struct stage_end end;
    unsigned busy; /* callbacks of this stage on the stack */
    bool freed;    /* by its owner, from within such a callback */
};

/* native_pipes.c — ret_program: the program's descriptors 0, 1 and 2. */
int native_pipes_open(bool tty, struct native_pipes *ret_pipes, int ret_program[3],
                      struct err *err);
void native_pipes_close(struct native_pipes *pipes);
/* Bytes read, 0 at the end of the stream, -EAGAIN. */
ssize_t native_pipes_read(const struct native_pipes *pipes, enum stage_stream stream, char *chunk,
                          size_t size);
/* Something lies there to be read. */
bool native_pipes_has_output(const struct native_pipes *pipes, enum stage_stream stream);
/* Bytes taken (0: no room), or -EPIPE when nobody can read them any more. */
ssize_t native_pipes_write(struct native_pipes *pipes, struct slice bytes);
/* Before the input is closed: tells a terminal that this is its end. False: there is
 * no room for that; again when it can be written. */
bool native_pipes_end_input(struct native_pipes *pipes);
/* Everything written is read: what we wrote by the program, what it wrote by us. */
bool native_pipes_drained(const struct native_pipes *pipes);
void native_pipes_resize(const struct native_pipes *pipes, unsigned columns, unsigned rows);

/* native_stage.c */
struct stage *native_stage_start(struct workspace *workspace, const struct stage_spec *spec,
                                 const struct stage_events *events, void *context, struct err *err);
void native_stage_free(struct stage *stage);
void native_stage_kill(struct stage *stage);
size_t native_stage_write(struct stage *stage, struct slice bytes);
void native_stage_close_input(struct stage *stage);
void native_stage_pause(struct stage *stage, bool paused);
void native_stage_signal(struct stage *stage, int signal);
void native_stage_resize(struct stage *stage, unsigned columns, unsigned rows);
void native_stage_sample(struct stage *stage);
bool native_stage_probe(struct stage *stage);
/* What the spawner said of this stage. */
void native_stage_reply(struct native_stage *stage, const struct sandbox_reply *reply);
/* No reply will come any more. Calls nobody; `ended` follows from the loop. */
void native_stage_lose(struct native_stage *stage, const struct err *why);

/* native_collect.c */
void native_workspace_collect(struct workspace *workspace, const struct collect_spec *spec,
                              const struct collect_events *events, void *context);
/* What the spawner said of a workspace; the descriptor in it is taken. */
void native_collect_reply(struct native *native, const struct sandbox_reply *reply);
/* No reply will come. Calls nobody; `done` follows from the loop. */
void native_collect_lose(struct native_workspace *workspace, const struct err *why);

/* native.c */
uint32_t native_next_id(struct native *native);
/* It could not be told to end something. A spawner that keeps what nobody knows of is lost, too,
 * but for one that is gone already: what it said last is still to be read. */
void native_cannot_end(struct native *native, const struct err *why);

#endif
