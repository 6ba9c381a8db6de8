/* SPDX-License-Identifier: MIT */
#include "fake_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "loop/loop.h"

enum { BYTES_MAX = 16 * 1024 * 1024 };

struct run {
    struct engine *engine;
    char id[RUN_ID_SIZE];
    char *script;
    char *at; /* next line */
    struct buf input;
    struct buf text; /* of the event being read */
    struct limits limits;
    struct run_result result;
    bool ended;
    bool cancelled;
    bool end_read;
    struct loop_timer *timer;
    struct reader *reader;
};

struct reader {
    struct run *run;
    void (*on_ready)(void *context);
    void *context;
};

static const char *const verdicts[] = {
#define X(id, name, exit_status) [id] = name,
    VERDICT_TABLE(X)
#undef X
};

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict];
}

static const char *const none[] = {NULL};
static const struct language languages[] = {
    {.name = "python", .title = "Python", .aliases = none, .installed = true},
    {.name = "octave", .title = "Octave", .aliases = none, .packages = "octave"},
};

size_t catalogue_count(const struct catalogue *catalogue)
{
    (void)catalogue;
    return ARRAY_LEN(languages);
}

const struct language *catalogue_at(const struct catalogue *catalogue, size_t index)
{
    (void)catalogue;
    return &languages[index];
}

const struct language *catalogue_find(const struct catalogue *catalogue, struct slice name)
{
    (void)catalogue;
    for (size_t i = 0; i < ARRAY_LEN(languages); i++)
        if (slice_is(name, languages[i].name))
            return &languages[i];
    return NULL;
}

static void end(struct run *run, const char *verdict, int exit_code, int signal)
{
    if (run->ended)
        return;
    for (int i = 0; i < VERDICT_COUNT; i++)
        if (strcmp(verdicts[i], verdict) == 0)
            run->result.verdict = (enum verdict)i;
    (void)snprintf(run->result.reason, sizeof run->result.reason, "it was to end as %s", verdict);
    run->result.exit_code = exit_code;
    run->result.signal = signal;
    run->ended = true;
    run->engine->running--;
}

static void run_free(struct run *run)
{
    loop_timer_free(run->timer);
    buf_fini(&run->input);
    buf_fini(&run->text);
    free(run->script);
    free(run);
}

static void on_time(void *context)
{
    struct run *run = context;
    if (run->reader)
        run->reader->on_ready(run->reader->context);
}

struct run *engine_submit(struct engine *engine, const struct run_spec *spec, struct err *err)
{
    if (engine->full) {
        (void)err_set(err, ERR_BUSY, "the queue is full");
        return NULL;
    }
    static unsigned count;
    struct run *run = calloc(1, sizeof *run);
    run->engine = engine;
    (void)snprintf(run->id, sizeof run->id, "00000000-0000-4000-8000-%012u", ++count);
    run->script = strndup(spec->source.at, spec->source.len);
    run->at = run->script;
    run->limits = spec->limits;
    run->limits.value[LIMIT_CPUS] = 1500;
    run->limits.value[LIMIT_MEMORY] = 256 * MIB;
    run->limits.value[LIMIT_WALL] = 10000;
    run->result.usage = (struct run_usage){12, 10, 0, 4 * MIB, 1};
    run->timer = loop_timer_new(engine->loop, on_time, run);
    buf_init(&run->input, GIB);
    buf_init(&run->text, GIB);
    buf_add_slice(&run->input, spec->input);
    engine->running++;
    engine->asked = spec->limits;
    engine->profile = spec->profile;
    engine->args[0] = '\0';
    for (size_t i = 0; spec->args && spec->args[i]; i++)
        (void)strncat(strncat(engine->args, i ? " " : "", 2), spec->args[i], 100);
    return run;
}

struct reader *run_attach(struct run *run, uint64_t from, enum reader_form form,
                          void (*on_ready)(void *context), void *context, struct err *err)
{
    (void)from;
    (void)form;
    (void)err;
    struct reader *reader = calloc(1, sizeof *reader);
    *reader = (struct reader){run, on_ready, context};
    run->reader = reader;
    loop_timer_start(run->timer, 0);
    return reader;
}

static int give(struct run *run, struct event *event, enum event_kind kind)
{
    *event = (struct event){.kind = kind, .bytes = buf_slice(&run->text)};
    return 1;
}

static int play(struct run *run, char *line, struct event *event)
{
    char word[32];
    int code = 0;
    int signal = 0;
    buf_clear(&run->text);
    if (sscanf(line, "wait %d", &code) == 1 && code >= 0) {
        loop_timer_start(run->timer, (uint64_t)code);
        return 0;
    }
    if (strcmp(line, "hang") == 0) {
        run->at = NULL;
        return 0;
    }
    if (strncmp(line, "out ", 4) == 0 || strncmp(line, "err ", 4) == 0) {
        buf_add_format(&run->text, "%s\n", line + 4);
    } else if (strcmp(line, "cat") == 0) {
        buf_add_slice(&run->text, buf_slice(&run->input));
    } else if (sscanf(line, "bytes %d", &code) == 1 && code >= 0 && code <= BYTES_MAX) {
        memset(buf_reserve(&run->text, (size_t)code), 0, (size_t)code);
        buf_commit(&run->text, (size_t)code);
    } else if (sscanf(line, "end %31s %d %d", word, &code, &signal) == 3) {
        end(run, word, code, signal);
    }
    return give(run, event, line[0] == 'e' && line[1] == 'r' ? EVENT_STDERR : EVENT_STDOUT);
}

int reader_next(struct reader *reader, struct event *ret_event)
{
    struct run *run = reader->run;
    if (!run->ended && run->at && !*run->at)
        end(run, "succeeded", 0, 0);
    if (run->ended) {
        if (run->end_read)
            return 0;
        run->end_read = true;
        buf_clear(&run->text);
        return give(run, ret_event, EVENT_END);
    }
    if (!run->at)
        return 0;
    char *line = run->at;
    char *newline = strchr(line, '\n');
    run->at = newline ? newline + 1 : line + strlen(line);
    if (newline)
        *newline = '\0';
    return play(run, line, ret_event);
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    run_free(reader->run);
    free(reader);
}

void run_cancel(struct run *run, const char *why)
{
    (void)why;
    if (run->ended)
        return;
    run->engine->cancelled++;
    end(run, "cancelled", 0, 9);
}

const char *run_id(const struct run *run)
{
    return run->id;
}

const struct limits *run_limits(const struct run *run)
{
    return &run->limits;
}

const struct run_result *run_result(const struct run *run)
{
    return run->ended ? &run->result : NULL;
}

size_t engine_running(const struct engine *engine)
{
    return engine->running;
}

size_t engine_queued(const struct engine *engine)
{
    (void)engine;
    return 0;
}

const char *engine_isolation(const struct engine *engine)
{
    (void)engine;
    return "none: nothing is run";
}

unsigned engine_retry_after_s(const struct engine *engine)
{
    (void)engine;
    return 7;
}
