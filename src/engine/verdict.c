/* SPDX-License-Identifier: MIT */
#include "engine/verdict.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "base/util.h"

static const struct {
    const char *name;
    int exit_status;
} verdicts[] = {
#define X(id, name, exit_status) [id] = {name, exit_status},
    VERDICT_TABLE(X)
#undef X
};
static_assert(ARRAY_LEN(verdicts) == VERDICT_COUNT, "the last verdict has no row");

static bool ended_badly(const struct verdict_facts *facts)
{
    return facts->signal != 0 || facts->exit_code != 0;
}

/* The question behind each row of VERDICT_TABLE, which gives the order. */
static bool holds(enum verdict verdict, const struct verdict_facts *facts)
{
    switch (verdict) {
    case VERDICT_INTERNAL_ERROR:
        return facts->we_failed;
    case VERDICT_CANCELLED:
        return facts->cancelled;
    case VERDICT_QUEUE_TIMEOUT:
        return facts->queue_deadline_passed;
    case VERDICT_TIMEOUT:
        return facts->wall_limit_passed;
    case VERDICT_IDLE_TIMEOUT:
        return facts->idle_limit_passed;
    case VERDICT_CPU_LIMIT:
        return facts->cpu_limit_passed;
    case VERDICT_MEMORY_LIMIT:
        return facts->oom_killed;
    case VERDICT_OUTPUT_LIMIT:
        return facts->output_cap_passed;
    case VERDICT_COMPILE_FAILED:
        return facts->in_compile_stage && ended_badly(facts);
    case VERDICT_KILLED_BY_SIGNAL:
        return facts->signal != 0;
    case VERDICT_FAILED:
        return facts->exit_code != 0;
    case VERDICT_SUCCEEDED:
    case VERDICT_COUNT:
        break;
    }
    return true;
}

enum verdict verdict_decide(const struct verdict_facts *facts)
{
    enum verdict verdict = 0;
    while (!holds(verdict, facts))
        verdict++;
    return verdict;
}

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict].name;
}

int verdict_exit_status(enum verdict verdict, int program_exit, int signal)
{
    if (verdicts[verdict].exit_status >= 0)
        return verdicts[verdict].exit_status;
    return signal != 0 ? 128 + signal : program_exit;
}

int verdict_job_status(enum verdict verdict, int program_exit, int signal)
{
    if (verdict == VERDICT_SUCCEEDED)
        return 0;
    bool is_own = verdicts[verdict].exit_status < 0;
    int status = verdict_exit_status(verdict, program_exit, signal);
    return is_own && status > 0 ? status : 1;
}

static void add_limit(struct buf *out, const struct verdict_words *words, enum limit limit)
{
    char text[32];
    uint64_t value = words->limits.value[limit];
    if (limit_info(limit)->unit == LIMIT_MS)
        buf_add_text(out, format_duration(text, sizeof text, value));
    else if (limit_info(limit)->unit == LIMIT_BYTES)
        buf_add_text(out, format_bytes(text, sizeof text, value));
    else
        buf_add_format(out, "%llu", (unsigned long long)value);
}

static void add_end(struct buf *out, const struct verdict_facts *facts)
{
    const char *name = sigabbrev_np(facts->signal);
    if (facts->signal == 0)
        buf_add_format(out, "exited with status %d", facts->exit_code);
    else if (name)
        buf_add_format(out, "was ended by signal %d (SIG%s)", facts->signal, name);
    else
        buf_add_format(out, "was ended by signal %d", facts->signal);
}

/* Limits that only make calls fail may well be why the program then did. */
static void add_hits(struct buf *out, const struct verdict_words *words)
{
    const struct {
        const char *name;
        enum limit limit;
        uint64_t count;
    } hits[] = {
        {"processes", LIMIT_PROCESSES, words->hits.processes},
        {"the workspace", LIMIT_WORKSPACE, words->hits.workspace},
        {"file size", LIMIT_FILE_SIZE, words->hits.file_size},
        {"open files", LIMIT_OPEN_FILES, words->hits.open_files},
    };
    for (size_t i = 0; i < ARRAY_LEN(hits); i++) {
        if (hits[i].count == 0)
            continue;
        buf_add_format(out, "; it met the limit of %s (", hits[i].name);
        add_limit(out, words, hits[i].limit);
        buf_add_text(out, ")");
    }
}

static void add_reason(struct buf *out, const struct verdict_facts *facts,
                       const struct verdict_words *words)
{
    const char *who = facts->in_compile_stage ? "the compiler" : "the program";
    switch (verdict_decide(facts)) {
    case VERDICT_INTERNAL_ERROR:
        buf_add_text(out, words->why ? words->why : "the run could not be carried out");
        return;
    case VERDICT_CANCELLED:
        buf_add_text(out, words->why ? words->why : "it was stopped");
        return;
    case VERDICT_QUEUE_TIMEOUT:
        buf_add_text(out, "no slot was free within ");
        add_limit(out, words, LIMIT_QUEUE);
        return;
    case VERDICT_TIMEOUT:
        buf_add_format(out, "%s ran longer than ", who);
        add_limit(out, words, LIMIT_WALL);
        return;
    case VERDICT_IDLE_TIMEOUT:
        buf_add_text(out, "no output and no input for ");
        add_limit(out, words, LIMIT_IDLE);
        return;
    case VERDICT_CPU_LIMIT:
        buf_add_format(out, "%s used more than ", who);
        add_limit(out, words, LIMIT_CPU_TIME);
        buf_add_text(out, " of cpu time");
        return;
    case VERDICT_MEMORY_LIMIT:
        buf_add_format(out, "%s needed more memory than ", who);
        add_limit(out, words, LIMIT_MEMORY);
        return;
    case VERDICT_OUTPUT_LIMIT:
        buf_add_format(out, "%s wrote more than ", who);
        add_limit(out, words, LIMIT_OUTPUT);
        buf_add_text(out, facts->in_compile_stage ? "" : " to one stream");
        return;
    case VERDICT_COMPILE_FAILED:
    case VERDICT_KILLED_BY_SIGNAL:
    case VERDICT_FAILED:
        buf_add_format(out, "%s ", who);
        add_end(out, facts);
        add_hits(out, words);
        return;
    case VERDICT_SUCCEEDED:
    case VERDICT_COUNT:
        break;
    }
    buf_add_format(out, "%s ", who);
    add_end(out, facts);
}

void verdict_reason(const struct verdict_facts *facts, const struct verdict_words *words,
                    char *text, size_t size)
{
    auto_buf struct buf out;
    buf_init(&out, 2 * KIB);
    add_reason(&out, facts, words);
    const char *sentence = buf_text(&out)[0] != '\0' ? buf_text(&out) : "no memory to say why";
    if (snprintf(text, size, "%s", sentence) < 0) /* one that is too long is cut */
        text[0] = '\0';
}
