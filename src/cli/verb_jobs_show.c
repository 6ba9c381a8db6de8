/* SPDX-License-Identifier: MIT */
/* verb_jobs_show.c — one run: what is known of it, and its end by an operator. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/verb_jobs.h"
#include "codec/utf8.h"
#include "fleet/names.h"
#include "fleet/one_end.h"

/* What the run's hash holds; absent is "". */
enum { RUN_JOB, RUN_STATE, RUN_ATTEMPT, RUN_WORKER, RUN_CANCEL, RUN_RESULT, RUN_ITEMS };
struct known {
    struct buf texts[RUN_ITEMS];
};

static void take_known(void *context, const struct redis_reply *reply)
{
    struct known *known = context;
    for (size_t i = 0; reply->kind == REDIS_ARRAY && i < reply->count && i < RUN_ITEMS; i++)
        buf_add_slice(&known->texts[i], reply->items[i].text);
}

static struct slice known_slice(const struct known *known, size_t which)
{
    return buf_slice(&known->texts[which]);
}

static void known_fini(struct known *known)
{
    for (size_t i = 0; i < RUN_ITEMS; i++)
        buf_fini(&known->texts[i]);
}

/* The caller ends `known` in any case. */
static int find(struct fleet_link *link, const char *id, struct known *known,
                struct job_summary *ret_job, struct err *err)
{
    struct fleet_key key = run_key(id);
    for (size_t i = 0; i < RUN_ITEMS; i++)
        buf_init(&known->texts[i], SIZE_MAX);
    if (fleet_link_ask(link, take_known, known, err, slice_of("HMGET"), slice_of(key.text),
                       slice_of("job"), slice_of("state"), slice_of("attempt"), slice_of("worker"),
                       slice_of("cancel"), slice_of("result")) < 0)
        return -1;
    if (known->texts[RUN_JOB].len == 0)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no job %s: it was never there, or ended more than %d minutes ago",
                       id, RUN_KEPT_S / 60);
    return job_summarize(known_slice(known, RUN_JOB), ret_job, err);
}

static struct slice state_of(const struct known *known)
{
    if (known->texts[RUN_RESULT].len > 0)
        return slice_of("finished");
    return known->texts[RUN_STATE].len > 0 ? known_slice(known, RUN_STATE) : slice_of("queued");
}

/* What others wrote, as it may stand on a terminal; nothing when there is nothing. */
static void add_words(struct buf *text, const char *what, struct slice words)
{
    char shown[256];
    if (words.len > 0)
        buf_add_format(text, "%s %s\n", what, utf8_for_people(shown, sizeof shown, words));
}

static void add_result(struct buf *text, const struct job_result *result)
{
    const struct run_result *end = &result->result;
    buf_add_format(text, "verdict    %s\nreason     %s\n", verdict_name(end->verdict), end->reason);
    if (end->signal != 0)
        buf_add_format(text, "signal     %d\n", end->signal);
    else if (end->exit_code >= 0)
        buf_add_format(text, "exit code  %d\n", end->exit_code);
    buf_add_format(text, "ended by   %s\n", result->worker);
    buf_add_format(text, "wall time  %" PRIu64 " ms\n", end->usage.wall_ms);
    buf_add_format(text, "cpu time   %" PRIu64 " ms\n", end->usage.cpu_ms);
    buf_add_format(text, "memory     %.1f MiB\n", (double)end->usage.memory_peak_bytes / MIB);
    buf_add_format(text, "queued     %" PRIu64 " ms\n", end->usage.queued_ms);
}

static int describe(struct buf *text, const struct known *known, const struct job_summary *job,
                    struct err *err)
{
    char time[32];
    struct job_result result;
    buf_add_format(text, "id         %s\n", job->header.id);
    add_words(text, "state     ", state_of(known));
    buf_add_format(text, "language   %s\nlane       %s\n", job->language,
                   lane_name(job->header.lane));
    buf_add_format(text, "front      %s\n", job->header.front);
    buf_add_format(text, "submitted  %s UTC\n", jobs_format_time(time, job->header.submitted_ms));
    if (known->texts[RUN_ATTEMPT].len > 0)
        buf_add_format(text, "attempt    %" PRIu64 "\n",
                       jobs_attempt(known_slice(known, RUN_ATTEMPT)));
    add_words(text, "worker    ", known_slice(known, RUN_WORKER));
    add_words(text, "cancelled ", known_slice(known, RUN_CANCEL));
    if (known->texts[RUN_RESULT].len == 0)
        return 0;
    if (result_decode(known_slice(known, RUN_RESULT), &result, err) < 0)
        return -1;
    add_result(text, &result);
    result_fini(&result);
    return 0;
}

/* The texts are JSON: the job has been read; the result is, before it is passed on. */
static int write_known(struct buf *text, const struct known *known, const struct job_summary *job,
                       struct err *err)
{
    struct json json = json_start(text);
    struct job_result result = {0};
    json_open_object(&json, NULL);
    json_text(&json, "id", job->header.id);
    json_slice(&json, "state", state_of(known));
    if (known->texts[RUN_ATTEMPT].len > 0) {
        json_u64(&json, "attempt", jobs_attempt(known_slice(known, RUN_ATTEMPT)));
        json_slice(&json, "worker", known_slice(known, RUN_WORKER));
    }
    if (known->texts[RUN_CANCEL].len > 0)
        json_slice(&json, "cancel", known_slice(known, RUN_CANCEL));
    json_value(&json, "job", known_slice(known, RUN_JOB));
    if (known->texts[RUN_RESULT].len > 0) {
        if (result_decode(known_slice(known, RUN_RESULT), &result, err) < 0)
            return -1;
        json_value(&json, "result", known_slice(known, RUN_RESULT));
        result_fini(&result);
    }
    json_close_object(&json);
    return 0;
}

int jobs_show(struct fleet_link *link, const struct jobs_options *options, const char *id,
              struct err *err)
{
    struct known known;
    struct job_summary job;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    int rc = find(link, id, &known, &job, err);
    if (rc == 0)
        rc = options->json ? write_known(&text, &known, &job, err)
                           : describe(&text, &known, &job, err);
    if (rc == 0)
        rc = jobs_print(&text, options->json, err);
    buf_fini(&text);
    known_fini(&known);
    return rc;
}

bool jobs_add_reason(struct fleet_link *link, const char *id, struct buf *text)
{
    struct known known;
    struct job_summary job;
    struct job_result result;
    char shown[512];
    (void)find(link, id, &known, &job, NULL); /* a result may be there without its job */
    bool is_told = known.texts[RUN_RESULT].len > 0 &&
                   result_decode(known_slice(&known, RUN_RESULT), &result, NULL) == 0;
    if (is_told) {
        buf_add_text(text, utf8_for_people(shown, sizeof shown, slice_of(result.result.reason)));
        result_fini(&result);
    }
    known_fini(&known);
    return is_told;
}

/* --- cancel --- */

static const char cancelled_why[] = "an operator stopped it";

struct ending {
    struct fleet_link *link;
    bool has_ended; /* by us, or somebody was first */
};

static void on_ended(void *context, const struct redis_reply *reply)
{
    struct ending *ending = context;
    ending->has_ended = reply && reply->kind == REDIS_INTEGER;
    fleet_link_settle(ending->link);
}

/* Of one that nobody has begun: every front has its end at once, and a worker that takes its
 * message finds it there. */
static int end_waiting(struct fleet_link *link, const char *id, struct err *err)
{
    auto_buf struct buf text;
    struct job_result result = {.result = {.verdict = VERDICT_CANCELLED, .exit_code = -1}};
    buf_init(&text, 8 * KIB);
    (void)snprintf(result.id, sizeof result.id, "%s", id);
    (void)snprintf(result.worker, sizeof result.worker, "runnel-jobs");
    (void)snprintf(result.result.reason, sizeof result.result.reason, "%s", cancelled_why);
    struct one_end end = {.id = id, .number = 1};
    if (result_encode(&result, false, &text) < 0)
        return err_set(err, ERR_INTERNAL, "no memory");
    end.result = buf_slice(&text);
    struct ending ending = {link, false};
    if (one_end_store(link->redis, &end, on_ended, &ending) < 0)
        return err_set(err, ERR_BROKER, "the connection to Redis is lost: %s", link->lost.text);
    fleet_link_wait(link);
    if (!ending.has_ended)
        return err_set(err, ERR_BROKER, "Redis did not take its end");
    return 0;
}

/* Written down for the worker that has it before it, and told to one that has begun. */
static int tell(struct fleet_link *link, const char *id, struct err *err)
{
    struct fleet_key key = run_key(id);
    struct fleet_key channel = commands_key(id);
    auto_buf struct buf text;
    buf_init(&text, KIB);
    command_encode(&(struct command){COMMAND_CANCEL, 1, .bytes = slice_of(cancelled_why)}, &text);
    if (fleet_link_ask(link, NULL, NULL, err, slice_of("HSET"), slice_of(key.text),
                       slice_of("cancel"), slice_of(cancelled_why)) < 0)
        return -1;
    return fleet_link_ask(link, NULL, NULL, err, slice_of("PUBLISH"), slice_of(channel.text),
                          buf_slice(&text));
}

static int print_cancelled(const char *id, bool waits, bool as_json, struct err *err)
{
    auto_buf struct buf text;
    buf_init(&text, 4 * KIB);
    struct json json = json_start(&text);
    if (as_json) {
        json_open_object(&json, NULL);
        json_text(&json, "id", id);
        json_bool(&json, "cancelled", true);
        json_close_object(&json);
    } else {
        buf_add_format(&text, "job %s is %s\n", id, waits ? "cancelled" : "told to end");
    }
    return jobs_print(&text, as_json, err);
}

int jobs_cancel(struct fleet_link *link, const struct jobs_options *options, const char *id,
                struct err *err)
{
    struct known known;
    struct job_summary job;
    int rc = find(link, id, &known, &job, err);
    if (rc == 0 && known.texts[RUN_RESULT].len > 0)
        rc = err_set(err, ERR_CONFLICT, "job %s has ended already", id);
    bool waits = rc == 0 && slice_is(state_of(&known), "queued");
    if (rc == 0)
        rc = tell(link, id, err);
    if (rc == 0 && waits)
        rc = end_waiting(link, id, err);
    if (rc == 0)
        rc = print_cancelled(job.header.id, waits, options->json, err);
    known_fini(&known);
    return rc;
}
