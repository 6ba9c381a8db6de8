/* SPDX-License-Identifier: MIT */
/* verb_jobs_list.c — the newest runs of all fronts, one row each. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/parse.h"
#include "cli/verb_jobs.h"
#include "codec/utf8.h"
#include "fleet/names.h"

const char *jobs_format_time(char text[32], uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc;
    if (unix_ms == 0 || !gmtime_r(&seconds, &utc) ||
        strftime(text, 32, "%Y-%m-%d %H:%M:%S", &utc) == 0)
        (void)snprintf(text, 32, "-");
    return text;
}

uint64_t jobs_attempt(struct slice text)
{
    char digits[24];
    uint64_t attempt = 0;
    (void)snprintf(digits, sizeof digits, "%.*s", (int)MIN(text.len, sizeof digits), text.at);
    return parse_u64(digits, &attempt) == 0 ? attempt : 0;
}

int jobs_print(const struct buf *text, bool as_json, struct err *err)
{
    if (text->failed)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)printf("%s%s", buf_text(text), as_json ? "\n" : "");
    return 0;
}

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
    "    verdict = string.match(result, '\"verdict\":%s*\"([a-z_]+)\"') or 'finished'\n"
    "  end\n"
    "  if run[1] and (not ended or verdict ~= '') then\n"
    "    table.insert(rows, {run[1], run[2] or 'queued', run[3] or '0', run[4] or '', verdict})\n"
    "  end\n"
    "end\n"
    "return rows\n";
enum { ROW_JOB, ROW_STATE, ROW_ATTEMPT, ROW_WORKER, ROW_VERDICT, ROW_ITEMS };

#define ROW_FORM "%-39s %-16s %-12s %-7s %-7s %-20s %s\n"

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
    char attempt[24];
    char state[32];
    char worker[NODE_NAME_SIZE];
    const struct slice *word = &items[items[ROW_VERDICT].len > 0 ? ROW_VERDICT : ROW_STATE];
    (void)snprintf(attempt, sizeof attempt, "%" PRIu64, jobs_attempt(items[ROW_ATTEMPT]));
    buf_add_format(&listing->text, ROW_FORM, job->header.id,
                   utf8_for_people(state, sizeof state, *word), job->language,
                   lane_name(job->header.lane), attempt,
                   utf8_for_people(worker, sizeof worker, items[ROW_WORKER]),
                   jobs_format_time(time, job->header.submitted_ms));
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
    json_u64(json, "attempt", jobs_attempt(items[ROW_ATTEMPT]));
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

int jobs_list(struct fleet_link *link, const struct jobs_options *options, const char *id,
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
        buf_add_format(&listing.text, ROW_FORM, "ID", "STATE", "LANGUAGE", "LANE", "ATTEMPT",
                       "WORKER", "SUBMITTED (UTC)");
    int rc = fleet_link_ask(link, take_rows, &listing, err, slice_of("EVAL"), slice_of(list_script),
                            slice_of("1"), slice_of(RUNS_KEY), slice_of(most),
                            slice_of(options->all ? "all" : ""));
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
