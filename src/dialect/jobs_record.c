/* SPDX-License-Identifier: MIT */
#include "dialect/jobs_record.h"

#include "base/parse.h"
#include "codec/json_write.h"
#include "dialect/jobs.h"
#include "dialect/jobs_note.h"
#include "dialect/jobs_stream.h"
#include "dialect/request_answer.h"
#include "dialect/result_fields.h"
#include "dialect/result_output.h"

bool jobs_may_see(const struct http_request *request, const struct run *run,
                  struct jobs_note *ret_note)
{
    return run && request_may_see(request, run_owner(run)) &&
           jobs_note_read(run_note(run), ret_note);
}

/* --- what its log says --- */

struct story {
    struct buf output; /* both streams, in the order of the log */
    unsigned attempt;
    uint64_t changed_ms; /* when its status did, after the submission */
};

static void on_more(void *context)
{
    (void)context;
}

static void take_event(struct story *story, const struct event *event)
{
    if (event->attempt != story->attempt)
        buf_clear(&story->output); /* what an earlier attempt said is void */
    story->attempt = event->attempt;
    if (event->kind == EVENT_STDOUT || event->kind == EVENT_STDERR)
        buf_add_slice(&story->output, event->bytes);
    if (event->kind == EVENT_END || (event->kind == EVENT_STATE && event->state == RUN_PREPARING))
        story->changed_ms = event->time_ms;
}

/* Before the end only whether it has begun is asked: that stands at the log's beginning. */
static bool read_story(struct run *run, struct story *story)
{
    struct event event;
    struct reader *reader = run_attach(run, 0, READER_TEXT, on_more, NULL, NULL);
    if (!reader)
        return false;
    bool whole = run_result(run) != NULL;
    while (reader_next(reader, &event) > 0) {
        take_event(story, &event);
        if (!whole && story->changed_ms > 0)
            break;
    }
    reader_free(reader);
    return !story->output.failed;
}

/* --- as these clients know it --- */

const char *jobs_status_of(enum verdict verdict)
{
    if (verdict == VERDICT_SUCCEEDED)
        return "completed";
    return verdict == VERDICT_CANCELLED ? "cancelled" : "failed";
}

static void write_result(struct json *json, const struct jobs *jobs, const struct run *run,
                         const struct jobs_note *note, struct slice output)
{
    const struct run_result *result = run_result(run);
    json_open_object(json, "result");
    json_text(json, "job_id", run_id(run));
    json_value(json, "workspace_id", note->workspace_id);
    json_slice(json, "output", output);
    if (result->verdict != VERDICT_SUCCEEDED)
        json_text(json, "error", result->reason);
    json_i64(json, "exit_code",
             verdict_job_status(result->verdict, result->exit_code, result->signal));
    json_u64(json, "duration", result->usage.compile_ms + result->usage.wall_ms);
    json_text(json, "status", jobs_status_of(result->verdict));
    json_text(json, "verdict", verdict_name(result->verdict));
    json_text(json, "reason", result->reason);
    result_fields_write(json, run, engine_isolation(jobs->engine));
    json_close_object(json);
}

static void write_place(struct json *json, const struct run *run, bool is_over)
{
    bool is_held = !is_over && run_result(run);
    json_text(json, "state", run_state_name(is_held ? RUN_RUNNING : run_state(run)));
    if (run_queue_position(run) == 0)
        return;
    json_u64(json, "position", run_queue_position(run));
    json_u64(json, "estimated_wait_ms", run_expected_wait_ms(run));
}

static void write_record(struct json *json, struct jobs *jobs, struct run *run,
                         const struct jobs_note *note, const struct story *story)
{
    char time[TIME_TEXT_SIZE];
    uint64_t since_ms = run_time_ms(run) - story->changed_ms;
    const struct run_result *result = run_result(run);
    bool is_over = result && (jobs_stream_settle(jobs, run) || since_ms > JOBS_SLOW_MS);
    const char *status = is_over                        ? jobs_status_of(result->verdict)
                         : run_state(run) == RUN_QUEUED ? "queued"
                                                        : "submitted";
    json_open_object(json, NULL);
    json_text(json, "job_id", run_id(run));
    json_members(json, note->asked);
    json_text(json, "status", status);
    json_text(json, "created_at", format_time(time, note->created_ms));
    json_text(json, "updated_at", format_time(time, note->created_ms + story->changed_ms));
    if (is_over)
        write_result(json, jobs, run, note, buf_slice(&story->output));
    write_place(json, run, is_over);
    json_members(json, note->more);
    json_members(json, note->analysis);
    json_close_object(json);
}

bool jobs_record_write(struct json *json, struct jobs *jobs, struct run *run,
                       const struct jobs_note *note)
{
    struct story story = {0};
    buf_init(&story.output, 2 * RESULT_STREAM_MAX);
    bool is_whole = read_story(run, &story);
    bool told =
        !is_whole || !run_result(run) || run_time_ms(run) - story.changed_ms <= JOBS_KEPT_MS;
    if (!is_whole)
        json->buf->failed = true;
    else if (told)
        write_record(json, jobs, run, note, &story);
    buf_fini(&story.output);
    return told;
}
