/* SPDX-License-Identifier: MIT */
/* selftest.c — which row is next: some at a time, then, one after the other, those that
 * load or measure the machine. */
#include "selftest/selftest.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "selftest/choose.h"
#include "selftest/selftest_private.h"

static const int ending_signals[ENDING_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

static struct row_result *next_row(struct selftest *selftest)
{
    for (size_t i = 0; i < selftest->count && !selftest->interrupted; i++) {
        struct row_result *result = &selftest->results[i];
        bool alone = result->row->alone || result->tries > 0;
        if (result->state == ROW_WAITS && alone == selftest->alone)
            return result;
    }
    return NULL;
}

static size_t rows_under_way(const struct selftest *selftest)
{
    size_t count = 0;
    for (size_t i = 0; i < selftest->spec.at_once; i++)
        count += selftest->works[i].result != NULL;
    return count;
}

static void fill_places(struct selftest *selftest)
{
    size_t places = selftest->alone ? 1 : selftest->spec.at_once;
    for (size_t i = 0; i < places; i++) {
        struct row_result *next = selftest->works[i].result ? NULL : next_row(selftest);
        if (next)
            row_work_begin(&selftest->works[i], next);
    }
}

static void on_start(void *context)
{
    struct selftest *selftest = context;
    fill_places(selftest);
    if (rows_under_way(selftest) > 0)
        return;
    if (!selftest->alone) {
        selftest->alone = true;
        fill_places(selftest);
    }
    if (rows_under_way(selftest) == 0)
        loop_stop(selftest->spec.loop);
}

static void on_signal(void *context, int signal)
{
    struct selftest *selftest = context;
    (void)signal;
    selftest->interrupted = true;
    for (size_t i = 0; i < selftest->spec.at_once; i++)
        row_work_cancel(&selftest->works[i]);
}

struct selftest *selftest_new(const struct selftest_spec *spec, struct err *err)
{
    struct selftest *selftest = calloc(1, sizeof *selftest);
    if (!selftest) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    selftest->spec = *spec;
    selftest->spec.at_once = MAX(spec->at_once, 1U);
    complaints_init(&selftest->left);
    selftest->works = calloc(selftest->spec.at_once, sizeof *selftest->works);
    int rc = selftest->works ? choose_rows(spec, &selftest->results, &selftest->count, err)
                             : err_set(err, ERR_INTERNAL, "out of memory");
    if (rc == 0)
        return selftest;
    selftest_free(selftest);
    return NULL;
}

void selftest_run(struct selftest *selftest)
{
    struct loop *loop = selftest->spec.loop;
    for (size_t i = 0; i < selftest->count; i++)
        selftest->done += selftest->results[i].state != ROW_WAITS;
    for (size_t i = 0; i < selftest->spec.at_once; i++)
        row_work_init(&selftest->works[i], selftest);
    selftest->start = loop_task_new(loop, on_start, selftest);
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++)
        selftest->signals[i] = loop_signal_new(loop, ending_signals[i], on_signal, selftest);
    selftest->began_ns = loop_now_ns();
    aftermath_begin(&selftest->aftermath);
    loop_task_schedule(selftest->start);
    loop_run(loop);
    selftest->ended_ns = loop_now_ns();
    for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++)
        loop_signal_free(selftest->signals[i]);
    loop_task_free(selftest->start);
    for (size_t i = 0; i < selftest->spec.at_once; i++)
        row_work_fini(&selftest->works[i]);
}

void selftest_finish(struct selftest *selftest)
{
    aftermath_final(&selftest->aftermath, &selftest->left);
}

void selftest_free(struct selftest *selftest)
{
    if (!selftest)
        return;
    for (size_t i = 0; i < selftest->count; i++)
        free(selftest->results[i].reason);
    complaints_fini(&selftest->left);
    free(selftest->results);
    free(selftest->works);
    free(selftest);
}

size_t selftest_count(const struct selftest *selftest)
{
    return selftest->count;
}

const struct row_result *selftest_at(const struct selftest *selftest, size_t index)
{
    return &selftest->results[index];
}

const char *selftest_left(const struct selftest *selftest)
{
    return buf_text(&selftest->left.text);
}

uint64_t selftest_ms(const struct selftest *selftest)
{
    return (selftest->ended_ns - selftest->began_ns) / NS_PER_MS;
}

size_t selftest_tally(const struct selftest *selftest, const char *layer, enum row_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < selftest->count; i++) {
        const struct row_result *result = &selftest->results[i];
        count += result->state == state && (!layer || strcmp(result->row->layers[0], layer) == 0);
    }
    return count;
}

int selftest_exit_status(const struct selftest *selftest)
{
    if (selftest_tally(selftest, NULL, ROW_DID_NOT_HOLD) > 0 || selftest->left.count > 0)
        return 1;
    if (selftest_tally(selftest, NULL, ROW_NOT_RUN) > 0 ||
        selftest_tally(selftest, NULL, ROW_HELD) == 0)
        return 2;
    return 0;
}
