/* SPDX-License-Identifier: MIT */
#include "language_test.h"

static void every_section_reaches_its_place(void **state)
{
    (void)state;
    struct catalogue *catalogue =
        catalogue_of("# a comment\n" LEAST "[limits]\nmemory = 256M\nprocesses = 32\n"
                     "[compile-limits]\nmemory = 1G\ntimeout = 40s\n"
                     "[environment]\nA = 1\nB = x = y\nEMPTY =\n");
    const struct language *language = catalogue_at(catalogue, 0);
    assert_int_equal(language->minimum.value[LIMIT_MEMORY], 256 * MIB);
    assert_int_equal(language->minimum.value[LIMIT_PROCESSES], 32);
    assert_int_equal(language->minimum.value[LIMIT_WALL], 0);
    assert_int_equal(language->compile_minimum.value[LIMIT_MEMORY], GIB);
    assert_int_equal(language->compile_minimum.value[LIMIT_WALL], 40000);
    assert_string_equal(language->environment[0], "A=1");
    assert_string_equal(language->environment[1], "B=x = y");
    assert_string_equal(language->environment[2], "EMPTY=");
    assert_null(language->environment[3]);
    assert_true(language->installed);
    assert_null(language->samples);
    assert_null(language->version);
    catalogue_free(catalogue);
}

static void what_a_file_leaves_out_is_empty(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_of(LEAST);
    const struct language *language = catalogue_at(catalogue, 0);
    assert_null(language->aliases[0]);
    assert_null(language->compile);
    assert_null(language->version_command);
    assert_null(language->environment[0]);
    assert_null(language->etc[0]);
    assert_null(language->rootfs);
    assert_null(language->packages);
    assert_null(language->unavailable);
    assert_false(language->whole_proc);
    assert_int_equal(language->heap_percent, 75);
    assert_string_equal(language->grammar, "text");
    catalogue_free(catalogue);
}

static void mistakes_are_told_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {LEAST "[limts]\n", "toy.lang:7: unknown section 'limts'; did you mean 'limits'?"},
        {LEAST "[limits]\nspeed = 3\n", "toy.lang:8: unknown limit 'speed' "
                                        "('runnel run --help' has them all)"},
        {LEAST "[limits]\nmemry = 3\n",
         "toy.lang:8: unknown limit 'memry'; did you mean 'memory'?"},
        {LEAST "[limits]\nmemory = much\n",
         "toy.lang:8: memory must be a size from 4 MiB to 1024 GiB, as in 512K, 64M or 1G, "
         "not 'much'"},
        {LEAST "[limits]\nmemory = 1K\n",
         "toy.lang:8: memory must be a size from 4 MiB to 1024 GiB, as in 512K, 64M or 1G, "
         "not '1K'"},
        {LEAST "[limits]\nmemory = 1G\nmemory = 2G\n", "toy.lang:9: memory: given twice"},
        {LEAST "[environment]\nA = 1\nA = 2\n", "toy.lang:9: A: given twice"},
        {LEAST "no equals sign\n", "toy.lang:7: a line is written key = value"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_mistake(rows[i].text, rows[i].expected);
}

static void variables_have_a_limit(void **state)
{
    (void)state;
    check_list_limit(LEAST "[environment]\n", "N", true, 32);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_section_reaches_its_place),
        cmocka_unit_test(what_a_file_leaves_out_is_empty),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(variables_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
