/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "engine/engine.h"
#include "selftest/judge.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PATTERN(of, text) ((const struct corpus_pattern[]){{of, text}, {0}})
#define CHECK(fact, comparison, number) \
    ((const struct corpus_check[]){{fact, comparison, number}, {0}})
#define SUCCEEDED .expect = LIST("succeeded")

/* What came of the run, unless a case says otherwise: "hello", status 0. */
struct seen {
    enum verdict verdict;
    int exit_code;
    int signal;
    const char *out;
    const char *err;
    uint64_t wall_ms;
    const char *refusal; /* there is no result */
    const char *argument;
};

static struct complaints judged(const struct corpus_row *row, const struct seen *seen)
{
    struct complaints complaints;
    const struct run_result result = {.verdict = seen->verdict,
                                      .reason = "as it was",
                                      .exit_code = seen->exit_code,
                                      .signal = seen->signal,
                                      .usage = {.wall_ms = seen->wall_ms}};
    const struct outcome outcome = {.result = seen->refusal ? NULL : &result,
                                    .refusal = seen->refusal,
                                    .out = slice_of(seen->out ? seen->out : ""),
                                    .err = slice_of(seen->err ? seen->err : ""),
                                    .input = slice_of("sent"),
                                    .argument = seen->argument,
                                    .secret = "CANARY-1"};
    complaints_init(&complaints);
    judge(row, &outcome, &complaints);
    return complaints;
}

#define OK VERDICT_SUCCEEDED
#define LATE VERDICT_TIMEOUT
#define NO VERDICT_FAILED

/* clang-format off */
static const struct {
    const char *name;
    struct corpus_row row;
    struct seen seen;
    const char *complaint; /* how the first one begins; NULL: it holds */
} cases[] = {
    {"the verdict is right", {SUCCEEDED}, {OK}, NULL},
    {"one of two is enough", {.expect = LIST("timeout", "succeeded")}, {OK}, NULL},
    {"another verdict", {.expect = LIST("timeout")}, {OK}, "verdict: expected timeout, seen succeeded (as it was)"},
    {"ours to answer for", {SUCCEEDED}, {VERDICT_INTERNAL_ERROR}, "verdict: expected succeeded, seen internal_error"},
    {"refused, as it must be", {.expect = LIST("refused")}, {.refusal = "no"}, NULL},
    {"refused, and must not be", {SUCCEEDED}, {.refusal = "no"}, "verdict: expected succeeded, was refused: no"},
    {"taken, and must not be", {.expect = LIST("refused")}, {OK}, "verdict: expected refused, seen succeeded"},

    {"the status", {.expect = LIST("failed"), .exit_code = "7"}, {NO, 7}, NULL},
    {"another status", {.expect = LIST("failed"), .exit_code = "7"}, {NO, 8}, "exit code: expected 7, seen 8"},
    {"a status of `each`", {.expect = LIST("failed"), .exit_code = "{arg}"}, {NO, 42, .argument = "42"}, NULL},
    {"not that of `each`", {.expect = LIST("failed"), .exit_code = "{arg}"}, {NO, 42, .argument = "43"}, "exit code: expected 43, seen 42"},
    {"a signal", {.expect = LIST("killed_by_signal"), .signal = "9"}, {VERDICT_KILLED_BY_SIGNAL, .signal = 9}, NULL},
    {"no signal", {.expect = LIST("killed_by_signal"), .signal = "9"}, {VERDICT_KILLED_BY_SIGNAL}, "signal: expected 9, seen none"},
    {"a status beside a signal", {.expect = LIST("killed_by_signal"), .exit_code = "0"}, {VERDICT_KILLED_BY_SIGNAL, .signal = 9}, "exit code: expected 0, seen none"},

    {"a line", {SUCCEEDED, .patterns = PATTERN(CORPUS_OUT, "^b$")}, {OK, .out = "a\nb\nc\n"}, NULL},
    {"no such line", {SUCCEEDED, .patterns = PATTERN(CORPUS_OUT, "^b$")}, {OK, .out = "a\nbb\n"}, "stdout: expected ^b$, seen 'a\\nbb\\n'"},
    {"on the other stream", {SUCCEEDED, .patterns = PATTERN(CORPUS_OUT, "^b$")}, {OK, .err = "b\n"}, "stdout: expected ^b$"},
    {"on stderr", {SUCCEEDED, .patterns = PATTERN(CORPUS_ERR, "(x|y)[0-9]+")}, {OK, .err = "y12"}, NULL},
    {"of the reason", {SUCCEEDED, .patterns = PATTERN(CORPUS_REASON, "was$")}, {OK}, NULL},
    {"not of the reason", {SUCCEEDED, .patterns = PATTERN(CORPUS_REASON, "is$")}, {OK}, "reason: expected is$, seen 'as it was'"},
    {"a dot is no end of line", {SUCCEEDED, .patterns = PATTERN(CORPUS_OUT, "a.b")}, {OK, .out = "a\nb"}, "stdout: expected a.b"},
    {"never, and did not", {SUCCEEDED, .patterns = PATTERN(CORPUS_NEVER, "root:")}, {OK, .out = "a"}, NULL},
    {"never, and did", {SUCCEEDED, .patterns = PATTERN(CORPUS_NEVER, "root:")}, {OK, .err = "root:x"}, "stderr: never may show root:, seen 'root:x'"},

    {"the whole text", {SUCCEEDED, .out_is = {"ab", 2, 3}}, {OK, .out = "ababab"}, NULL},
    {"once too often", {SUCCEEDED, .out_is = {"ab", 2, 3}}, {OK, .out = "abababab"}, "stdout: expected 'ab' again and again, seen 8 bytes"},
    {"a byte of it differs", {SUCCEEDED, .err_is = {"ab", 2, 1}}, {OK, .err = "aB"}, "stderr: expected 'ab', seen 2 bytes: 'aB'"},
    {"nothing, as it must be", {SUCCEEDED, .out_is = {"", 0, 1}}, {OK}, NULL},
    {"something, and must not", {SUCCEEDED, .out_is = {"", 0, 1}}, {OK, .out = "a"}, "stdout: expected '', seen 1 bytes"},
    {"what was sent", {SUCCEEDED, .raw = true}, {OK, .out = "sent"}, NULL},
    {"not what was sent", {SUCCEEDED, .raw = true}, {OK, .out = "sens"}, "stdout: 4 bytes, other than the 4 that were sent"},

    {"a fact", {SUCCEEDED, .checks = CHECK("usage.wall_ms", "<=", 10)}, {OK, .wall_ms = 10}, NULL},
    {"a fact that is not so", {SUCCEEDED, .checks = CHECK("usage.wall_ms", "<", 10)}, {OK, .wall_ms = 10}, "usage.wall_ms: expected < 10, seen 10"},
    {"at least", {SUCCEEDED, .checks = CHECK("usage.wall_ms", ">=", 10)}, {OK, .wall_ms = 9}, "usage.wall_ms: expected >= 10, seen 9"},
    {"exactly", {SUCCEEDED, .checks = CHECK("host.stdout_bytes", "==", 2)}, {OK, .out = "ab"}, NULL},
    {"not exactly", {SUCCEEDED, .checks = CHECK("host.stderr_bytes", "==", 2)}, {OK, .err = "a"}, "host.stderr_bytes: expected == 2, seen 1"},
    {"a fact that nobody knows", {SUCCEEDED, .checks = CHECK("usage.luck", "==", 0)}, {OK}, "usage.luck: expected"},

    {"it says that it got out", {SUCCEEDED}, {OK, .out = "a\nopen: ESCAPED\nb"}, "ESCAPED: the program says 'open: ESCAPED'"},
    {"on stderr, too", {SUCCEEDED}, {OK, .err = "ESCAPED"}, "ESCAPED: the program says 'ESCAPED'"},
    {"it shows the secret", {SUCCEEDED}, {OK, .out = "x CANARY-1 y"}, "ESCAPED: a canary's secret is in the output"},
};
/* clang-format on */

static void each_case_is_judged_as_it_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct complaints found = judged(&cases[i].row, &cases[i].seen);
        const char *expected = cases[i].complaint;
        const char *text = buf_text(&found.text);
        if (found.count != (expected ? 1 : 0) ||
            (expected && strncmp(text, expected, strlen(expected)) != 0))
            fail_msg("%s: %zu complaints: %s", cases[i].name, found.count, text);
        assert_int_equal(found.escaped, expected && strncmp(expected, "ESCAPED", 7) == 0);
        complaints_fini(&found);
    }
}

static void only_what_time_explains_is_called_late(void **state)
{
    (void)state;
    const struct corpus_row quick = {SUCCEEDED, .checks = CHECK("usage.wall_ms", "<=", 10)};
    static const struct {
        struct seen seen;
        bool late;
    } rows[] = {{{LATE}, true}, {{NO, 1}, false}, {{OK, .wall_ms = 11}, true}, {{OK}, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct complaints found = judged(&quick, &rows[i].seen);
        assert_int_equal(found.late, rows[i].late);
        complaints_fini(&found);
    }
}

static void a_compiler_that_was_too_slow_is_late_whatever_the_row_expects(void **state)
{
    (void)state;
    const struct corpus_row row = {.expect = LIST("timeout"),
                                   .checks = CHECK("usage.wall_ms", ">=", 10)};
    const struct run_result result = {.verdict = VERDICT_TIMEOUT, .compile_stage = true};
    const struct outcome outcome = {.result = &result, .secret = ""};
    struct complaints found;
    complaints_init(&found);
    judge(&row, &outcome, &found);
    assert_int_equal(found.count, 1);
    assert_true(found.late);
    complaints_fini(&found);
}

static void a_byte_of_nothing_is_a_byte(void **state)
{
    (void)state;
    const struct corpus_row row = {SUCCEEDED, .patterns = PATTERN(CORPUS_OUT, "^end$")};
    const struct run_result result = {.verdict = VERDICT_SUCCEEDED};
    const struct outcome outcome = {.result = &result, .out = {"a\0b\nend\n", 8}, .secret = ""};
    struct complaints found;
    complaints_init(&found);
    judge(&row, &outcome, &found);
    assert_int_equal(found.count, 0);
    complaints_fini(&found);
}

static void a_pattern_that_is_none_holds_nowhere(void **state)
{
    (void)state;
    const struct corpus_row row = {SUCCEEDED, .patterns = PATTERN(CORPUS_OUT, "(")};
    struct complaints found = judged(&row, &(struct seen){OK});
    assert_false(judge_knows_pattern("("));
    assert_non_null(strstr(buf_text(&found.text), "the row's pattern cannot be read: ("));
    complaints_fini(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_is_judged_as_it_must_be),
        cmocka_unit_test(only_what_time_explains_is_called_late),
        cmocka_unit_test(a_compiler_that_was_too_slow_is_late_whatever_the_row_expects),
        cmocka_unit_test(a_byte_of_nothing_is_a_byte),
        cmocka_unit_test(a_pattern_that_is_none_holds_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
