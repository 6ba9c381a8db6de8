/* SPDX-License-Identifier: MIT */
#include "dialect/runs_wait.h"

#include <errno.h>
#include <stdlib.h>

#include "dialect/request_answer.h"
#include "dialect/runs.h"
#include "dialect/runs_record.h"

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
