/* SPDX-License-Identifier: MIT */
#include "dialect/runs_resume.h"

#include <string.h>

#include "dialect/runs.h"
#include "dialect/runs_hooks.h"
#include "language/language.h"
#include "observe/log.h"
#include "os/clock.h"
#include "store/store.h"

static void on_interrupted(void *context, const struct err *err)
{
    struct runs *runs = context;
    if (err && err->code != ERR_NOT_FOUND && err->code != ERR_CONFLICT)
        log_event(LOG_ERROR, "run_not_stored", LOG_TEXT("reason", err->text), LOG_END);
    else if (!err && runs->hooks)
        runs_hooks_look(runs->hooks);
}

/* One whose interruption cannot be stored is looked for again at the next start. */
static void on_lost(void *context, const char *id)
{
    struct runs *runs = context;
    log_event(LOG_WARN, "run_interrupted", LOG_TEXT("run", id), LOG_END);
    store_run_interrupt(runs->store, id, on_interrupted, runs);
}

static void resume(struct runs *runs, const struct store_run *stored)
{
    uint64_t now_ms = clock_unix_ms();
    struct run_spec spec = {
        .id = stored->id,
        .language = catalogue_find(runs->catalogue, slice_of(stored->language)),
        .profile = PROFILE_RUNS,
        .owner = stored->key,
        .note = stored->accepted,
    };
    uint64_t age_ms = now_ms - MIN(now_ms, stored->created_ms);
    if (!spec.language || engine_resume(runs->engine, &spec, age_ms, on_lost, runs) < 0)
        on_lost(runs, stored->id);
}

struct page {
    struct runs *runs;
    char last[STORE_ID_SIZE]; /* "": there is no other page */
};

static void on_page(void *context, const struct stored_run *stored, size_t count, bool more,
                    const struct err *err)
{
    struct page *page = context;
    (void)err;
    page->last[0] = '\0';
    for (size_t i = 0; i < count; i++)
        resume(page->runs, &stored[i].run);
    if (more && count > 0)
        memcpy(page->last, stored[count - 1].run.id, strlen(stored[count - 1].run.id) + 1);
}

int runs_resume(struct runs *runs, struct err *err)
{
    struct page page = {.runs = runs};
    struct store_filter open = {.any_key = true, .verdict = "", .limit = STORE_PAGE_MAX};
    char before[STORE_ID_SIZE];
    do {
        if (store_run_list_now(runs->store, &open, on_page, &page, err) < 0)
            return -1;
        memcpy(before, page.last, sizeof before);
        open.before = before;
    } while (page.last[0] != '\0');
    return 0;
}
