/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "codec/json_write.h"
#include "dialect/jobs_analysis.h"

static void patterns_match_as_they_are_meant(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        size_t len;
    } rows[] = {
        {"sudo", "sudo x", 4},
        {"sudo", "SuDo", 4},
        {"sudo", "sud", 0},
        {"rm\\s+-rf", "rm -rf /", 6},
        {"rm\\s+-rf", "rm \t\n -rf", 9},
        {"rm\\s+-rf", "rm-rf", 0},
        {"del\\s+/[a-z]", "del /Q", 6},
        {"del\\s+/[a-z]", "del /1", 0},
        {"open\\s*\\(\\s*['\"][/\\\\]", "open('/etc", 7},
        {"open\\s*\\(\\s*['\"][/\\\\]", "open ( \"\\x", 9},
        {"open\\s*\\(\\s*['\"][/\\\\]", "open('x", 0},
        {"open\\s*\\(\\s*['\"][/\\\\]", "open(", 0},
        {"os\\.system", "os.system(", 9},
        {"os\\.system", "osxsystem(", 0},
        {"__import__", "__IMPORT__", 10},
        {"require\\s*\\(\\s*['\"]child_process", "require('child_process')", 22},
        {"sudo", "", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(jobs_pattern_match(rows[i].pattern, slice_of(rows[i].text)), rows[i].len);
}

static void a_score_is_what_is_left(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        unsigned score;
        size_t issues;
        bool dangerous;
        bool safe;
    } rows[] = {
        {"print('hello')", 100, 0, false, true},
        {"import urllib", 95, 1, false, true},
        {"eval(x); eval (y); eval(\n z)", 70, 3, false, true},
        {"os.system(x)os.system(x)os.system(x)os.system(x)os.system(x)", 50, 5, false, true},
        {"eval(x)eval(x)eval(x)eval(x)eval(x)urllib", 45, 6, false, false},
        {"'{}'.format(1)", 90, 1, true, false},
        {"open('/etc/passwd')", 70, 3, true, false},
        {"", 100, 0, false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jobs_analysis *analysis = jobs_analyse(slice_of(rows[i].source));
        assert_int_equal(analysis->score, rows[i].score);
        assert_int_equal(analysis->issue_count, rows[i].issues);
        assert_int_equal(analysis->dangerous, rows[i].dangerous);
        assert_int_equal(jobs_analysis_is_safe(analysis), rows[i].safe);
        free(analysis);
    }
}

static void an_issue_is_told_with_its_words(void **state)
{
    (void)state;
    struct jobs_analysis *analysis = jobs_analyse(slice_of("x = Fetch (1)"));
    auto_buf struct buf text;
    buf_init(&text, 4096);
    struct json json = json_start(&text);
    json_open_object(&json, NULL);
    jobs_analysis_write(&json, analysis);
    json_close_object(&json);
    assert_string_equal(buf_text(&text),
                        "{\"issues\":[{\"category\":\"network\",\"pattern\":\"fetch\\\\s*\\\\(\","
                        "\"match\":\"Fetch (\",\"severity\":\"medium\"}],\"safety_score\":95}");
    free(analysis);
}

static void no_more_than_a_list_is_told(void **state)
{
    (void)state;
    auto_buf struct buf source;
    buf_init(&source, MIB);
    for (int i = 0; i < 1000; i++)
        buf_add_text(&source, "sudo");
    struct jobs_analysis *analysis = jobs_analyse(buf_slice(&source));
    assert_int_equal(analysis->issue_count, JOBS_ISSUES_MAX);
    assert_int_equal(analysis->issues_untold, 1000 - JOBS_ISSUES_MAX);
    assert_int_equal(analysis->score, 0);
    free(analysis);
}

/* Blanks behind a word, which each place before them could look at again. */
static void its_time_grows_with_the_length_alone(void **state)
{
    (void)state;
    static const char *const pieces[] = {"open ", "rm ", "open   (   ", " ", "eval"};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        auto_buf struct buf source;
        buf_init(&source, MIB);
        buf_add_text(&source, "open");
        while (source.len < 300000)
            buf_add_text(&source, pieces[i]);
        clock_t before = clock();
        free(jobs_analyse(buf_slice(&source)));
        assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 2);
    }
}

static void a_mode_is_a_word_of_the_configuration(void **state)
{
    (void)state;
    assert_int_equal(jobs_analysis_mode("off"), JOBS_ANALYSIS_OFF);
    assert_int_equal(jobs_analysis_mode(NULL), JOBS_ANALYSIS_OFF);
    assert_int_equal(jobs_analysis_mode("advise"), JOBS_ANALYSIS_ADVISE);
    assert_int_equal(jobs_analysis_mode("refuse"), JOBS_ANALYSIS_REFUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_they_are_meant),
        cmocka_unit_test(a_score_is_what_is_left),
        cmocka_unit_test(an_issue_is_told_with_its_words),
        cmocka_unit_test(no_more_than_a_list_is_told),
        cmocka_unit_test(its_time_grows_with_the_length_alone),
        cmocka_unit_test(a_mode_is_a_word_of_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
