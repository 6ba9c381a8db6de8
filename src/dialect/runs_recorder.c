/* SPDX-License-Identifier: MIT */
#include "dialect/runs_recorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/reserve.h"
#include "codec/json_write.h"
#include "codec/utf8.h"
#include "dialect/result_output.h"
#include "dialect/runs.h"
#include "dialect/runs_hooks.h"
#include "dialect/runs_record.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "os/clock.h"
#include "os/random_id.h"
#include "store/content.h"
#include "store/store.h"

/* Of a run's events as they are kept. What is longer keeps its beginning, and its end. */
#define EVENTS_MAX (16 * MIB)
#define LAST_EVENTS_MAX (64 * KIB)
#define NOT_KEPT "it could not be kept"

/* A store that has no room now may have some later. It takes no new runs until then, so
 * those that wait here are not many. */
enum { AGAIN_MS = 5000, MEMORY_AGAIN_MS = 100 };

struct runs_recorder {
    struct runs *runs;
    struct list recordings;
};

struct recording {
    struct list link; /* of the recorder's */
    struct runs *runs;
    struct run *run; /* NULL once it has been told of */
    const struct run_result *result;
    struct run_artifact *artifacts;
    size_t artifact_count;
    size_t next; /* of the artifacts, to be copied */
    struct buf events;
    struct buf ended;
    struct store_file *files;
    size_t file_count;
    char (*ids)[RANDOM_ID_SIZE];
    struct buf *names;
    char id[STORE_ID_SIZE];
    struct store_end end;
    struct loop_timer *again; /* NULL until the store has failed */
    bool is_asked;            /* the store's answer is to come */
};

static void recording_free(struct recording *recording)
{
    list_remove(&recording->link);
    buf_fini(&recording->events);
    buf_fini(&recording->ended);
    for (size_t i = 0; recording->names && i < recording->artifact_count; i++)
        buf_fini(&recording->names[i]);
    free(recording->names);
    free(recording->ids);
    free(recording->files);
    loop_timer_free(recording->again);
    reserve_give(recording);
}

/* --- its output --- */

/* False: it is over max, and was left out. */
static bool add_line(struct buf *events, size_t max, const struct event *event,
                     const struct runs_outcome *outcome)
{
    auto_buf struct buf line;
    buf_init(&line, RUNS_EVENT_MAX);
    runs_event_write(&line, event, outcome);
    buf_add_char(&line, '\n');
    events->starved = events->starved || line.starved;
    if (events->len + line.len > max)
        return false;
    buf_add_slice(events, buf_slice(&line));
    return true;
}

static void on_nothing(void *context)
{
    (void)context;
}

/* The last two events are not there yet, but nothing can come between. */
static void add_last_lines(struct recording *recording, const struct runs_outcome *outcome)
{
    struct event event = {
        .number = run_next_event(recording->run),
        .time_ms = run_time_ms(recording->run),
        .kind = EVENT_STATE,
        .state = RUN_FINISHED,
        .attempt = run_attempt(recording->run),
    };
    struct buf *events = &recording->events;
    (void)add_line(events, events->max, &event, outcome);
    event.number++;
    event.kind = EVENT_END;
    (void)add_line(events, events->max, &event, outcome);
}

/* False: there was no memory for all of it. */
static bool take_output(struct recording *recording, struct result_output *output,
                        const struct runs_outcome *outcome)
{
    struct event event;
    bool has_room = true;
    struct reader *reader = run_attach(recording->run, 0, READER_TEXT, on_nothing, NULL, NULL);
    while (reader && reader_next(reader, &event) > 0) {
        if (event.attempt > output->attempt) { /* who replays it has no use for what is void */
            buf_clear(&recording->events);
            has_room = true;
        }
        result_output_add(output, &event);
        if (has_room && event.kind != EVENT_USAGE)
            has_room = add_line(&recording->events, EVENTS_MAX, &event, outcome);
    }
    bool whole = reader && !result_output_starved(output);
    reader_free(reader);
    add_last_lines(recording, outcome);
    return whole && !recording->events.starved;
}

/* --- its end --- */

static void on_again(void *context);

static void try_again(struct recording *recording, uint64_t ms)
{
    if (!recording->again)
        recording->again = loop_timer_new(recording->runs->loop, on_again, recording);
    loop_timer_start(recording->again, ms);
}

static void log_lost(const char *id, const char *why)
{
    log_event(LOG_ERROR, "run_not_stored", LOG_TEXT("run", id), LOG_TEXT("reason", why), LOG_END);
}

/* Nobody will ever ask for them: their run was forgotten meanwhile. */
static void remove_contents(const struct recording *recording)
{
    int folder = store_files_folder(recording->runs->store);
    for (size_t i = 0; i < recording->file_count; i++)
        (void)content_remove(folder, recording->files[i].id);
}

static void on_finished(void *context, const struct err *err)
{
    struct recording *recording = context;
    struct runs *runs = recording->runs;
    recording->is_asked = false;
    bool is_forgotten = err && err->code == ERR_NOT_FOUND;
    if (err && !is_forgotten) {
        log_lost(recording->id, err->text);
    } else if (!err && runs->hooks) {
        runs_hooks_look(runs->hooks);
    }
    /* Who waits for the run is not made to wait for a disk. */
    if (recording->run)
        run_recorded(take_ptr(&recording->run));
    if (is_forgotten)
        remove_contents(recording);
    if (!err || is_forgotten || err->code == ERR_CONFLICT) {
        recording_free(recording);
        return;
    }
    try_again(recording, AGAIN_MS);
}

static void ask(struct recording *recording)
{
    recording->is_asked = true;
    store_run_finish(recording->runs->store, recording->id, &recording->end, on_finished,
                     recording);
}

static void write_end(struct recording *recording);

static void on_again(void *context)
{
    struct recording *recording = context;
    if (recording->end.verdict)
        ask(recording);
    else
        write_end(recording);
}

void runs_recorder_hurry(struct runs_recorder *recorder)
{
    list_for_each (link, &recorder->recordings) {
        struct recording *recording = CONTAINER_OF(link, struct recording, link);
        if (recording->again && !recording->is_asked)
            on_again(recording);
    }
}

static void write_end(struct recording *recording)
{
    const struct run_result *result = recording->result;
    struct runs *runs = recording->runs;
    struct runs_outcome outcome = runs_outcome_of(recording->run, runs->engine);
    struct result_output output;
    buf_clear(&recording->events);
    buf_clear(&recording->ended);
    outcome.result = result; /* the engine tells of it when we have it */
    result_output_init(&output);
    bool whole = take_output(recording, &output, &outcome);
    struct json json = json_start(&recording->ended);
    runs_write_ended(&json, &outcome, &output, recording->artifacts, recording->artifact_count);
    result_output_fini(&output);
    if (!whole || recording->ended.starved) {
        /* What lacks a part is not kept; and who waits is not made to wait for long. */
        try_again(recording, MEMORY_AGAIN_MS);
        return;
    }
    recording->end = (struct store_end){
        .verdict = verdict_name(result->verdict),
        .finished_ms = clock_unix_ms(),
        .queued_ms = result->usage.queued_ms,
        .wall_ms = result->usage.wall_ms,
        .cpu_ms = result->usage.cpu_ms,
        .run_ms = run_usage_ms(&result->usage),
        .result = buf_slice(&recording->ended),
        .events = buf_slice(&recording->events),
        .artifacts = recording->files,
        .artifact_count = recording->file_count,
    };
    ask(recording);
}

/* --- its artifacts --- */

static void copy_next(struct recording *recording);

static void on_copied(void *context, const struct content *content, const struct err *err)
{
    struct recording *recording = context;
    struct run_artifact *artifact = &recording->artifacts[recording->next];
    if (err) {
        artifact->refusal =
            err->code == ERR_STORAGE_FULL ? "no room on the server's disk" : NOT_KEPT;
    } else {
        struct store_file *file = &recording->files[recording->file_count++];
        *file = (struct store_file){
            .id = recording->ids[recording->next],
            .key = run_owner(recording->run),
            .run = recording->id,
            .name = buf_text(&recording->names[recording->next]),
            .size = content->size,
            .created_ms = clock_unix_ms(),
        };
        memcpy(file->sha256, content->sha256, sizeof file->sha256);
    }
    recording->next++;
    copy_next(recording);
}

static void copy_next(struct recording *recording)
{
    for (; recording->next < recording->artifact_count; recording->next++) {
        size_t at = recording->next;
        struct run_artifact *artifact = &recording->artifacts[at];
        if (artifact->refusal)
            continue;
        int fd = artifact->fd;
        artifact->fd = -1;
        buf_init(&recording->names[at], 4 * KIB);
        (void)utf8_append_clean(&recording->names[at], slice_of(artifact->path), true);
        if (random_id("file_", recording->ids[at]) < 0)
            recording->ids[at][0] = '\0'; /* is no name for a content: refused there */
        content_copy(recording->runs->loop, store_files_folder(recording->runs->store),
                     recording->ids[at], fd, artifact->size, on_copied, recording);
        return;
    }
    write_end(recording);
}

void runs_recorder_ended(void *context, struct run *run, const struct run_result *result,
                         struct run_artifact *artifacts, size_t artifact_count)
{
    struct runs_recorder *recorder = context;
    struct runs *runs = recorder->runs;
    struct recording *recording = reserve_take(sizeof *recording);
    if (!recording) {
        log_lost(run_id(run), "there is no memory");
        run_recorded(run);
        return;
    }
    *recording = (struct recording){
        .runs = runs,
        .run = run,
        .result = result,
        .artifacts = artifacts,
        .artifact_count = artifact_count,
        .files = calloc(artifact_count + 1, sizeof *recording->files),
        .ids = calloc(artifact_count + 1, sizeof *recording->ids),
        .names = calloc(artifact_count + 1, sizeof *recording->names),
    };
    list_append(&recorder->recordings, &recording->link);
    memcpy(recording->id, run_id(run), strlen(run_id(run)) + 1);
    buf_init(&recording->events, EVENTS_MAX + LAST_EVENTS_MAX);
    buf_init(&recording->ended, RESULT_BODY_MAX);
    if (recording->files && recording->ids && recording->names) {
        copy_next(recording);
        return;
    }
    for (size_t i = 0; i < artifact_count; i++)
        artifacts[i].refusal = artifacts[i].refusal ? artifacts[i].refusal : NOT_KEPT;
    write_end(recording);
}

struct runs_recorder *runs_recorder_new(struct runs *runs)
{
    struct runs_recorder *recorder = calloc(1, sizeof *recorder);
    if (!recorder)
        return NULL;
    recorder->runs = runs;
    list_init(&recorder->recordings);
    return recorder;
}

void runs_recorder_free(struct runs_recorder *recorder)
{
    if (!recorder)
        return;
    while (!list_empty(&recorder->recordings))
        recording_free(CONTAINER_OF(recorder->recordings.next, struct recording, link));
    free(recorder);
}
