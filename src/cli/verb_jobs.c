/* SPDX-License-Identifier: MIT */
/* verb_jobs.c — `runnel jobs`: what Redis and the broker know of a fleet's runs, whichever
 * front took them. */
#include "cli/verb_jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/verb.h"
#include "fleet/names.h"

/* clang-format off */
static const struct option rows[] = {
    {"all", 'a', NULL, "list: those that have ended, too", option_set_switch, offsetof(struct jobs_options, all)},
    {"json", 0, NULL, "as JSON", option_set_switch, offsetof(struct jobs_options, json)},
    {"broker", 0, "URL", "dead: RabbitMQ of the fleet, as amqp://user:password@host:5672/", option_set_config, 0},
    FLEET_OPTION_ROWS,
    {0},
};
/* clang-format on */

const char *jobs_format_time(char text[32], uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc;
    if (unix_ms == 0 || !gmtime_r(&seconds, &utc) ||
        strftime(text, 32, "%Y-%m-%d %H:%M:%S", &utc) == 0)
        (void)snprintf(text, 32, "-");
    return text;
}

int jobs_print(const struct buf *text, bool as_json, struct err *err)
{
    if (text->failed)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)printf("%s%s", buf_text(text), as_json ? "\n" : "");
    return 0;
}

/* --- list --- */

/* KEYS: the ids; ARGV: how many, "all". Of a result only what stands before what the
 * program wrote: the verdict. */
static const char list_script[] =
    "local rows = {}\n"
    "for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[1] - 1)) do\n"
    "  local key = 'runnel:run:' .. id\n"
    "  local run = redis.call('HMGET', key, 'job', 'state', 'attempt', 'worker')\n"
    "  local ended = redis.call('HEXISTS', key, 'result') == 1\n"
    "  local verdict = ''\n"
    "  if ended and ARGV[2] == 'all' then\n"
    "    local result = string.sub(redis.call('HGET', key, 'result'), 1, 1024)\n"
    "    verdict = string.match(result, '\"verdict\":\"([a-z_]+)\"') or 'finished'\n"
    "  end\n"
    "  if run[1] and (not ended or verdict ~= '') then\n"
    "    table.insert(rows, {run[1], run[2] or 'queued', run[3] or '0', run[4] or '', verdict})\n"
    "  end\n"
    "end\n"
    "return rows\n";
enum { ROW_JOB, ROW_STATE, ROW_ATTEMPT, ROW_WORKER, ROW_VERDICT, ROW_ITEMS };

#define ROW_FORM "%-39s %-16s %-12s %-7s %-7.*s %-20.*s %s\n"

struct listing {
    bool as_json;
    size_t unreadable;
    struct json json;
    struct buf text;
};

static void add_row(struct listing *listing, const struct job_summary *job,
                    const struct slice *items)
{
    char time[32];
    const struct slice *word = &items[items[ROW_VERDICT].len > 0 ? ROW_VERDICT : ROW_STATE];
    char state[32];
    (void)snprintf(state, sizeof state, "%.*s", (int)MIN(word->len, sizeof state - 1), word->at);
    buf_add_format(&listing->text, ROW_FORM, job->header.id, state, job->language,
                   lane_name(job->header.lane), (int)MIN(items[ROW_ATTEMPT].len, (size_t)7),
                   items[ROW_ATTEMPT].at, (int)MIN(items[ROW_WORKER].len, (size_t)NODE_NAME_SIZE),
                   items[ROW_WORKER].at, jobs_format_time(time, job->header.submitted_ms));
}

static void write_row(struct json *json, const struct job_summary *job, const struct slice *items)
{
    bool ended = items[ROW_VERDICT].len > 0;
    json_open_object(json, NULL);
    json_text(json, "id", job->header.id);
    json_slice(json, "state", ended ? slice_of("finished") : items[ROW_STATE]);
    if (ended)
        json_slice(json, "verdict", items[ROW_VERDICT]);
    json_text(json, "language", job->language);
    json_text(json, "lane", lane_name(job->header.lane));
    json_slice(json, "attempt", items[ROW_ATTEMPT]);
    json_slice(json, "worker", items[ROW_WORKER]);
    json_text(json, "front", job->header.front);
    json_u64(json, "submitted_ms", job->header.submitted_ms);
    json_close_object(json);
}

static void take_row(struct listing *listing, const struct redis_reply *row)
{
    struct slice items[ROW_ITEMS];
    struct job_summary job;
    bool is_row = row->kind == REDIS_ARRAY && row->count == ROW_ITEMS;
    for (size_t i = 0; is_row && i < ROW_ITEMS; i++)
        items[i] = row->items[i].text;
    if (!is_row || job_summarize(items[ROW_JOB], &job, NULL) < 0)
        listing->unreadable++;
    else if (listing->as_json)
        write_row(&listing->json, &job, items);
    else
        add_row(listing, &job, items);
}

static void take_rows(void *context, const struct redis_reply *reply)
{
    for (size_t i = 0; reply->kind == REDIS_ARRAY && i < reply->count; i++)
        take_row(context, &reply->items[i]);
}

static int list(struct fleet_link *link, const struct jobs_options *options, const char *id,
                struct err *err)
{
    struct listing listing = {.as_json = options->json};
    char most[16];
    (void)id;
    (void)snprintf(most, sizeof most, "%d", RUNS_LISTED);
    buf_init(&listing.text, SIZE_MAX);
    listing.json = json_start(&listing.text);
    if (options->json)
        json_open_array(&listing.json, NULL);
    else
        buf_add_format(&listing.text, ROW_FORM, "ID", "STATE", "LANGUAGE", "LANE", 7, "ATTEMPT",
                       20, "WORKER", "SUBMITTED (UTC)");
    int rc = fleet_link_ask(link, take_rows, &listing, err, slice_of("EVAL"),
                            slice_of(list_script), slice_of("1"), slice_of("runnel:runs"),
                            slice_of(most), slice_of(options->all ? "all" : ""));
    if (options->json)
        json_close_array(&listing.json);
    if (rc == 0)
        rc = jobs_print(&listing.text, options->json, err);
    if (rc == 0 && listing.unreadable > 0)
        (void)fprintf(stderr, "runnel: %zu more are not of a form that is known here\n",
                      listing.unreadable);
    buf_fini(&listing.text);
    return rc;
}

/* --- show --- */

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
                       slice_of("job"), slice_of("state"), slice_of("attempt"),
                       slice_of("worker"), slice_of("cancel"), slice_of("result")) < 0)
        return -1;
    if (known->texts[RUN_JOB].len == 0)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no job %s: it was never there, or ended more than %d minutes ago",
                       id, RUN_KEPT_S / 60);
    return job_summarize(buf_slice(&known->texts[RUN_JOB]), ret_job, err);
}

static const char *state_of(const struct known *known)
{
    if (known->texts[RUN_RESULT].len > 0)
        return "finished";
    return known->texts[RUN_STATE].len > 0 ? buf_text(&known->texts[RUN_STATE]) : "queued";
}

static void add_result(struct buf *text, const struct job_result *result)
{
    const struct run_result *end = &result->result;
    buf_add_format(text, "verdict    %s\nreason     %s\n", verdict_name(end->verdict),
                   end->reason);
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
    buf_add_format(text, "id         %s\nstate      %s\n", job->header.id, state_of(known));
    buf_add_format(text, "language   %s\nlane       %s\n", job->language,
                   lane_name(job->header.lane));
    buf_add_format(text, "front      %s\n", job->header.front);
    buf_add_format(text, "submitted  %s UTC\n", jobs_format_time(time, job->header.submitted_ms));
    if (known->texts[RUN_ATTEMPT].len > 0)
        buf_add_format(text, "attempt    %s\nworker     %s\n", buf_text(&known->texts[RUN_ATTEMPT]),
                       buf_text(&known->texts[RUN_WORKER]));
    if (known->texts[RUN_CANCEL].len > 0)
        buf_add_format(text, "cancelled  %s\n", buf_text(&known->texts[RUN_CANCEL]));
    if (known->texts[RUN_RESULT].len == 0)
        return 0;
    if (result_decode(buf_slice(&known->texts[RUN_RESULT]), &result, err) < 0)
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
    json_text(&json, "state", state_of(known));
    if (known->texts[RUN_ATTEMPT].len > 0) {
        json_text(&json, "attempt", buf_text(&known->texts[RUN_ATTEMPT]));
        json_text(&json, "worker", buf_text(&known->texts[RUN_WORKER]));
    }
    if (known->texts[RUN_CANCEL].len > 0)
        json_slice(&json, "cancel", buf_slice(&known->texts[RUN_CANCEL]));
    json_value(&json, "job", buf_slice(&known->texts[RUN_JOB]));
    if (known->texts[RUN_RESULT].len > 0) {
        if (result_decode(buf_slice(&known->texts[RUN_RESULT]), &result, err) < 0)
            return -1;
        json_value(&json, "result", buf_slice(&known->texts[RUN_RESULT]));
        result_fini(&result);
    }
    json_close_object(&json);
    return 0;
}

static int show(struct fleet_link *link, const struct jobs_options *options, const char *id,
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

/* --- cancel --- */

/* Written down for the worker that will take it, and told to one that has it. */
static int cancel(struct fleet_link *link, const struct jobs_options *options, const char *id,
                  struct err *err)
{
    static const char why[] = "an operator stopped it";
    struct fleet_key key = run_key(id);
    struct fleet_key channel = commands_key(id);
    struct known known;
    struct job_summary job;
    struct buf text;
    buf_init(&text, KIB);
    command_encode(&(struct command){COMMAND_CANCEL, 1, .bytes = slice_of(why)}, &text);
    int rc = find(link, id, &known, &job, err);
    if (rc == 0 && known.texts[RUN_RESULT].len > 0)
        rc = err_set(err, ERR_CONFLICT, "job %s has ended already", id);
    if (rc == 0)
        rc = fleet_link_ask(link, NULL, NULL, err, slice_of("HSET"), slice_of(key.text),
                            slice_of("cancel"), slice_of(why));
    if (rc == 0)
        rc = fleet_link_ask(link, NULL, NULL, err, slice_of("PUBLISH"), slice_of(channel.text),
                            buf_slice(&text));
    if (rc == 0 && options->json)
        (void)printf("{\"id\":\"%s\",\"cancelled\":true}\n", job.header.id);
    else if (rc == 0)
        (void)printf("job %s is told to end%s\n", job.header.id,
                     known.texts[RUN_WORKER].len > 0 ? "" : " when a worker takes it");
    known_fini(&known);
    buf_fini(&text);
    return rc;
}

/* --- the verb --- */

typedef int action_fn(struct fleet_link *link, const struct jobs_options *options, const char *id,
                      struct err *err);

static int dead_list(struct fleet_link *link, const struct jobs_options *options, const char *id,
                     struct err *err)
{
    (void)id;
    return jobs_dead_list(link, options, err);
}

static const struct action {
    const char *words[2];
    bool has_id;
    bool needs_broker;
    action_fn *act;
} actions[] = {
    {{"list"}, false, false, list},
    {{"show"}, true, false, show},
    {{"cancel"}, true, false, cancel},
    {{"dead", "show"}, true, true, jobs_dead_show},
    {{"dead", "replay"}, true, true, jobs_dead_replay},
    {{"dead"}, false, true, dead_list},
};

/* As they go into names of keys and onto terminals. */
static bool is_id(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return len > 0 && len < RUN_ID_SIZE;
}

static bool fits(const struct action *action, const struct words *operands)
{
    size_t used = action->words[1] ? 2 : 1;
    if (operands->count != used + action->has_id)
        return false;
    for (size_t i = 0; i < used; i++) {
        if (strcmp(operands->items[i], action->words[i]) != 0)
            return false;
    }
    return true;
}

static const struct action *find_action(const struct words *operands, const char **ret_id,
                                        struct err *err)
{
    *ret_id = operands->count > 0 ? operands->items[operands->count - 1] : "";
    if (operands->count == 0)
        return &actions[0];
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!fits(&actions[i], operands))
            continue;
        if (!actions[i].has_id || is_id(*ret_id))
            return &actions[i];
        (void)err_set(err, ERR_INVALID, "that is no job's id");
        return NULL;
    }
    (void)err_set(err, ERR_INVALID,
                  "write 'runnel jobs' with one of: list, show ID, cancel ID, dead, dead show ID, "
                  "dead replay ID");
    return NULL;
}

static int open_and_act(const struct jobs_options *options, const struct words *operands,
                        struct err *err)
{
    struct fleet_link link = {0};
    const char *id = NULL;
    const struct action *action = find_action(operands, &id, err);
    if (!action)
        return -1;
    int rc = fleet_link_open(&link, &options->config, err);
    if (rc == 0 && action->needs_broker)
        rc = fleet_link_open_broker(&link, err);
    if (rc == 0)
        rc = action->act(&link, options, id, err);
    fleet_link_close(&link);
    return rc;
}

static int run_jobs(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct jobs_options options = {0};
    struct words operands = {0};
    int rc = verb_parse(verb, argc, argv, &options, &operands, err);
    if (rc == OPTIONS_DONE)
        rc = open_and_act(&options, &operands, err);
    else if (rc == OPTIONS_HELP)
        rc = 0;
    words_fini(&operands);
    config_flags_fini(&options.config);
    return rc;
}

const struct verb verb_jobs = {
    .name = "jobs",
    .summary = "a fleet's runs: list, look at, cancel, and what became of dead ones",
    .synopsis = "jobs [list] [--all] | jobs show ID | jobs cancel ID | jobs dead [show ID | replay ID]",
    .teaching = "examples:\n"
                "  runnel jobs --stream redis://cache:6379\n"
                "  runnel jobs --all --json\n"
                "  runnel jobs cancel 0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a\n"
                "  runnel jobs dead --broker amqp://user:password@mq:5672/\n"
                "  runnel jobs dead replay 0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a\n"
                "\n"
                "Ended jobs are known for ten minutes. A dead job ended its worker twice, or was no\n"
                "job at all; it has its result, so a replay is a new one, with an id of its own.\n",
    .options = {.rows = rows},
    .run = run_jobs,
};
