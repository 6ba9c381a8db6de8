/* SPDX-License-Identifier: MIT */
#include "dialect/runs_record.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/result_fields.h"
#include "dialect/result_output.h"
#include "dialect/runs.h"
#include "dialect/runs_request.h"
#include "language/language.h"
#include "store/store.h"

/* As docs/api/runs.md has it: until the end the word of the life table, then this one. */
static const char *const status_words[VERDICT_COUNT] = {
    [VERDICT_INTERNAL_ERROR] = "failed", [VERDICT_CANCELLED] = "killed",
    [VERDICT_QUEUE_TIMEOUT] = "failed",  [VERDICT_TIMEOUT] = "timeout",
    [VERDICT_IDLE_TIMEOUT] = "timeout",  [VERDICT_CPU_LIMIT] = "timeout",
    [VERDICT_MEMORY_LIMIT] = "oom",      [VERDICT_OUTPUT_LIMIT] = "killed",
    [VERDICT_COMPILE_FAILED] = "failed", [VERDICT_KILLED_BY_SIGNAL] = "failed",
    [VERDICT_FAILED] = "failed",         [VERDICT_SUCCEEDED] = "succeeded",
};

const char *runs_status_of(const char *verdict)
{
    for (enum verdict i = 0; i < VERDICT_COUNT; i++) {
        if (strcmp(verdict_name(i), verdict) == 0)
            return status_words[i];
    }
    return "failed";
}

const char *const runs_statuses[] = {"queued",  "preparing", "compiling", "running",
                                     "waiting", "succeeded", "failed",    "timeout",
                                     "oom",     "killed",    NULL};

/* clang-format off */
static const struct schema_field refused_fields[] = {
    {"name",   SCHEMA_TEXT, .required = true, .help = "below outputs/"},
    {"reason", SCHEMA_TEXT, .required = true, .help = "why it was not kept"},
    {NULL},
};
static const struct schema refused_schema = {NULL, refused_fields, NULL};

static const struct schema_field record_fields[] = {
    {"id",       SCHEMA_TEXT, .required = true},
    {"status",   SCHEMA_TEXT, .required = true, .choices = runs_statuses,
     .help = "where it is; at its end, the verdict in the words of services of this form"},
    {"position", SCHEMA_NUMBER, .help = "while it is queued: 1 is the next to get a slot"},
    {"expected_wait_ms", SCHEMA_NUMBER, .help = "while it is queued: until then, by what runs took of late"},
    RUNS_VERDICT_ROWS(true),
    {"stdout",   SCHEMA_TEXT, .help = "at the end; UTF-8, with U+FFFD for what was none"},
    {"stderr",   SCHEMA_TEXT, .help = "at the end; the compiler's when compiling failed"},
    {"lost_bytes", SCHEMA_NUMBER,
     .help = "when stdout and stderr are not all that it printed: how much is missing; 0: not known"},
    {"attempt",  SCHEMA_NUMBER, .help = "from the second time on that it is tried, because a worker was lost"},
    {"worker",   SCHEMA_TEXT, .help = "where there is a broker: who carries it out, once that is known"},
    {"usage",    SCHEMA_OBJECT, .items = &result_usage_schema},
    {"isolation", SCHEMA_TEXT, .help = "full, or the layers that this host does without"},
    {"limits_hit", SCHEMA_OBJECT, .items = &result_hits_schema},
    {"artifacts", SCHEMA_OBJECTS, .items = &request_file_schema,
     .help = "the files that it left in outputs/"},
    {"artifacts_refused", SCHEMA_OBJECTS, .items = &refused_schema, .help = "those that were not kept"},
    {"artifacts_unlisted", SCHEMA_NUMBER, .help = "how many more there are"},
    {"limits",   SCHEMA_LIMITS_SET, .required = true,
     .help = "that it had; what is missing was not limited"},
    {"created_at", SCHEMA_TIME},
    {"language", SCHEMA_TEXT, .required = true, .help = "its name, also when an alias was asked for"},
    {"priority", SCHEMA_TEXT, .choices = runs_priorities, .help = "its lane of the queue"},
    {"code_sha256", SCHEMA_TEXT, .help = "of the entry file, in hex"},
    {"metadata", SCHEMA_PAIRS, .help = "as it was given"},
    {"request",  SCHEMA_ANYTHING, .help = "with ?request=true: the body that made it, up to 256 KiB"},
    {NULL},
};
/* clang-format on */
const struct schema runs_record_schema = {"Run", record_fields, "A run, before and after its end."};

/* --- the two parts --- */

static void write_machine(struct json *json, unsigned attempt, const char *worker)
{
    if (attempt > 1)
        json_u64(json, "attempt", attempt);
    if (worker)
        json_text(json, "worker", worker);
}

static void write_code_digest(struct json *json, struct slice code)
{
    struct sha256_ctx sha256;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char text[2 * SHA256_DIGEST_SIZE + 1];
    sha256_init(&sha256);
    sha256_update(&sha256, code.len, (const uint8_t *)code.at);
    sha256_digest(&sha256, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    json_text(json, "code_sha256", text);
}

void runs_write_accepted(struct json *json, const struct runs_request *request,
                         const struct limits *limits, const char *language, struct slice code,
                         uint64_t created_ms)
{
    char time[TIME_TEXT_SIZE];
    const struct schema_pair *pairs = request->metadata.items;
    result_limits_write(json, limits, true);
    json_text(json, "created_at", format_time(time, created_ms));
    json_text(json, "language", language);
    json_text(json, "priority", lane_name(runs_lane_of(request)));
    write_code_digest(json, code);
    json_open_object(json, "metadata");
    for (size_t i = 0; i < request->metadata.count; i++)
        json_text(json, pairs[i].name, pairs[i].value);
    json_close_object(json);
}

void runs_write_ended(struct json *json, const struct runs_outcome *outcome,
                      const struct result_output *output, const struct run_artifact *artifacts,
                      size_t artifact_count)
{
    const struct run_result *result = outcome->result;
    runs_write_verdict(json, result);
    json_slice(json, "stdout", buf_slice(&output->out));
    json_slice(json, "stderr", buf_slice(&output->err));
    result_output_write_lost(json, output);
    write_machine(json, outcome->attempt, outcome->worker);
    result_usage_write(json, &result->usage);
    json_text(json, "isolation", outcome->isolation);
    result_hits_write(json, &result->hits);
    result_refused_write(json, artifacts, artifact_count, result->artifacts_unlisted);
}

/* --- whole records --- */

static void on_nothing(void *context)
{
    (void)context;
}

static void gather_output(struct run *run, struct result_output *output)
{
    struct event event;
    struct reader *reader = run_attach(run, 0, READER_TEXT, on_nothing, NULL, NULL);
    while (reader && reader_next(reader, &event) > 0)
        result_output_add(output, &event);
    reader_free(reader);
}

/* Of a run that the store has not, or not with its end. */
static void write_finished(struct json *json, const struct runs *runs, struct run *run)
{
    struct runs_outcome outcome = runs_outcome_of(run, runs->engine);
    struct result_output output;
    result_output_init(&output);
    gather_output(run, &output);
    runs_write_ended(json, &outcome, &output, NULL, 0);
    result_output_fini(&output);
    json_open_array(json, "artifacts");
    json_close_array(json);
}

static void write_wait(struct json *json, const struct run *run)
{
    size_t position = run_queue_position(run);
    if (position == 0)
        return;
    json_u64(json, "position", position);
    json_u64(json, "expected_wait_ms", run_expected_wait_ms(run));
}

static void write_unfinished(struct json *json, const struct run *run)
{
    runs_write_verdict(json, NULL);
    write_machine(json, run_attempt(run), run_worker_name(run));
}

void runs_write_live(struct json *json, const struct runs *runs, struct run *run)
{
    const struct run_result *result = run_result(run);
    json_text(json, "id", run_id(run));
    json_text(json, "status",
              result ? status_words[result->verdict] : run_state_name(run_state(run)));
    write_wait(json, run);
    if (result)
        write_finished(json, runs, run);
    else
        write_unfinished(json, run);
    if (run_is_recorded(run)) { /* then it is ours, and so is its note */
        json_members(json, run_note(run));
        return;
    }
    result_limits_write(json, run_limits(run), true);
    json_text(json, "language", run_language(run)->name);
}

void runs_write_interrupted(struct json *json)
{
    static const struct run_result result = {
        .verdict = VERDICT_INTERNAL_ERROR,
        .reason = "interrupted: the service was stopped while the run went on",
    };
    runs_write_verdict(json, &result);
    result_usage_write(json, &result.usage);
}

void runs_write_stored(struct json *json, const struct stored_run *run,
                       const struct request_links *links, const struct http_request *request)
{
    json_text(json, "id", run->run.id);
    json_text(json, "status", run->is_finished ? runs_status_of(run->end.verdict) : "queued");
    if (run->is_interrupted) {
        runs_write_interrupted(json);
        json_text(json, "stdout", "");
        json_text(json, "stderr", "");
    } else if (run->is_finished) {
        json_members(json, run->end.result);
    } else {
        runs_write_verdict(json, NULL);
    }
    json_open_array(json, "artifacts");
    for (size_t i = 0; i < run->end.artifact_count; i++)
        request_write_file(json, NULL, &run->end.artifacts[i], links, request);
    json_close_array(json);
    json_members(json, run->run.accepted);
}

/* --- answers --- */

static void answer_ended(struct http_request *request, int status, const char *id, struct buf *body)
{
    char place[sizeof "/v1/runs/" + STORE_ID_SIZE];
    (void)snprintf(place, sizeof place, "/v1/runs/%s", id);
    request_answer_ended(request, status, place, body);
}

/* kept: the request as it was sent, when it is wanted. */
static void reply_live(const struct runs *runs, struct http_request *request, int status,
                       struct run *run, struct slice kept)
{
    auto_buf struct buf body;
    buf_init(&body, RESULT_BODY_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    runs_write_live(&json, runs, run);
    if (kept.len > 0)
        json_value(&json, "request", kept);
    json_close_object(&json);
    if (run_result(run))
        answer_ended(request, status, run_id(run), &body);
    else
        http_reply_take(request, status, ANSWER_JSON, &body);
}

void runs_reply_live(const struct runs *runs, struct http_request *request, int status,
                     struct run *run)
{
    reply_live(runs, request, status, run, (struct slice){0});
}

static void reply_stored(const struct runs *runs, struct http_request *request,
                         const struct stored_run *stored, bool with_request)
{
    auto_buf struct buf body;
    buf_init(&body, RESULT_BODY_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    runs_write_stored(&json, stored, &runs->links, request);
    if (with_request && stored->run.request.len > 0)
        json_value(&json, "request", stored->run.request);
    json_close_object(&json);
    answer_ended(request, 200, stored->run.id, &body);
}

void runs_answer_stored(const struct runs *runs, struct http_request *request, const char *id,
                        const struct stored_run *stored, const struct err *err, bool with_request)
{
    struct run *run = engine_find(runs->engine, id);
    bool seen = stored && request_may_see(request, stored->run.key);
    /* The engine knows more when the store could not take its end, or knows nothing. */
    if (seen && (stored->is_finished || !run))
        reply_stored(runs, request, stored, with_request);
    else if (run && request_may_see(request, run_owner(run)))
        reply_live(runs, request, 200, run,
                   with_request && stored ? stored->run.request : (struct slice){0});
    else if (!err || err->code == ERR_NOT_FOUND)
        runs_answer_not_found(request);
    else
        http_reply_err(request, err);
}

struct answer {
    const struct runs *runs;
    struct http_request *request; /* NULL: the client has left */
    bool with_request;
    bool is_repeated; /* by the request that waits */
    char id[STORE_ID_SIZE];
};

void runs_answer_repeated_stored(const struct runs *runs, struct http_request *request,
                                 const char *id, const struct stored_run *stored,
                                 const struct err *err)
{
    struct err refused;
    if (stored || !err || err->code != ERR_NOT_FOUND || engine_find(runs->engine, id)) {
        runs_answer_stored(runs, request, id, stored, err, false);
        return;
    }
    (void)err_set(&refused, ERR_BUSY,
                  "the request that this one repeats was refused; send it again");
    request_add_retry_after(request, runs->engine, &refused);
    request_answer_err(request, &refused);
}

static void on_gone(void *context)
{
    struct answer *answer = context;
    answer->request = NULL;
}

static void on_stored(void *context, const struct stored_run *stored, const struct err *err)
{
    struct answer *answer = context;
    struct http_request *request = answer->request;
    if (request) {
        http_on_gone(request, NULL, NULL);
        if (answer->is_repeated)
            runs_answer_repeated_stored(answer->runs, request, answer->id, stored, err);
        else
            runs_answer_stored(answer->runs, request, answer->id, stored, err,
                               answer->with_request);
    }
    free(answer);
}

static void answer_record(const struct runs *runs, struct http_request *request, const char *id,
                          bool with_request, bool is_repeated)
{
    struct run *run = engine_find(runs->engine, id);
    struct err err;
    if (run && run_state(run) != RUN_FINISHED && !with_request) {
        if (request_may_see(request, run_owner(run)))
            runs_reply_live(runs, request, 200, run);
        else
            runs_answer_not_found(request);
        return;
    }
    struct answer *answer = strlen(id) < STORE_ID_SIZE ? calloc(1, sizeof *answer) : NULL;
    if (!answer && strlen(id) >= STORE_ID_SIZE) {
        runs_answer_not_found(request);
        return;
    }
    if (!answer) {
        (void)err_sys(&err, errno, "run");
        http_reply_err(request, &err);
        return;
    }
    *answer = (struct answer){
        .runs = runs, .request = request, .with_request = with_request, .is_repeated = is_repeated};
    memcpy(answer->id, id, strlen(id) + 1);
    http_on_gone(request, on_gone, answer);
    store_run_get(runs->store, answer->id, 0, on_stored, answer);
}

void runs_answer_record(const struct runs *runs, struct http_request *request, const char *id,
                        bool with_request)
{
    answer_record(runs, request, id, with_request, false);
}

void runs_answer_repeated(const struct runs *runs, struct http_request *request, const char *id)
{
    answer_record(runs, request, id, false, true);
}
