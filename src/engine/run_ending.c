/* SPDX-License-Identifier: MIT */
/* run_ending.c — the end of a run, in steps that each may take a while:
 *
 *     run_finish       nothing of it runs any more; its verdict is decided
 *       collecting     the files that are wanted back come out of the workspace
 *       recording      the recorder keeps it, if it is to be kept
 *     conclude         it has finished, and everybody is told
 *
 * From the first step on it is out of everybody's hands (run.ending): a cancel or
 * a deadline that comes now has come too late. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine_private.h"
#include "os/fd.h"

static void decide(struct run *run)
{
    struct verdict_words words = {
        .why = run->why[0] ? run->why : NULL,
        .limits = run->facts.in_compile_stage ? run->compile_limits : run->limits,
        .hits = run->result.hits,
    };
    if (run->facts.in_compile_stage)
        words.limits.value[LIMIT_OUTPUT] = run_stage_output_cap(run);
    run->result.verdict = verdict_decide(&run->facts);
    run->result.compile_stage = run->facts.in_compile_stage;
    verdict_reason(&run->facts, &words, run->result.reason, sizeof run->result.reason);
}

/* --- its artifacts --- */

void run_artifacts_free(struct run *run)
{
    struct run_artifacts *artifacts = &run->artifacts;
    for (size_t i = 0; i < artifacts->count; i++) {
        fd_close(&artifacts->items[i].fd);
        free(artifacts->items[i].path);
    }
    free(artifacts->items);
    *artifacts = (struct run_artifacts){0};
}

/* The path, and behind it in the same block the refusal: what an item says is lent. */
static char *keep_texts(const struct collect_item *item, const char **ret_refusal)
{
    size_t path_size = strlen(item->path) + 1;
    size_t refusal_size = item->refusal ? strlen(item->refusal) + 1 : 0;
    char *texts = malloc(path_size + refusal_size);
    if (!texts)
        return NULL;
    memcpy(texts, item->path, path_size);
    *ret_refusal = item->refusal ? memcpy(texts + path_size, item->refusal, refusal_size) : NULL;
    return texts;
}

static int add_artifact(struct run_artifacts *artifacts, const struct collect_item *item)
{
    if (artifacts->count == artifacts->room) {
        size_t room = artifacts->room > 0 ? 2 * artifacts->room : 8;
        struct run_artifact *items = realloc(artifacts->items, room * sizeof *items);
        if (!items)
            return -1;
        artifacts->items = items;
        artifacts->room = room;
    }
    const char *refusal = NULL;
    char *path = keep_texts(item, &refusal);
    if (!path)
        return -1;
    artifacts->items[artifacts->count++] = (struct run_artifact){
        .path = path,
        .size = item->size,
        .fd = item->fd,
        .refusal = refusal,
    };
    return 0;
}

static void on_item(void *context, const struct collect_item *item)
{
    struct run *run = context;
    if (add_artifact(&run->artifacts, item) == 0)
        return;
    int fd = item->fd;
    fd_close(&fd);
    run->result.artifacts_unlisted++;
}

static void on_collected(void *context, uint64_t unlisted, const struct err *failure)
{
    struct run *run = context;
    (void)failure; /* the spawner is lost, and we with it */
    run->result.artifacts_unlisted += unlisted;
    run_collected(run);
}

/* Only of a program that has run and is known to be dead. */
static bool has_artifacts(const struct run *run)
{
    return run->plan.artifacts && run->workspace && !run->facts.we_failed &&
           !run->facts.in_compile_stage && run->limits.value[LIMIT_ARTIFACT_FILES] > 0;
}

static void collect(struct run *run)
{
    static const struct collect_events events = {.item = on_item, .done = on_collected};
    struct collect_spec spec = {
        .folder = run->plan.artifacts,
        .max_files = run->limits.value[LIMIT_ARTIFACT_FILES],
        .max_bytes = run->limits.value[LIMIT_ARTIFACT_BYTES],
    };
    run_clock_set(run, DEADLINE_COLLECT);
    executor_workspace_collect(run->workspace, &spec, &events, run);
}

/* --- the steps --- */

static void conclude(struct run *run)
{
    uint64_t now_ms = run_time_ms(run);
    run->finished_ns = loop_now_ns();
    run_artifacts_free(run);
    run_state_move(&run->state, RUN_FINISHED);
    output_log_add_state(&run->log, RUN_FINISHED, now_ms);
    output_log_add_end(&run->log, now_ms);
    run_tell_readers(run);
    run_carried_free(run);
    engine_run_finished(run->engine, run);
}

void run_recorded(struct run *run)
{
    conclude(run);
}

void run_collected(struct run *run)
{
    const struct recorder *recorder = &run->engine->config.recorder;
    run_clock_free(run);
    executor_workspace_close(take_ptr(&run->workspace));
    run_plan_fini(&run->plan);
    admission_release_bytes(run);
    output_log_end_streams(&run->log, run_time_ms(run));
    run_tell_readers(run);
    if (run->recorded)
        recorder->ended(recorder->context, run, &run->result, run->artifacts.items,
                        run->artifacts.count);
    else
        conclude(run);
}

/* Nobody moves it any more. */
static void stop(struct run *run)
{
    run->ending = true;
    run_clock_free(run);
    run_waiting_free(run);
    run_usage_free(run);
    executor_stage_free(take_ptr(&run->stage));
    if (run->compiler_text.len > 0)
        run_show_compiler_text(run, EVENT_STDERR);
    buf_fini(&run->input.bytes);
    buf_fini(&run->compiler_text);
}

/* The files themselves stayed where they were made. */
void run_finish_as_told(struct run *run, const struct run_result *result,
                        const struct run_artifact *artifacts, size_t artifact_count)
{
    stop(run);
    run->result = *result;
    for (size_t i = 0; i < artifact_count; i++) {
        struct collect_item item = {
            .path = artifacts[i].path,
            .size = artifacts[i].size,
            .fd = -1,
            .refusal = artifacts[i].refusal ? artifacts[i].refusal : "it is on another machine",
        };
        on_item(run, &item);
    }
    run_collected(run);
}

void run_finish(struct run *run)
{
    stop(run);
    decide(run);
    if (has_artifacts(run))
        collect(run);
    else
        run_collected(run);
}
