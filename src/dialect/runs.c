/* SPDX-License-Identifier: MIT */
#include "dialect/runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "dialect/request_answer.h"
#include "dialect/runs_record.h"
#include "store/store.h"

#define BODY_MAX (8 * MIB) /* max_body bounds it further */

void runs_answer_not_found(struct http_request *request)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "run not found");
    request_answer_err(request, &err);
}

void runs_answer_sought(struct http_request *request)
{
    struct err err;
    (void)err_set(&err, ERR_BUSY, "the service has begun anew, and looks for this run");
    http_add_header(request, "Retry-After", "1");
    request_answer_err(request, &err);
}

uint64_t runs_position(const char *text)
{
    uint64_t position = 0;
    return text && parse_u64(text, &position) == 0 ? position : 0;
}

static void handle_record(struct http_request *request, void *context)
{
    const char *wanted = http_request_query(request, "request");
    runs_answer_record(context, request, http_request_capture(request, "id"),
                       wanted && strcmp(wanted, "true") == 0);
}

/* --- cancelling, and forgetting --- */

struct removal {
    const struct runs *runs;
    struct http_request *request; /* NULL: the client has left */
    bool only_cancels;            /* and so has come too late, and removes nothing */
    char id[STORE_ID_SIZE];
};

static void on_gone(void *context)
{
    ((struct removal *)context)->request = NULL;
}

static void on_removed(void *context, const struct err *err)
{
    struct removal *removal = context;
    struct http_request *request = removal->request;
    free(removal);
    if (!request)
        return;
    http_on_gone(request, NULL, NULL);
    if (err && err->code == ERR_NOT_FOUND)
        runs_answer_not_found(request);
    else if (err)
        request_answer_err(request, err);
    else
        http_reply(request, 204, NULL, (struct slice){0});
}

static void on_found(void *context, const struct stored_run *stored, const struct err *err)
{
    struct removal *removal = context;
    const struct runs *runs = removal->runs;
    struct run *run = engine_find(runs->engine, removal->id);
    struct http_request *request = removal->request;
    bool seen = request && stored && request_may_see(request, stored->run.key);
    if (seen && !stored->is_finished && (!run || run_state(run) != RUN_FINISHED)) {
        free(removal);
        http_on_gone(request, NULL, NULL);
        runs_answer_sought(request);
        return;
    }
    if (request && removal->only_cancels) {
        http_on_gone(request, NULL, NULL);
        runs_answer_stored(runs, request, removal->id, stored, err, false);
        free(removal);
        return;
    }
    if (seen && run)
        run_forget(run);
    if (seen)
        store_run_remove(runs->store, removal->id, on_removed, removal);
    else
        on_removed(removal, err ? err : &(struct err){.code = ERR_NOT_FOUND});
}

static void look_at_ended(const struct runs *runs, struct http_request *request, const char *id,
                          const char *only)
{
    struct removal *removal = strlen(id) < STORE_ID_SIZE ? calloc(1, sizeof *removal) : NULL;
    if (!removal) {
        runs_answer_not_found(request);
        return;
    }
    *removal = (struct removal){.runs = runs, .request = request, .only_cancels = only != NULL};
    memcpy(removal->id, id, strlen(id) + 1);
    http_on_gone(request, on_gone, removal);
    store_run_get(runs->store, removal->id, 0, on_found, removal);
}

static void handle_delete(struct http_request *request, void *context)
{
    const struct runs *runs = context;
    const char *id = http_request_capture(request, "id");
    const char *only = http_request_query(request, "only");
    struct run *run = engine_find(runs->engine, id);
    if (only && strcmp(only, "cancel") != 0) {
        struct err err;
        (void)err_field(&err, "only", "only must be cancel");
        request_answer_err(request, &err);
    } else if (!run || run_state(run) == RUN_FINISHED) {
        look_at_ended(runs, request, id, only);
    } else if (request_may_see(request, run_owner(run))) {
        run_cancel(run, "the client stopped it");
        runs_reply_live(runs, request, 202, run);
    } else {
        runs_answer_not_found(request);
    }
}

const struct http_route runs_routes[] = {
    {"POST", "/v1/runs", BODY_MAX, runs_handle_start, NULL, .access = STORE_SCOPE_RUN},
    {"GET", "/v1/runs", 0, runs_handle_list, NULL, .access = STORE_SCOPE_RUN},
    {"GET", "/v1/runs/:id", 0, handle_record, NULL, .access = STORE_SCOPE_RUN},
    {"DELETE", "/v1/runs/:id", 0, handle_delete, NULL, .access = STORE_SCOPE_RUN},
    {"GET", "/v1/runs/:id/events", 0, runs_handle_events, NULL, .access = STORE_SCOPE_RUN},
    {"GET", "/v1/runs/:id/stream", 0, runs_handle_stream, NULL, .access = STORE_SCOPE_RUN},
    {"GET", "/v1/languages", 0, runs_handle_languages, NULL, .access = HTTP_ANY_KEY},
    {0},
};
