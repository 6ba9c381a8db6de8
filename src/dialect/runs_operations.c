/* SPDX-License-Identifier: MIT */
#include "dialect/runs_operations.h"

#include "dialect/runs_event.h"
#include "dialect/runs_record.h"
#include "dialect/runs_request.h"

/* clang-format off */
static const struct schema_field start_query[] = {
    {"wait", SCHEMA_BOOL, .help = "false: answer at once with 201, and keep the program's input open"},
    {NULL},
};
static const struct schema_field start_headers[] = {
    {"Idempotency-Key", SCHEMA_TEXT, .largest = 255,
     .help = "the same key and body again is the same run, also while it runs; another body is a 422"},
    {NULL},
};
static const struct schema_field record_query[] = {
    {"request", SCHEMA_BOOL, .help = "true: with the body that made it"},
    {NULL},
};
static const char *const only_words[] = {"cancel", NULL};
static const struct schema_field delete_query[] = {
    {"only", SCHEMA_TEXT, .choices = only_words,
     .help = "cancel: one that has ended is told, and not removed, so that to cancel twice is harmless"},
    {NULL},
};
static const struct schema_field from_query[] = {
    {"from", SCHEMA_NUMBER, .help = "the number of the first event that is wanted"},
    {NULL},
};
static const struct schema_field events_headers[] = {
    {"Last-Event-ID", SCHEMA_NUMBER, .help = "the number of the last event that is there already"},
    {NULL},
};
/* clang-format on */

const struct operation runs_operations[] = {
    {
        .method = "POST",
        .path = "/v1/runs",
        .id = "execute_code",
        .tag = OPERATION_EXECUTION,
        .summary = "Run a program",
        .help = "Waits for the program's end and answers with everything about it, whatever the "
                "end was: a program that fails is a 200, too. A client that leaves ends its run, "
                "unless it sent an Idempotency-Key.",
        .query = start_query,
        .headers = start_headers,
        .body = &runs_request_schema,
        .answers = {{200, "The run, at its end.", &runs_record_schema},
                    {201, "With wait=false: the run, which has just been made.",
                     &runs_record_schema}},
        .errors = {404, 422, 429, 503, 507},
        .example = "-H 'content-type: application/json' \\\n"
                   "     -d '{\"language\":\"python\",\"code\":\"print(6*7)\"}'",
    },
    {
        .method = "GET",
        .path = "/v1/runs",
        .id = "list_runs",
        .tag = OPERATION_EXECUTION,
        .summary = "List runs, newest first",
        .query = runs_list_query,
        .answers = {{200, "A page of them.", &runs_list_schema}},
        .errors = {400, 403, 404},
    },
    {
        .method = "GET",
        .path = "/v1/runs/:id",
        .id = "get_run",
        .tag = OPERATION_EXECUTION,
        .summary = "Look at a run",
        .capture_help = "of the run",
        .query = record_query,
        .answers = {{200, "The run.", &runs_record_schema}},
        .errors = {404},
    },
    {
        .method = "DELETE",
        .path = "/v1/runs/:id",
        .id = "delete_run",
        .tag = OPERATION_EXECUTION,
        .summary = "Cancel a run, or forget it",
        .help = "One that goes on is ended. One that has ended is removed with its files.",
        .capture_help = "of the run",
        .query = delete_query,
        .answers = {{200, "With only=cancel: it had ended.", &runs_record_schema},
                    {202, "It goes on, and will end now.", &runs_record_schema},
                    {204, "It had ended, and is forgotten."}},
        .errors = {400, 404, 503},
    },
    {
        .method = "GET",
        .path = "/v1/runs/:id/events",
        .id = "follow_run",
        .tag = OPERATION_EVENTS,
        .summary = "Follow a run by Server-Sent Events",
        .help = "What has happened comes at once, the rest when it happens; the answer ends with "
                "the run. Each message has the event's number as its id, so that a client which "
                "was cut off goes on where it was.",
        .capture_help = "of the run",
        .query = from_query,
        .headers = events_headers,
        .answers = {{200, "The events.", NULL, "text/event-stream", &runs_event_schema}},
        .errors = {404, 503},
    },
    {
        .method = "GET",
        .path = "/v1/runs/:id/stream",
        .id = "attach_to_run",
        .tag = OPERATION_EVENTS,
        .summary = "Attach to a run by WebSocket",
        .help = "Events come as text frames. Input, signals, the terminal's size and cancelling go "
                "the other way. With the subprotocol runnel.bytes output and input are binary "
                "frames.",
        .capture_help = "of the run",
        .query = from_query,
        .answers = {{101, "A WebSocket.", NULL, NULL, &runs_event_schema}},
        .errors = {400, 404, 426, 503},
    },
    {
        .method = "GET",
        .path = "/v1/languages",
        .id = "list_languages",
        .tag = OPERATION_EXECUTION,
        .summary = "Everything about each language",
        .answers = {{200, "All that this server knows.", &runs_languages_schema}},
    },
    {0},
};
