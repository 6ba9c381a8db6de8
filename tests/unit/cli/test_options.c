/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "cli/options.h"

struct target {
    bool quiet;
    const char *name;
    size_t names;
};

static int set_quiet(void *target, const struct option *option, const char *value, struct err *err)
{
    (void)option, (void)err;
    assert_null(value);
    ((struct target *)target)->quiet = true;
    return 0;
}

static int set_name(void *target, const struct option *option, const char *value, struct err *err)
{
    if (strcmp(value, "wrong") == 0)
        return option_refuse(err, option, value, "it is");
    ((struct target *)target)->name = value;
    ((struct target *)target)->names++;
    return 0;
}

static const struct option rows[] = {
    {"quiet", 'q', NULL, "says less", set_quiet, 0},
    {"name", 'n', "NAME", "who", set_name, 0},
    {0},
};

static const struct option_table table = {.rows = rows};

enum { WORDS = 6 };

static int parse(char *const argv[], struct target *target, struct words *operands, struct err *err)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    *target = (struct target){0};
    return options_parse(&table, argc, argv, target, operands, err);
}

static void options_are_taken_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *argv[WORDS];
        bool quiet;
        const char *name;
        size_t operands;
    } forms[] = {
        {{NULL}, false, NULL, 0},
        {{"--quiet", "--name", "Ada"}, true, "Ada", 0},
        {{"--name=Ada", "-q"}, true, "Ada", 0},
        {{"-n", "Ada", "x"}, false, "Ada", 1},
        {{"-nAda"}, false, "Ada", 0},
        {{"-qnAda"}, true, "Ada", 0},
        {{"--name="}, false, "", 0},
        {{"x", "-q", "y"}, true, NULL, 2},
        {{"-q", "--", "-n", "--name=x"}, true, NULL, 2},
        {{"-"}, false, NULL, 1},
        {{"--name", "--quiet"}, false, "--quiet", 0},
        {{"-n", "Ada", "--name=Eva"}, false, "Eva", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct target target;
        struct words operands = {0};
        struct err err = {0};
        assert_int_equal(parse((char *const *)forms[i].argv, &target, &operands, &err), 0);
        assert_int_equal(target.quiet, forms[i].quiet);
        assert_int_equal(operands.count, forms[i].operands);
        if (forms[i].name)
            assert_string_equal(target.name, forms[i].name);
        else
            assert_null(target.name);
        words_fini(&operands);
    }
}

static void a_mistake_names_the_option_and_the_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *argv[WORDS];
        const char *says;
    } mistakes[] = {
        {{"--nam", "x"}, "did you mean --name?"}, {{"--name"}, "a value is missing"},
        {{"-n"}, "a value is missing"},           {{"--quiet=yes"}, "takes no value"},
        {{"-x"}, "-x: there is no such option"},  {{"--name=wrong"}, "--name wrong: it is"},
        {{"--zzzzzz"}, "--help shows them"},
    };
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct target target;
        struct words operands = {0};
        struct err err = {0};
        assert_int_equal(parse((char *const *)mistakes[i].argv, &target, &operands, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, mistakes[i].says));
        words_fini(&operands);
    }
}

static bool is_key(const char *name, bool *ret_wants_value)
{
    *ret_wants_value = strcmp(name, "port") == 0;
    return *ret_wants_value || strcmp(name, "compat") == 0;
}

static int set_key(void *target, const struct option *option, const char *value, struct err *err)
{
    (void)err;
    ((struct target *)target)->name = value ? value : "set";
    assert_non_null(option->name);
    return 0;
}

static int refuse_key(const char *name, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s: port, perhaps", name);
}

static const struct option_table with_keys = {
    .rows = rows, .is_key = is_key, .set_key = set_key, .refuse_key = refuse_key};

static void what_no_row_knows_is_asked_of_the_other_table(void **state)
{
    (void)state;
    static const struct {
        const char *argv[WORDS];
        int count;
        const char *name; /* NULL: refused … */
        const char *says; /* … with this */
    } forms[] = {
        {{"--port=80"}, 1, "80", NULL},
        {{"--port", "80"}, 2, "80", NULL},
        {{"--compat"}, 1, "set", NULL},
        {{"--compat=no"}, 1, "no", NULL},
        {{"--name=Ada"}, 1, "Ada", NULL},
        {{"--port"}, 1, NULL, "a value is missing"},
        {{"--prot=80"}, 1, NULL, "prot: port, perhaps"},
        {{"--nam=x"}, 1, NULL, "did you mean --name?"},
        {{"-z"}, 1, NULL, "-z: there is no such option (--help shows them)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct target target = {0};
        struct words operands = {0};
        struct err err = {0};
        int rc = options_parse(&with_keys, forms[i].count, (char *const *)forms[i].argv, &target,
                               &operands, &err);
        assert_int_equal(rc, forms[i].name ? OPTIONS_DONE : -1);
        if (forms[i].name)
            assert_string_equal(target.name, forms[i].name);
        else
            assert_non_null(strstr(err.text, forms[i].says));
        words_fini(&operands);
    }
}

static void a_hint_stands_behind_what_is_unknown(void **state)
{
    (void)state;
    static const struct option_table hinting = {.rows = rows, .hint = " (try harder)"};
    static const char *const unknown[] = {"--nam", "--zzzzzz", "-z"};
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        struct target target = {0};
        struct words operands = {0};
        struct err err = {0};
        char *const *argv = (char *const *)&unknown[i];
        assert_int_equal(options_parse(&hinting, 1, argv, &target, &operands, &err), -1);
        assert_non_null(strstr(err.text, " (try harder)"));
    }
}

static void help_wins_over_what_follows(void **state)
{
    (void)state;
    static const char *const asked[][WORDS] = {{"--help", "--nothing"}, {"-h"}, {"-qh"}};
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        struct target target;
        struct words operands = {0};
        assert_int_equal(parse((char *const *)asked[i], &target, &operands, NULL), OPTIONS_HELP);
        words_fini(&operands);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_in_every_form),
        cmocka_unit_test(a_mistake_names_the_option_and_the_remedy),
        cmocka_unit_test(what_no_row_knows_is_asked_of_the_other_table),
        cmocka_unit_test(a_hint_stands_behind_what_is_unknown),
        cmocka_unit_test(help_wins_over_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
