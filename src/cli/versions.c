/* SPDX-License-Identifier: MIT */
#include "cli/versions.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "engine/profile.h"
#include "executor/executor.h"
#include "language/language.h"
#include "loop/loop.h"

enum { PATIENCE_MS = 20000, ANSWER_MAX = 64 * 1024 };

struct versions {
    struct loop *loop;
    struct executor *executor;
    struct catalogue *catalogue;
    const struct limits *ceiling;
    size_t next;    /* language to ask */
    unsigned open;  /* questions without an answer */
    unsigned limit; /* of them at once */
    struct loop_task *more;
    struct list questions;
    void (*done)(void *context); /* may be NULL */
    void *context;
};

struct question {
    struct list link;
    struct versions *versions;
    const struct language *language;
    struct workspace *workspace;
    struct stage *stage;
    struct loop_timer *patience;
    struct buf answer;
};

static void question_free(struct question *question)
{
    list_remove(&question->link);
    executor_stage_free(question->stage);
    executor_workspace_close(question->workspace);
    loop_timer_free(question->patience);
    buf_fini(&question->answer);
    free(question);
}

static void on_started(void *context)
{
    (void)context;
}

/* Some tell it on stdout, some on stderr. */
static void on_output(void *context, enum stage_stream stream, struct slice bytes)
{
    struct question *question = context;
    (void)stream;
    buf_add_slice(&question->answer, bytes);
}

static void on_ended(void *context, const struct stage_end *end)
{
    struct question *question = context;
    struct versions *versions = question->versions;
    auto_free char *version =
        end->failed
            ? NULL
            : language_version_from_output(question->language, buf_slice(&question->answer));
    if (version)
        catalogue_set_version(versions->catalogue, question->language, version);
    question_free(question);
    versions->open--;
    loop_task_schedule(versions->more);
}

static const struct stage_events events = {
    .started = on_started, .output = on_output, .ended = on_ended};

static void on_no_patience(void *context)
{
    struct question *question = context;
    question->stage->executor->ops->stage_kill(question->stage);
}

static int ask(struct versions *versions, const struct language *language)
{
    static const struct limits none;
    struct limits limits =
        limits_resolve(PROFILE_COMPILE, &language->compile_minimum, &none, versions->ceiling);
    struct workspace_spec files = {.bytes = limits.value[LIMIT_WORKSPACE],
                                   .inodes = limits.value[LIMIT_INODES]};
    struct stage_spec spec = {
        .argv = language->version_command,
        .env = language->environment,
        .rootfs = language->rootfs,
        .proc = language->whole_proc ? PROC_WITH_MACHINE : PROC_OWN_PROCESSES,
        .limits = limits,
    };
    struct question *question = calloc(1, sizeof *question);
    if (!question)
        return -1;
    question->versions = versions;
    question->language = language;
    list_append(&versions->questions, &question->link);
    buf_init(&question->answer, ANSWER_MAX);
    question->workspace = executor_workspace_open(versions->executor, &files, NULL);
    if (question->workspace)
        question->stage = executor_stage_start(question->workspace, &spec, &events, question, NULL);
    if (!question->stage) {
        question_free(question);
        return -1;
    }
    question->stage->executor->ops->stage_close_input(question->stage);
    question->patience = loop_timer_new(versions->loop, on_no_patience, question);
    loop_timer_start(question->patience, PATIENCE_MS);
    versions->open++;
    return 0;
}

static void ask_more(void *context)
{
    struct versions *versions = context;
    while (versions->open < versions->limit &&
           versions->next < catalogue_count(versions->catalogue)) {
        const struct language *language = catalogue_at(versions->catalogue, versions->next++);
        if (language->installed && language->version_command && !language->version)
            (void)ask(versions, language); /* it stays without a version */
    }
    if (versions->open == 0 && versions->done)
        versions->done(versions->context);
}

struct versions *versions_start(struct loop *loop, struct executor *executor,
                                struct catalogue *catalogue, const struct limits *ceiling,
                                unsigned at_once, struct err *err)
{
    struct versions *versions = calloc(1, sizeof *versions);
    if (!versions) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    *versions = (struct versions){.loop = loop,
                                  .executor = executor,
                                  .catalogue = catalogue,
                                  .ceiling = ceiling,
                                  .limit = at_once};
    list_init(&versions->questions);
    versions->more = loop_task_new(loop, ask_more, versions);
    loop_task_schedule(versions->more);
    return versions;
}

void versions_on_done(struct versions *versions, void (*done)(void *context), void *context)
{
    versions->done = done;
    versions->context = context;
}

void versions_free(struct versions *versions)
{
    if (!versions)
        return;
    list_for_each_safe (link, following, &versions->questions)
        question_free(CONTAINER_OF(link, struct question, link));
    loop_task_free(versions->more);
    free(versions);
}

static void on_found(void *context)
{
    loop_stop(context);
}

int versions_find(struct loop *loop, struct executor *executor, struct catalogue *catalogue,
                  const struct limits *ceiling, unsigned at_once, struct err *err)
{
    struct versions *versions = versions_start(loop, executor, catalogue, ceiling, at_once, err);
    if (!versions)
        return -1;
    versions_on_done(versions, on_found, loop);
    loop_run(loop);
    versions_free(versions);
    return 0;
}
