/* SPDX-License-Identifier: MIT */
#include "dialect/runs_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/runs.h"
#include "dialect/runs_record.h"
#include "store/store.h"

bool replay_next(struct slice *lines, struct replay_line *ret_line)
{
    static const char start[] = "{\"n\":";
    const char *end = lines->len > 0 ? memchr(lines->at, '\n', lines->len) : NULL;
    if (!end)
        return false;
    struct slice line = {lines->at, (size_t)(end - lines->at)};
    *lines = (struct slice){end + 1, lines->len - line.len - 1};
    uint64_t number = 0;
    for (size_t i = sizeof start - 1; i < line.len && line.at[i] >= '0' && line.at[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(line.at[i] - '0');
    *ret_line = (struct replay_line){number, line};
    return true;
}

struct slice replay_lines(const struct stored_run *run, uint64_t from, struct buf *spare)
{
    if (!run->is_interrupted && run->end.events.len > 0)
        return run->end.events;
    struct json json = json_start(spare);
    json_open_object(&json, NULL);
    json_u64(&json, "n", MAX(1, from));
    json_u64(&json, "t", 0);
    json_text(&json, "type", "end");
    runs_write_interrupted(&json);
    json_close_object(&json);
    buf_add_char(spare, '\n');
    return buf_slice(spare);
}

struct slice replay_type(struct slice line)
{
    static const char before[] = "\"type\":\"";
    const char *at = memmem(line.at, line.len, before, sizeof before - 1);
    if (!at)
        return (struct slice){0};
    at += sizeof before - 1;
    const char *end = memchr(at, '"', (size_t)(line.at + line.len - at));
    return (struct slice){at, end ? (size_t)(end - at) : 0};
}

struct finding {
    const struct runs *runs;
    struct http_request *request; /* NULL: the client has left */
    uint64_t from;
    replay_fn *go;
};

static void on_gone(void *context)
{
    ((struct finding *)context)->request = NULL;
}

static void on_found(void *context, const struct stored_run *run, const struct err *err)
{
    struct finding *finding = context;
    struct http_request *request = finding->request;
    if (request)
        http_on_gone(request, NULL, NULL);
    bool seen = request && run && request_may_see(request, run->run.key);
    if (seen && run->is_finished)
        finding->go(request, run, finding->from, finding->runs);
    else if (seen)
        runs_answer_sought(request);
    else if (request && (run || !err || err->code == ERR_NOT_FOUND))
        runs_answer_not_found(request);
    else if (request)
        request_answer_err(request, err);
    free(finding);
}

void replay_find(const struct runs *runs, struct http_request *request, uint64_t from,
                 size_t events_max, replay_fn *go)
{
    const char *id = http_request_capture(request, "id");
    if (strlen(id) >= STORE_ID_SIZE) {
        runs_answer_not_found(request);
        return;
    }
    struct finding *finding = calloc(1, sizeof *finding);
    if (!finding) {
        struct err err;
        (void)err_sys(&err, errno, "run %s", id);
        request_answer_err(request, &err);
        return;
    }
    *finding = (struct finding){.runs = runs, .request = request, .from = from, .go = go};
    http_on_gone(request, on_gone, finding);
    store_run_get(runs->store, id, events_max, on_found, finding);
}
