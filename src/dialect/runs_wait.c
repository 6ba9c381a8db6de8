/* SPDX-License-Identifier: MIT */
#include "dialect/runs_wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dialect/request_answer.h"
#include "dialect/runs.h"
#include "dialect/runs_record.h"
#include "loop/loop.h"
#include "store/store.h"

enum { LOOK_MS = 250 };

struct wait {
    const struct runs *runs;
    struct http_request *http;
    struct run *run;
    struct reader *reader;
    enum runs_absence absence;
};

static void wait_free(struct wait *wait)
{
    reader_free(wait->reader);
    free(wait);
}

static void on_gone(void *context)
{
    struct wait *wait = context;
    if (wait->absence == RUNS_ENDS_WITH_CLIENT)
        run_cancel(wait->run, "the client left");
    wait_free(wait);
}

static void on_ready(void *context)
{
    struct wait *wait = context;
    struct event event;
    while (reader_next(wait->reader, &event) > 0) {
        if (event.kind != EVENT_END)
            continue;
        http_on_gone(wait->http, NULL, NULL);
        runs_answer_record(wait->runs, wait->http, run_id(wait->run), false);
        wait_free(wait);
        return;
    }
}

static struct wait *wait_new(const struct runs *runs, struct http_request *http, struct run *run,
                             struct err *err)
{
    struct wait *wait = calloc(1, sizeof *wait);
    if (!wait) {
        (void)err_sys(err, errno, "run");
        return NULL;
    }
    *wait = (struct wait){.runs = runs, .http = http, .run = run};
    wait->reader = run_attach(run, 0, READER_TEXT, on_ready, wait, err);
    if (!wait->reader) {
        free(wait);
        return NULL;
    }
    return wait;
}

void runs_wait(const struct runs *runs, struct http_request *http, struct run *run,
               enum runs_absence absence)
{
    struct err err;
    struct wait *wait = wait_new(runs, http, run, &err);
    if (!wait) {
        run_cancel(run, "its end cannot be waited for");
        request_add_retry_after(http, runs->engine, &err);
        request_answer_err(http, &err);
        return;
    }
    wait->absence = absence;
    http_on_gone(http, on_gone, wait);
}

/* --- one that is still looked for --- */

struct look {
    const struct runs *runs;
    struct http_request *http; /* NULL: the client has left */
    struct loop_timer *again;
    bool is_asked; /* the store's answer is to come */
    char id[STORE_ID_SIZE];
};

static void look_free(struct look *look)
{
    loop_timer_free(look->again);
    free(look);
}

static void on_looker_gone(void *context)
{
    struct look *look = context;
    look->http = NULL;
    if (!look->is_asked)
        look_free(look);
}

static void on_stored(void *context, const struct stored_run *stored, const struct err *err)
{
    struct look *look = context;
    struct http_request *http = look->http;
    struct run *run = engine_find(look->runs->engine, look->id);
    look->is_asked = false;
    if (http && !run && stored && !stored->is_finished) {
        loop_timer_start(look->again, LOOK_MS);
        return;
    }
    if (http)
        http_on_gone(http, NULL, NULL);
    if (http && run && run_state(run) != RUN_FINISHED)
        runs_wait(look->runs, http, run, RUNS_CLIENT_RETURNS);
    else if (http)
        runs_answer_repeated_stored(look->runs, http, look->id, stored, err);
    look_free(look);
}

static void look_again(void *context)
{
    struct look *look = context;
    look->is_asked = true;
    store_run_get(look->runs->store, look->id, 0, on_stored, look);
}

void runs_wait_stored(const struct runs *runs, struct http_request *http, const char *id)
{
    struct look *look = calloc(1, sizeof *look);
    struct err err;
    if (!look) {
        (void)err_sys(&err, errno, "run");
        request_answer_err(http, &err);
        return;
    }
    *look = (struct look){.runs = runs, .http = http};
    (void)snprintf(look->id, sizeof look->id, "%s", id);
    look->again = loop_timer_new(runs->loop, look_again, look);
    http_on_gone(http, on_looker_gone, look);
    look_again(look);
}
