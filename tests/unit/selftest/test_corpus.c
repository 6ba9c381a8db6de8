/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "engine/verdict.h"
#include "language/language.h"
#include "selftest/report.h"
#include "selftest/trial.h"

static const struct corpus_value values[] = {{"arg", "one"}, {"ARG", "two"}, {NULL, NULL}};

static bool is_verdict(const char *word)
{
    for (int i = 0; i < VERDICT_COUNT; i++) {
        if (strcmp(verdict_name((enum verdict)i), word) == 0)
            return true;
    }
    return strcmp(word, "refused") == 0;
}

static void every_row_can_be_judged(void **state)
{
    (void)state;
    for (const struct corpus_row *row = corpus_rows; row->number; row++) {
        struct limits limits;
        struct err err;
        assert_int_equal(trial_limits(row, &limits, &err), 0);
        for (const struct corpus_pattern *one = row->patterns; one && one->text; one++)
            assert_true(judge_knows_pattern(one->text));
        for (const struct corpus_check *one = row->checks; one && one->fact; one++)
            assert_true(judge_knows_fact(one->fact));
        for (const char *const *word = row->expect; *word; word++)
            assert_true(is_verdict(*word));
        for (const char *const *layer = row->layers; *layer; layer++)
            assert_true(corpus_list_has(report_layers(), *layer));
    }
}

static void every_language_is_known(void **state)
{
    (void)state;
    struct err err;
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_builtin(catalogue, &err), 0);
    for (const struct embedded_file *file = corpus_languages; file->name; file++) {
        struct slice text = {file->text, file->len};
        assert_int_equal(catalogue_load_text(catalogue, file->name, text, &err), 0);
    }
    for (const struct corpus_row *row = corpus_rows; row->number; row++)
        assert_non_null(catalogue_find(catalogue, slice_of(row->language)));
    catalogue_free(catalogue);
}

static void quick_takes_one_row_of_each_layer(void **state)
{
    (void)state;
    for (const char *const *layer = report_layers(); *layer; layer++) {
        size_t count = 0;
        for (const struct corpus_row *row = corpus_rows; row->number; row++)
            count += row->quick && strcmp(row->layers[0], *layer) == 0;
        assert_int_equal(count, 1);
    }
}

static void names_in_marks_are_replaced_and_others_stay(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *filled;
    } rows[] = {
        {"{arg}", "one"},       {"a{arg}b{arg}", "aonebone"},
        {"{other}", "{other}"}, {"{", "{"},
        {"{arg", "{arg"},       {"", ""},
        {"{{arg}}", "{one}"},   {"if (a) { arg }", "if (a) { arg }"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_buf struct buf filled;
        buf_init(&filled, KIB);
        corpus_fill(&filled, rows[i].text, values);
        assert_string_equal(buf_text(&filled), rows[i].filled);
    }
}

static void a_source_gets_its_header_and_its_argument(void **state)
{
    (void)state;
    const struct corpus_row row = {.source =
                                       "/* @ARG@ */\n#include \"saw.h\"\nint x = 0; /* a@b */\n"};
    auto_buf struct buf source;
    buf_init(&source, MIB);
    corpus_source(&source, &row, values);
    assert_non_null(strstr(buf_text(&source), "/* two */\n"));
    assert_non_null(strstr(buf_text(&source), "saw_errno"));
    assert_non_null(strstr(buf_text(&source), "int x = 0; /* a@b */\n"));
    assert_null(strstr(buf_text(&source), "#include \"saw.h\""));
}

static void words_choose_rows(void **state)
{
    (void)state;
    const struct corpus_row row = {.number = "34",
                                   .name = "034_exit_codes",
                                   .language = "python",
                                   .layers = (const char *const[]){"cgroup", "supervisor", NULL}};
    static const struct {
        const char *words;
        bool meant;
    } rows[] = {
        {NULL, true},         {"34", true},       {"3", false},          {"034", true},
        {"exit", true},       {"python", true},   {"pyth", false},       {"cgroup", true},
        {"supervisor", true}, {"seccomp", false}, {"seccomp,34", true},  {"a b exit", true},
        {"", false},          {" , ", false},     {"ruby, java", false}, {"034_", true},
        {"exit,", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(corpus_is_meant(&row, rows[i].words), rows[i].meant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_can_be_judged),
        cmocka_unit_test(every_language_is_known),
        cmocka_unit_test(quick_takes_one_row_of_each_layer),
        cmocka_unit_test(names_in_marks_are_replaced_and_others_stay),
        cmocka_unit_test(a_source_gets_its_header_and_its_argument),
        cmocka_unit_test(words_choose_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
