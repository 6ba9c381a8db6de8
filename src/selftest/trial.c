/* SPDX-License-Identifier: MIT */
#include "selftest/trial.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "loop/loop.h"

enum {
    VALUES = 8, /* of the canaries, and the argument's two names */
    TEXTS = 64, /* arguments or variables of a row, the canaries' files among them */
    /* Behind the row's own limit of time: compiling on a busy machine, and teardown. */
    GUARD_MS = 120000,
};

/* A NULL-ended list of texts of our own. */
struct filled {
    char *items[TEXTS + 1];
    size_t count;
};

static void filled_fini(struct filled *filled)
{
    for (size_t i = 0; i < filled->count; i++)
        free(filled->items[i]);
}

static int filled_add(struct filled *filled, const char *text, const struct corpus_value *values,
                      struct err *err)
{
    struct buf whole;
    buf_init(&whole, MIB);
    corpus_fill(&whole, text, values);
    buf_add_char(&whole, '\0');
    char *item = filled->count < TEXTS ? buf_take(&whole) : NULL;
    buf_fini(&whole);
    if (!item)
        return err_set(err, ERR_INTERNAL, "a row's arguments are too many or too long");
    filled->items[filled->count++] = item;
    return 0;
}

static int fill_list(struct filled *filled, const char *const *texts,
                     const struct corpus_value *values, const char *const *files, struct err *err)
{
    for (; texts && *texts; texts++) {
        bool all_files = strcmp(*texts, "{CANARIES}") == 0;
        if (!all_files && filled_add(filled, *texts, values, err) < 0)
            return -1;
        for (const char *const *file = files; all_files && file && *file; file++) {
            if (filled_add(filled, *file, values, err) < 0)
                return -1;
        }
    }
    return 0;
}

static void collect_values(struct corpus_value values[VALUES], const struct trial_host *host,
                           const char *argument)
{
    size_t count = 0;
    const struct corpus_value *own = host->canaries ? canaries_values(host->canaries) : NULL;
    for (; own && own->name && count < VALUES - 3; own++)
        values[count++] = *own;
    values[count++] = (struct corpus_value){"arg", argument ? argument : ""};
    values[count++] = (struct corpus_value){"ARG", argument ? argument : ""};
    values[count] = (struct corpus_value){NULL, NULL};
}

/* Bytes without an order that a pipe or a decoder could get right by chance. */
static void add_random(struct buf *to, size_t len)
{
    uint64_t state = 88172645463325252ULL;
    char *bytes = buf_reserve(to, len);
    for (size_t i = 0; bytes && i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (char)(state >> 24);
    }
    if (bytes)
        buf_commit(to, len);
}

static void fill_input(struct trial *trial)
{
    if (trial->row->input == CORPUS_TEXT_INPUT)
        buf_add_text(&trial->input, trial->row->input_text);
    else if (trial->row->input == CORPUS_RANDOM_INPUT)
        add_random(&trial->input, trial->row->input_bytes);
}

static int find_limit(struct slice option)
{
    for (int i = 0; i < LIMIT_KINDS; i++) {
        if (slice_is(option, limit_info((enum limit)i)->option))
            return i;
    }
    return -1;
}

int trial_limits(const struct corpus_row *row, struct limits *ret_limits, struct err *err)
{
    struct limits limits = {0};
    for (const char *const *text = row->limits; text && *text; text++) {
        size_t len = strcspn(*text, "=");
        int limit = find_limit((struct slice){*text, len});
        if (limit < 0 || (*text)[len] == '\0' ||
            limit_parse((enum limit)limit, *text + len + 1, &limits.value[limit]) < 0)
            return err_set(err, ERR_INVALID, "%s: '%s' is no limit", row->name, *text);
    }
    *ret_limits = limits;
    return 0;
}

static void take_bytes(struct trial *trial, const struct event *event)
{
    if (event->attempt > trial->attempt) {
        trial->attempt = event->attempt;
        buf_clear(&trial->out);
        buf_clear(&trial->err);
    }
    if (event->kind == EVENT_STDOUT)
        buf_add_slice(&trial->out, event->bytes);
    else if (event->kind == EVENT_STDERR || event->kind == EVENT_NOTICE)
        buf_add_slice(&trial->err, event->bytes);
}

static void on_events(void *context)
{
    struct trial *trial = context;
    struct event event;
    while (!trial->over && reader_next(trial->reader, &event) > 0) {
        take_bytes(trial, &event);
        if (event.kind != EVENT_END)
            continue;
        trial->over = true;
        loop_task_schedule(trial->ended);
    }
}

static void on_late(void *context)
{
    struct trial *trial = context;
    run_cancel(trial->run, "it did not end by itself");
}

/* ERR_INVALID is an answer, which a row may expect; anything else keeps it from being tried. */
static int submit(struct trial *trial, const struct trial_host *host, const struct run_spec *spec,
                  struct err *err)
{
    trial->run = engine_submit(host->engine, spec, &trial->refusal);
    if (!trial->run && trial->refusal.code == ERR_INVALID) {
        trial->over = true;
        loop_task_schedule(trial->ended);
        return 0;
    }
    if (!trial->run) {
        *err = trial->refusal;
        return -1;
    }
    enum reader_form form = trial->row->raw ? READER_BYTES : READER_TEXT;
    trial->reader = run_attach(trial->run, 0, form, on_events, trial, err);
    if (!trial->reader) {
        run_cancel(trial->run, "nobody reads its output");
        return -1;
    }
    trial->guard = loop_timer_new(host->loop, on_late, trial);
    loop_timer_start(trial->guard, run_limits(trial->run)->value[LIMIT_WALL] + GUARD_MS);
    return 0;
}

int trial_start(struct trial *trial, const struct trial_host *host, const struct trial_case *tried,
                struct err *err)
{
    const struct corpus_row *row = tried->row;
    *trial =
        (struct trial){.row = row, .argument = tried->argument, .ended = host->ended, .attempt = 1};
    trial->secret = host->canaries ? canaries_secret(host->canaries) : "";
    buf_init(&trial->input, SIZE_MAX);
    buf_init(&trial->out, SIZE_MAX);
    buf_init(&trial->err, SIZE_MAX);
    struct corpus_value values[VALUES];
    collect_values(values, host, tried->argument);
    fill_input(trial);

    auto_buf struct buf source;
    auto_cleanup(filled_fini) struct filled args = {.count = 0};
    auto_cleanup(filled_fini) struct filled env = {.count = 0};
    const char *const *files = host->canaries ? canaries_files(host->canaries) : NULL;
    const char *const roles[] = {tried->role, NULL};
    buf_init(&source, SIZE_MAX);
    corpus_source(&source, row, values);
    struct run_spec spec = {
        .language = tried->language,
        .profile = PROFILE_BATCH,
        .source = buf_slice(&source),
        .input = buf_slice(&trial->input),
        .input_stays_open = row->input == CORPUS_OPEN_INPUT,
        .args = (const char *const *)args.items,
        .env = (const char *const *)env.items,
        .tty = row->terminal,
        .passing = true,
    };
    if (source.failed || trial->input.failed)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (trial_limits(row, &spec.limits, err) < 0 ||
        fill_list(&args, row->args, values, files, err) < 0 ||
        fill_list(&args, roles, values, files, err) < 0 ||
        fill_list(&env, row->env, values, files, err) < 0)
        return -1;
    return submit(trial, host, &spec, err);
}

void trial_cancel(struct trial *trial)
{
    if (trial->run && !trial->over)
        run_cancel(trial->run, "it was interrupted");
}

void trial_judge(const struct trial *trial, struct complaints *complaints)
{
    struct outcome outcome = {
        .result = trial->run ? run_result(trial->run) : NULL,
        .refusal = trial->refusal.text,
        .out = buf_slice(&trial->out),
        .err = buf_slice(&trial->err),
        .input = buf_slice(&trial->input),
        .argument = trial->argument,
        .secret = trial->secret,
    };
    if (trial->out.failed || trial->err.failed)
        complaints_add(complaints, "its output does not fit into memory");
    else
        judge(trial->row, &outcome, complaints);
}

const char *trial_verdict(const struct trial *trial)
{
    const struct run_result *result = trial->run ? run_result(trial->run) : NULL;
    return result ? verdict_name(result->verdict) : "refused";
}

void trial_fini(struct trial *trial)
{
    loop_timer_free(trial->guard);
    if (trial->reader)
        reader_free(trial->reader);
    buf_fini(&trial->input);
    buf_fini(&trial->out);
    buf_fini(&trial->err);
    *trial = (struct trial){0};
}
