/* SPDX-License-Identifier: MIT */
/* fake_executor.h — an executor whose stages do what a test says.
 *
 * It holds its caller to the contract of executor.h: one stage at a time in a
 * workspace, nothing asked of what is freed, a workspace closed after its stages.
 */
#ifndef RUNNEL_TESTS_FAKE_EXECUTOR_H
#define RUNNEL_TESTS_FAKE_EXECUTOR_H

#include "base/buf.h"
#include "base/list.h"
#include "executor/executor.h"
#include "loop/loop.h"

/* One thing that collecting finds: content, or a refusal. */
struct fake_found {
    const char *path;
    struct slice content;
    const char *refusal;
};

struct fake_executor {
    struct executor executor;
    struct loop *loop;
    struct list stages; /* that live, oldest first */
    size_t workspaces;  /* that are open */
    size_t stages_live;
    size_t stages_started; /* ever */
    bool workspace_fails;  /* the next one */
    bool stage_fails;      /* the next one */
    bool deaf;             /* to kills */
    char files[512];       /* of the workspace opened last: "main.py=…;" */
    uint64_t workspace_bytes;
    /* What every collecting finds, borrowed: */
    const struct fake_found *found;
    size_t found_count;
    uint64_t unlisted;
    const char *collect_failure; /* NULL: it goes well */
    bool collect_held;           /* nothing is handed over until it is asked for again */
    /* What was asked for last: */
    struct fake_workspace *collected; /* NULL: nothing is held, or it was closed */
    size_t collections;
    char collect_folder[64];
    uint64_t collect_max_files;
    uint64_t collect_max_bytes;
};

struct fake_stage {
    struct stage stage;
    struct list link;
    struct fake_executor *executor;
    struct fake_workspace *workspace;
    const struct stage_events *events;
    void *context;
    struct loop_task *killer;
    char command[512]; /* argv, joined by blanks */
    char env[2048];    /* each followed by a newline */
    struct limits limits;
    bool tty;
    struct buf input;
    size_t input_room; /* what stage_write takes in all; SIZE_MAX at first */
    bool input_closed;
    bool paused;
    bool killed;
    bool ended;
    int signal;       /* the last that was sent */
    uint64_t signals; /* all that were: bits of 1 << (signal - 1) */
    unsigned signals_sent;
    unsigned columns; /* of the last resize */
    unsigned samples; /* asked for */
    unsigned probes;
    bool unread; /* some of its input or output: there is nothing to probe */
    unsigned pauses;
    uint64_t started_ns;
};

struct executor *fake_executor_new(struct loop *loop);
/* The stage that was started last and lives; NULL when none. */
struct fake_stage *fake_stage_newest(struct executor *executor);

/* Hands over what was held: of the workspace that was collected last. */
void fake_collect(struct executor *executor);

void fake_stage_start(struct fake_stage *stage);
void fake_stage_print(struct fake_stage *stage, enum stage_stream stream, struct slice bytes);
void fake_stage_print_text(struct fake_stage *stage, enum stage_stream stream, const char *text);
void fake_stage_use_cpu(struct fake_stage *stage, uint64_t cpu_ns);
void fake_stage_answer(struct fake_stage *stage, bool waiting); /* a probe */
void fake_stage_room(struct fake_stage *stage, size_t more);    /* for input */
void fake_stage_end(struct fake_stage *stage, const struct stage_end *end);
void fake_stage_exit(struct fake_stage *stage, int code);

#endif
