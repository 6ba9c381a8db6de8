/* SPDX-License-Identifier: MIT */
#include "selftest/judge.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"

static const char escaped_mark[] = "ESCAPED"; /* what a program prints that got somewhere */

void complaints_init(struct complaints *complaints)
{
    *complaints = (struct complaints){0};
    buf_init(&complaints->text, MIB);
}

void complaints_fini(struct complaints *complaints)
{
    buf_fini(&complaints->text);
}

void complaints_add(struct complaints *complaints, const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(line, sizeof line, format, list);
    va_end(list);
    complaints->count++;
    complaints->escaped = complaints->escaped || strncmp(line, escaped_mark, 7) == 0;
    buf_add_text(&complaints->text, line);
    buf_add_char(&complaints->text, '\n');
}

void complaints_take(struct complaints *to, const struct complaints *from)
{
    buf_add_slice(&to->text, buf_slice(&from->text));
    to->count += from->count;
    to->escaped = to->escaped || from->escaped;
    to->late = to->late || from->late;
}

/* A program's words in one line for people, and no more of them than tells something. */
struct quote {
    char text[400];
};

static size_t quote_some(char *to, struct slice bytes)
{
    size_t len = 0;
    for (size_t i = 0; bytes.at && i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        if (byte == '\n')
            len += (size_t)sprintf(to + len, "\\n");
        else if (byte < ' ' || byte >= 127)
            len += (size_t)sprintf(to + len, "\\x%02x", byte);
        else
            to[len++] = (char)byte;
    }
    to[len] = '\0';
    return len;
}

static struct quote quote(struct slice bytes)
{
    enum { EACH = 45 }; /* of its start and its end; a byte becomes four at most */
    struct quote quoted;
    if (bytes.len <= 2 * (size_t)EACH) {
        (void)quote_some(quoted.text, bytes);
        return quoted;
    }
    size_t len = quote_some(quoted.text, (struct slice){bytes.at, EACH});
    len += (size_t)sprintf(quoted.text + len, " ... ");
    (void)quote_some(quoted.text + len, (struct slice){bytes.at + bytes.len - EACH, EACH});
    return quoted;
}

struct fact {
    const char *name;
    uint64_t (*value)(const struct outcome *outcome);
};

static uint64_t wall_ms(const struct outcome *outcome)
{
    return outcome->result->usage.wall_ms;
}
static uint64_t cpu_ms(const struct outcome *outcome)
{
    return outcome->result->usage.cpu_ms;
}
static uint64_t compile_ms(const struct outcome *outcome)
{
    return outcome->result->usage.compile_ms;
}
static uint64_t process_hits(const struct outcome *outcome)
{
    return outcome->result->hits.processes;
}
static uint64_t workspace_hits(const struct outcome *outcome)
{
    return outcome->result->hits.workspace;
}
static uint64_t out_bytes(const struct outcome *outcome)
{
    return outcome->out.len;
}
static uint64_t err_bytes(const struct outcome *outcome)
{
    return outcome->err.len;
}

static const struct fact facts[] = {
    {"usage.wall_ms", wall_ms},
    {"usage.cpu_ms", cpu_ms},
    {"usage.compile_ms", compile_ms},
    {"limits_hit.processes", process_hits},
    {"limits_hit.workspace", workspace_hits},
    {"host.stdout_bytes", out_bytes},
    {"host.stderr_bytes", err_bytes},
};

static const struct fact *find_fact(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        if (strcmp(facts[i].name, name) == 0)
            return &facts[i];
    }
    return NULL;
}

static bool holds(uint64_t value, const char *comparison, uint64_t number)
{
    bool or_equal = comparison[1] == '=';
    if (comparison[0] == '<')
        return value < number || (or_equal && value == number);
    if (comparison[0] == '>')
        return value > number || (or_equal && value == number);
    return value == number;
}

static void judge_fact(const struct corpus_check *check, const struct outcome *outcome,
                       struct complaints *complaints)
{
    const struct fact *fact = find_fact(check->fact);
    uint64_t value = fact ? fact->value(outcome) : 0;
    if (fact && holds(value, check->comparison, check->number))
        return;
    complaints->late = complaints->late || (strstr(check->fact, "_ms") && value > check->number);
    complaints_add(complaints, "%s: expected %s %llu, seen %llu", check->fact, check->comparison,
                   (unsigned long long)check->number, (unsigned long long)value);
}

static bool is_of_hits(const struct corpus_check *check)
{
    return strncmp(check->fact, "limits_hit.", strlen("limits_hit.")) == 0;
}

static void judge_hits(const struct corpus_row *row, const struct outcome *outcome,
                       struct complaints *complaints)
{
    for (const struct corpus_check *check = row->checks; check && check->fact; check++) {
        if (is_of_hits(check))
            judge_fact(check, outcome, complaints);
    }
}

static void judge_facts(const struct corpus_row *row, const struct outcome *outcome,
                        struct complaints *complaints)
{
    for (const struct corpus_check *check = row->checks; check && check->fact; check++) {
        if (!is_of_hits(check))
            judge_fact(check, outcome, complaints);
    }
}

/* Lines are texts of their own to ^ and $; a NUL is a byte like any other. */
static bool is_found(const char *pattern, struct slice text, struct complaints *complaints)
{
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NEWLINE) != 0) {
        complaints_add(complaints, "the row's pattern cannot be read: %s", pattern);
        return false;
    }
    regmatch_t match = {.rm_so = 0, .rm_eo = (regoff_t)text.len};
    bool found = regexec(&compiled, text.at ? text.at : "", 1, &match, REG_STARTEND) == 0;
    regfree(&compiled);
    return found;
}

static const char *const stream_names[] = {
    [CORPUS_OUT] = "stdout", [CORPUS_ERR] = "stderr", [CORPUS_REASON] = "reason"};

static void judge_never(const struct corpus_row *row, const struct outcome *outcome,
                        struct complaints *complaints)
{
    struct slice streams[] = {[CORPUS_OUT] = outcome->out, [CORPUS_ERR] = outcome->err};
    for (const struct corpus_pattern *pattern = row->patterns; pattern && pattern->text;
         pattern++) {
        for (size_t i = 0; i < ARRAY_LEN(streams) && pattern->of == CORPUS_NEVER; i++) {
            if (is_found(pattern->text, streams[i], complaints))
                complaints_add(complaints, "%s: never may show %s, seen '%s'", stream_names[i],
                               pattern->text, quote(streams[i]).text);
        }
    }
}

static void judge_patterns(const struct corpus_row *row, const struct outcome *outcome,
                           struct complaints *complaints)
{
    struct slice streams[] = {
        [CORPUS_OUT] = outcome->out,
        [CORPUS_ERR] = outcome->err,
        [CORPUS_REASON] = slice_of(outcome->result->reason),
    };
    for (const struct corpus_pattern *pattern = row->patterns; pattern && pattern->text;
         pattern++) {
        if (pattern->of != CORPUS_NEVER &&
            !is_found(pattern->text, streams[pattern->of], complaints))
            complaints_add(complaints, "%s: expected %s, seen '%s'", stream_names[pattern->of],
                           pattern->text, quote(streams[pattern->of]).text);
    }
}

static void judge_exact(const struct corpus_text *expected, struct slice seen, const char *name,
                        struct complaints *complaints)
{
    bool same = seen.len == expected->len * expected->times;
    for (size_t at = 0; same && at < seen.len; at += expected->len)
        same = memcmp(seen.at + at, expected->at, expected->len) == 0;
    if (expected->times > 0 && !same)
        complaints_add(complaints, "%s: expected '%s'%s, seen %zu bytes: '%s'", name,
                       quote((struct slice){expected->at, expected->len}).text,
                       expected->times > 1 ? " again and again" : "", seen.len, quote(seen).text);
}

/* Lines in which the program says that it got somewhere, and what it may not have read. */
static void judge_escapes(const struct outcome *outcome, struct complaints *complaints)
{
    struct slice streams[] = {outcome->out, outcome->err};
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
        struct slice rest = streams[i];
        for (int told = 0; told < 5 && rest.at && rest.len > 0; told++) {
            const char *mark = memmem(rest.at, rest.len, escaped_mark, strlen(escaped_mark));
            if (!mark)
                break;
            const char *start = memrchr(rest.at, '\n', (size_t)(mark - rest.at));
            start = start ? start + 1 : rest.at;
            const char *last = rest.at + rest.len;
            const char *end = memchr(mark, '\n', (size_t)(last - mark));
            end = end ? end : last;
            complaints_add(complaints, "ESCAPED: the program says '%s'",
                           quote((struct slice){start, (size_t)(end - start)}).text);
            rest = (struct slice){end, (size_t)(last - end)};
        }
        const char *secret = outcome->secret;
        if (*secret && streams[i].at &&
            memmem(streams[i].at, streams[i].len, secret, strlen(secret)))
            complaints_add(complaints, "ESCAPED: a canary's secret is in the output");
    }
}

static void join(const char *const *words, char *text, size_t size)
{
    size_t len = 0;
    *text = '\0';
    for (size_t i = 0; words[i] && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", i > 0 ? " or " : "", words[i]);
}

/* "{arg}" is the word of `each`. */
static void judge_number(const char *name, const char *expected, bool there, int seen,
                         const char *argument, struct complaints *complaints)
{
    char text[16] = "none";
    if (!expected)
        return;
    if (strcmp(expected, "{arg}") == 0)
        expected = argument ? argument : "";
    if (there)
        (void)snprintf(text, sizeof text, "%d", seen);
    if (strcmp(text, expected) != 0)
        complaints_add(complaints, "%s: expected %s, seen %s", name, expected, text);
}

#define MET_INSIDE                                                                           \
    (1U << LIMIT_CPUS | 1U << LIMIT_MEMORY | 1U << LIMIT_PROCESSES | 1U << LIMIT_WORKSPACE | \
     1U << LIMIT_INODES | 1U << LIMIT_FILE_SIZE | 1U << LIMIT_OPEN_FILES | 1U << LIMIT_STACK)

/* What may end a run so before it has shown what its row expects. One that ends by itself may
 * have met whatever is refused to a program, or was too slow to count. */
static const unsigned suspects_of[VERDICT_COUNT] = {
    [VERDICT_TIMEOUT] = 1U << LIMIT_WALL | 1U << LIMIT_CPUS,
    [VERDICT_IDLE_TIMEOUT] = 1U << LIMIT_IDLE | 1U << LIMIT_CPUS,
    [VERDICT_CPU_LIMIT] = 1U << LIMIT_CPU_TIME,
    [VERDICT_MEMORY_LIMIT] = 1U << LIMIT_MEMORY,
    [VERDICT_OUTPUT_LIMIT] = 1U << LIMIT_OUTPUT,
    [VERDICT_COMPILE_FAILED] = MET_INSIDE,
    [VERDICT_KILLED_BY_SIGNAL] = MET_INSIDE,
    [VERDICT_FAILED] = MET_INSIDE,
    [VERDICT_SUCCEEDED] = MET_INSIDE,
};

static bool is_of_time(enum verdict verdict)
{
    return verdict == VERDICT_TIMEOUT || verdict == VERDICT_IDLE_TIMEOUT ||
           verdict == VERDICT_CPU_LIMIT || verdict == VERDICT_QUEUE_TIMEOUT;
}

static void judge_verdict(const struct corpus_row *row, const struct outcome *outcome,
                          struct complaints *complaints)
{
    char expected[128];
    const struct run_result *result = outcome->result;
    join(row->expect, expected, sizeof expected);
    if (!corpus_list_has(row->expect, verdict_name(result->verdict))) {
        complaints->late = complaints->late || is_of_time(result->verdict);
        complaints_add(complaints, "verdict: expected %s, seen %s (%s); stderr '%s'", expected,
                       verdict_name(result->verdict), result->reason, quote(outcome->err).text);
    }
    judge_number("exit code", row->exit_code, result->signal == 0, result->exit_code,
                 outcome->argument, complaints);
    judge_number("signal", row->signal, result->signal != 0, result->signal, outcome->argument,
                 complaints);
}

void judge(const struct corpus_row *row, const struct outcome *outcome,
           struct complaints *complaints)
{
    if (!outcome->result) {
        if (!corpus_list_has(row->expect, "refused"))
            complaints_add(complaints, "verdict: expected %s, was refused: %s", row->expect[0],
                           outcome->refusal);
        return;
    }
    judge_escapes(outcome, complaints);
    judge_never(row, outcome, complaints);
    judge_hits(row, outcome, complaints);
    /* What is shown or not counted in spite of a limit is no less for a lower one. */
    if (complaints->count == 0)
        complaints->suspects = suspects_of[outcome->result->verdict];
    judge_verdict(row, outcome, complaints);
    judge_patterns(row, outcome, complaints);
    judge_exact(&row->out_is, outcome->out, "stdout", complaints);
    judge_exact(&row->err_is, outcome->err, "stderr", complaints);
    judge_facts(row, outcome, complaints);
    if (row->raw && !slice_equal(outcome->out, outcome->input))
        complaints_add(complaints, "stdout: %zu bytes, other than the %zu that were sent",
                       outcome->out.len, outcome->input.len);
    /* A compiler that was too slow may give a right verdict for the wrong stage. */
    if (complaints->count > 0 && outcome->result->compile_stage &&
        is_of_time(outcome->result->verdict))
        complaints->late = true;
}

bool judge_knows_fact(const char *fact)
{
    return find_fact(fact) != NULL;
}

bool judge_knows_pattern(const char *text)
{
    regex_t compiled;
    if (regcomp(&compiled, text, REG_EXTENDED | REG_NEWLINE) != 0)
        return false;
    regfree(&compiled);
    return true;
}
