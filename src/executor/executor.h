/* SPDX-License-Identifier: MIT */
/* executor.h — how stages are carried out: the driver's side of the engine.
 *
 * An executor makes workspaces and starts stages in them. It knows commands,
 * limits and bytes; it does not know runs, queues or clients. `native` (our
 * boxes) is the one that exists; tests use a fake.
 *
 * Order of use, all calls from the loop's thread, none blocks:
 *
 *     workspace = executor_workspace_open(executor, &spec, err);
 *     stage     = executor_stage_start(workspace, &stage_spec, &events, run, err);
 *     …            events.started, events.output (many), then exactly one events.ended
 *     executor_stage_free(stage);         any time; kills it if it still runs, no more events
 *     … next stage in the same workspace, one at a time …
 *     executor_workspace_collect(workspace, &collect_spec, &collect_events, run);
 *     …            collect_events.item (many), then exactly one collect_events.done
 *     executor_workspace_close(workspace);
 *
 * `ended` comes when every process of the box is dead and every byte that they
 * wrote was handed to `output`. Descriptions and slices passed in are borrowed
 * for the call only.
 */
#ifndef RUNNEL_EXECUTOR_EXECUTOR_H
#define RUNNEL_EXECUTOR_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

struct executor;
struct workspace;
struct stage;

struct workspace_file {
    /* Relative, no "..", checked again by the driver. One that ends in "/" makes
     * an empty folder; its content is empty. */
    const char *path;
    struct slice content;
};

struct workspace_spec {
    uint64_t bytes;  /* LIMIT_WORKSPACE */
    uint64_t inodes; /* LIMIT_INODES */
    const struct workspace_file *files;
    size_t file_count;
};

enum stage_stream { STAGE_STDOUT, STAGE_STDERR, STAGE_STREAMS };

/* Which /proc a runtime needs to see; a language file says so. */
enum proc_view { PROC_OWN_PROCESSES, PROC_WITH_MACHINE };

struct stage_spec {
    const char *const *argv; /* argv[0] is an absolute path, or relative to /work; NULL-ended */
    const char *const *env;  /* "NAME=value", NULL-ended */
    const char *rootfs; /* directory whose tree replaces the toolchains', NULL: the host's /usr */
    enum proc_view proc;
    struct limits limits; /* as resolved: what is 0 is not limited */
    bool tty;             /* one pseudo-terminal for all three streams; output is STAGE_STDOUT */
};

/* Limits that only make calls fail: how often each was hit. */
struct limit_hits {
    uint64_t processes;
    uint64_t workspace; /* bytes or inodes */
    uint64_t file_size;
    uint64_t open_files;
};

struct stage_usage {
    uint64_t wall_ns;
    uint64_t cpu_ns;
    uint64_t memory_bytes; /* now */
    uint64_t memory_peak_bytes;
};

/* How a stage ended: kernel facts only. */
struct stage_end {
    bool failed; /* we failed: no box, its maker was lost, or there was no memory; `failure` says
                    why */
    struct err failure;
    int exit_code;      /* valid when signal is 0 */
    int signal;         /* the signal that ended the program, 0 when it exited */
    bool out_of_memory; /* it met its limit, and the kernel killed for it */
    struct limit_hits hits;
    struct stage_usage usage;
};

struct stage_events {
    /* The program is about to be started; the clock of its limits runs from here. */
    void (*started)(void *context);
    /* Bytes of the program, in order per stream; borrowed for the call. */
    void (*output)(void *context, enum stage_stream stream, struct slice bytes);
    /* Room in the input again after stage_write took less than it was given. */
    void (*input_ready)(void *context);
    void (*sampled)(void *context, const struct stage_usage *usage);
    /* Is the program blocked reading its input? What cannot be told is false. */
    void (*probed)(void *context, bool waiting);
    void (*ended)(void *context, const struct stage_end *end);
};

/* What of a workspace is wanted back, once no stage of it runs any more. */
struct collect_spec {
    const char *folder; /* relative to the workspace: "outputs" */
    uint64_t max_files;
    uint64_t max_bytes; /* of all files together */
};

/* One thing found below the folder. */
struct collect_item {
    const char *path;    /* relative to the folder, bytes as the program chose them, no NUL; "" is
                            the folder itself */
    uint64_t size;       /* a hole counts as the bytes that it reads as */
    int fd;              /* read-only, at offset 0, the receiver's to close; -1: refused */
    const char *refusal; /* why not, a few words for people: "a symbolic link"; NULL with an fd */
};

/* Items come in the order of their paths' bytes. Calls come from the loop, never from
 * within. workspace_close before `done`: no more calls. What is passed is borrowed
 * for the call, but for the descriptor: while it is open, the whole workspace keeps
 * its memory. */
struct collect_events {
    void (*item)(void *context, const struct collect_item *item); /* many */
    /* Exactly once. unlisted: found but not told, because the list of refusals and
     * the walk are bounded; failure: NULL when all went well. */
    void (*done)(void *context, uint64_t unlisted, const struct err *failure);
};

struct executor_ops {
    const char *name;
    struct workspace *(*workspace_open)(struct executor *executor,
                                        const struct workspace_spec *spec, struct err *err);
    void (*workspace_close)(struct workspace *workspace);
    /* Once, and no stage after it. The events outlive the collecting. */
    void (*workspace_collect)(struct workspace *workspace, const struct collect_spec *spec,
                              const struct collect_events *events, void *context);
    struct stage *(*stage_start)(struct workspace *workspace, const struct stage_spec *spec,
                                 const struct stage_events *events, void *context, struct err *err);
    /* Kills every process; `ended` follows. Safe to repeat. */
    void (*stage_kill)(struct stage *stage);
    /* Takes what fits now and returns how many bytes that was; 0 after close_input. */
    size_t (*stage_write)(struct stage *stage, struct slice bytes);
    void (*stage_close_input)(struct stage *stage);
    /* While paused no `output` comes, the pipe fills, and the kernel holds the program. */
    void (*stage_pause)(struct stage *stage, bool paused);
    void (*stage_signal)(struct stage *stage, int signal);
    void (*stage_resize)(struct stage *stage, unsigned columns, unsigned rows);
    /* Asks for usage so far; `sampled` follows, unless `ended` comes first. */
    void (*stage_sample)(struct stage *stage);
    /* Asks whether the program waits for its input; `probed` follows, unless `ended`
     * comes first. False when there is nothing to ask: of its input or its output
     * some has not been read yet, or its input is closed. */
    bool (*stage_probe)(struct stage *stage);
    void (*stage_free)(struct stage *stage);
    void (*executor_free)(struct executor *executor);
    /* The isolation reached, for results and /health; see executor_isolation(). */
    const char *(*isolation)(const struct executor *executor);
};

/* The first member of every executor, workspace and stage of a driver. */
struct executor {
    const struct executor_ops *ops;
};
struct workspace {
    struct executor *executor;
};
struct stage {
    struct executor *executor;
};

static inline struct workspace *executor_workspace_open(struct executor *executor,
                                                        const struct workspace_spec *spec,
                                                        struct err *err)
{
    return executor->ops->workspace_open(executor, spec, err);
}

static inline void executor_workspace_close(struct workspace *workspace)
{
    if (workspace)
        workspace->executor->ops->workspace_close(workspace);
}

static inline void executor_workspace_collect(struct workspace *workspace,
                                              const struct collect_spec *spec,
                                              const struct collect_events *events, void *context)
{
    workspace->executor->ops->workspace_collect(workspace, spec, events, context);
}

static inline struct stage *executor_stage_start(struct workspace *workspace,
                                                 const struct stage_spec *spec,
                                                 const struct stage_events *events, void *context,
                                                 struct err *err)
{
    return workspace->executor->ops->stage_start(workspace, spec, events, context, err);
}

static inline void executor_stage_free(struct stage *stage)
{
    if (stage)
        stage->executor->ops->stage_free(stage);
}

/* "full" when every layer holds, else "reduced: no landlock, one uid for all boxes". */
static inline const char *executor_isolation(const struct executor *executor)
{
    return executor->ops->isolation(executor);
}

#endif
