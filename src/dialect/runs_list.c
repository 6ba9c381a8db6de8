/* SPDX-License-Identifier: MIT */
/* runs_list.c — GET /v1/runs: many runs, newest first, page by page. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/runs.h"
#include "dialect/runs_operations.h"
#include "dialect/runs_record.h"
#include "dialect/runs_request.h"
#include "language/language.h"
#include "store/store.h"

enum { LIMIT_USUAL = 50 };
#define LIST_BODY_MAX (32 * MIB)

/* clang-format off */
static const struct schema_field row_usage_fields[] = {
    {"wall_ms",   SCHEMA_NUMBER, .required = true},
    {"cpu_ms",    SCHEMA_NUMBER, .required = true},
    {"queued_ms", SCHEMA_NUMBER, .required = true},
    {NULL},
};
static const struct schema row_usage_schema = {NULL, row_usage_fields, NULL};

static const struct schema_field row_fields[] = {
    {"id",          SCHEMA_TEXT, .required = true},
    {"status",      SCHEMA_TEXT, .required = true, .choices = runs_statuses},
    {"verdict",     SCHEMA_TEXT, .required = true, .nullable = true, .choices = runs_verdicts},
    {"finished_at", SCHEMA_TIME, .help = "when it has ended"},
    {"usage",       SCHEMA_OBJECT, .items = &row_usage_schema, .help = "when it has ended"},
    {"key",         SCHEMA_NUMBER, .nullable = true,
     .help = "with ?all=true: the number of its key; 0: of none; null: of one in the configuration"},
    {"limits",      SCHEMA_LIMITS_SET, .required = true},
    {"created_at",  SCHEMA_TIME, .required = true},
    {"language",    SCHEMA_TEXT, .required = true},
    {"priority",    SCHEMA_TEXT, .choices = runs_priorities},
    {"code_sha256", SCHEMA_TEXT, .required = true},
    {"metadata",    SCHEMA_PAIRS, .required = true},
    {NULL},
};
static const struct schema row_schema = {"RunRow", row_fields, "A run in a list: its record without what it said."};

static const struct schema_field list_fields[] = {
    {"runs", SCHEMA_OBJECTS, .required = true, .items = &row_schema},
    {"next", SCHEMA_TEXT, .required = true, .nullable = true,
     .help = "what `before` is for the next page; null: this was the last"},
    {NULL},
};
const struct schema runs_list_schema = {"RunList", list_fields, NULL};

const struct schema_field runs_list_query[] = {
    {"limit",    SCHEMA_NUMBER, .smallest = 1, .largest = STORE_PAGE_MAX, .help = "rows of a page; 50"},
    {"before",   SCHEMA_TEXT, .help = "the page behind this run"},
    {"verdict",  SCHEMA_TEXT, .help = "a verdict; or none: those that have not ended"},
    {"language", SCHEMA_TEXT, .help = "a name or an alias"},
    {"since",    SCHEMA_TIME, .help = "made then or later"},
    {"until",    SCHEMA_TIME, .help = "made before then"},
    {"metadata", SCHEMA_TEXT, .help = "name:value, and more behind commas: those with all of these pairs"},
    {"all",      SCHEMA_BOOL, .help = "of every key; asks for the scope admin"},
    {NULL},
};
/* clang-format on */

struct list_request {
    const struct runs *runs;
    struct http_request *request; /* NULL: the client has left */
    char metadata[512];
    struct store_pair pairs[STORE_METADATA_MAX];
    struct store_filter filter;
};

static void write_row(struct json *json, const struct list_request *list,
                      const struct stored_run *row)
{
    char time[TIME_TEXT_SIZE];
    const struct run *run = engine_find(list->runs->engine, row->run.id);
    /* Of one whose end the store could not take, the engine knows it. */
    const struct run_result *result = run ? run_result(run) : NULL;
    const char *verdict = row->is_finished ? row->end.verdict
                          : result         ? verdict_name(result->verdict)
                                           : NULL;
    const char *status = verdict ? runs_status_of(verdict)
                         : run   ? run_state_name(run_state(run))
                                 : "queued";
    json_open_object(json, NULL);
    json_text(json, "id", row->run.id);
    json_text(json, "status", status);
    json_text(json, "verdict", verdict);
    if (row->is_finished) {
        json_text(json, "finished_at", format_time(time, row->end.finished_ms));
        json_open_object(json, "usage");
        json_u64(json, "wall_ms", row->end.wall_ms);
        json_u64(json, "cpu_ms", row->end.cpu_ms);
        json_u64(json, "queued_ms", row->end.queued_ms);
        json_close_object(json);
    }
    if (list->filter.any_key)
        json_exact_u64(json, "key", row->run.key);
    json_members(json, row->run.accepted);
    json_close_object(json);
}

static void on_listed(void *context, const struct stored_run *runs, size_t count, bool more,
                      const struct err *err)
{
    struct list_request *list = context;
    auto_buf struct buf body;
    buf_init(&body, LIST_BODY_MAX);
    struct json json = json_start(&body);
    struct http_request *request = list->request;
    if (request)
        http_on_gone(request, NULL, NULL);
    if (request && err) {
        request_answer_err(request, err);
    } else if (request) {
        json_open_object(&json, NULL);
        json_open_array(&json, "runs");
        for (size_t i = 0; i < count; i++)
            write_row(&json, list, &runs[i]);
        json_close_array(&json);
        json_text(&json, "next", more && count > 0 ? runs[count - 1].run.id : NULL);
        json_close_object(&json);
        http_reply_take(request, 200, ANSWER_JSON, &body);
    }
    free(list);
}

static void on_gone(void *context)
{
    ((struct list_request *)context)->request = NULL;
}

/* --- the filter --- */

/* "name:value,name:value" */
static int read_metadata(struct list_request *list, const char *text, struct err *err)
{
    if (strlen(text) >= sizeof list->metadata)
        return err_field(err, "metadata", "metadata is longer than %zu bytes",
                         sizeof list->metadata - 1);
    memcpy(list->metadata, text, strlen(text) + 1);
    list->filter.metadata = list->pairs;
    for (char *at = list->metadata; at && *at;) {
        char *end = strchr(at, ',');
        if (end)
            *end++ = '\0';
        char *colon = strchr(at, ':');
        if (!colon || colon == at || list->filter.metadata_count == STORE_METADATA_MAX)
            return err_field(err, "metadata",
                             "metadata must be name:value, and more behind commas");
        *colon = '\0';
        list->pairs[list->filter.metadata_count++] = (struct store_pair){at, colon + 1};
        at = end;
    }
    return 0;
}

static int read_time(const struct http_request *request, const char *name, uint64_t *ret_ms,
                     struct err *err)
{
    const char *text = http_request_query(request, name);
    if (!text || parse_time(text, ret_ms) == 0)
        return 0;
    return err_field(err, name, "%s must be a time as in 2026-11-21T08:00:00Z", name);
}

static int read_limit(const struct http_request *request, size_t *ret_limit, struct err *err)
{
    uint64_t limit = LIMIT_USUAL;
    const char *text = http_request_query(request, "limit");
    if (text && (parse_u64(text, &limit) < 0 || limit == 0 || limit > STORE_PAGE_MAX))
        return err_field(err, "limit", "limit must be from 1 to %d", STORE_PAGE_MAX);
    *ret_limit = (size_t)limit;
    return 0;
}

static int read_verdict(const struct http_request *request, const char **ret_verdict,
                        struct err *err)
{
    const char *text = http_request_query(request, "verdict");
    *ret_verdict = text;
    if (!text)
        return 0;
    if (strcmp(text, "none") == 0) {
        *ret_verdict = "";
        return 0;
    }
    for (enum verdict i = 0; i < VERDICT_COUNT; i++) {
        if (strcmp(verdict_name(i), text) == 0)
            return 0;
    }
    return err_field(err, "verdict", "there is no verdict '%.60s'", text);
}

static int read_language(const struct list_request *list, const char **ret_language,
                         struct err *err)
{
    const char *text = http_request_query(list->request, "language");
    if (!text)
        return 0;
    const struct language *language = catalogue_find(list->runs->catalogue, slice_of(text));
    if (!language)
        return err_field(err, "language", "unsupported language");
    *ret_language = language->name;
    return 0;
}

static int read_filter(struct list_request *list, struct err *err)
{
    struct http_request *request = list->request;
    struct store_filter *filter = &list->filter;
    const char *all = http_request_query(request, "all");
    const char *metadata = http_request_query(request, "metadata");
    filter->key = http_request_key(request);
    filter->before = http_request_query(request, "before");
    filter->any_key = all && strcmp(all, "true") == 0;
    if (filter->any_key && !(http_request_scopes(request) & STORE_SCOPE_ADMIN))
        return err_set(err, ERR_FORBIDDEN, "runs of every key are for keys with the scope admin");
    if (read_limit(request, &filter->limit, err) < 0 ||
        read_verdict(request, &filter->verdict, err) < 0 ||
        read_language(list, &filter->language, err) < 0 ||
        read_time(request, "since", &filter->since_ms, err) < 0 ||
        read_time(request, "until", &filter->until_ms, err) < 0)
        return -1;
    return metadata ? read_metadata(list, metadata, err) : 0;
}

void runs_handle_list(struct http_request *request, void *context)
{
    struct err err;
    struct list_request *list = calloc(1, sizeof *list);
    if (!list) {
        (void)err_sys(&err, errno, "runs");
        request_answer_err(request, &err);
        return;
    }
    *list = (struct list_request){.runs = context, .request = request};
    if (read_filter(list, &err) < 0) {
        request_answer_err(request, &err);
        free(list);
        return;
    }
    http_on_gone(request, on_gone, list);
    store_run_list(list->runs->store, &list->filter, on_listed, list);
}
