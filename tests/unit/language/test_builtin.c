/* SPDX-License-Identifier: MIT */
/* The files that we ship: the same embedded and in their folder, in the order
 * that clients know, each with its samples. */
#include <glob.h>

#include "language_test.h"

static const char *const names[] = {"python", "javascript", "java",   "cpp",      "c",
                                    "ruby",   "go",         "dart",   "php",      "rust",
                                    "csharp", "scala",      "octave", "assembly", "bash"};

static void check_names(const struct catalogue *catalogue)
{
    assert_int_equal(catalogue_count(catalogue), ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(catalogue_at(catalogue, i)->name, names[i]);
}

static void the_embedded_files_and_the_folder_are_the_same(void **state)
{
    (void)state;
    struct err err = {0};
    struct catalogue *embedded = catalogue_new();
    struct catalogue *folder = catalogue_new();
    if (catalogue_load_builtin(embedded, &err) < 0 ||
        catalogue_load_dir(folder, LANGUAGES_DIR, &err) < 0)
        fail_msg("%s", err.text);
    check_names(embedded);
    check_names(folder);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_string_equal(catalogue_at(embedded, i)->execute[0],
                            catalogue_at(folder, i)->execute[0]);
        assert_null(catalogue_at(embedded, i)->samples);
    }
    catalogue_free(embedded);
    catalogue_free(folder);
}

static bool has_sample(const struct language *language, const char *sample)
{
    char pattern[512];
    (void)snprintf(pattern, sizeof pattern, "%s/%s.%s", language->samples, sample,
                   language->extensions[0]);
    glob_t found = {0};
    int rc = glob(pattern, GLOB_NOSORT, NULL, &found);
    globfree(&found);
    return rc == 0;
}

static void every_language_has_its_samples(void **state)
{
    (void)state;
    static const char *const always[] = {"hello", "stdin", "crash", "loop", "hog"};
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_dir(catalogue, LANGUAGES_DIR, NULL), 0);
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct language *language = catalogue_at(catalogue, i);
        assert_non_null(language->samples);
        for (size_t n = 0; n < ARRAY_LEN(always); n++) {
            if (!has_sample(language, always[n]))
                fail_msg("%s has no sample '%s'", language->name, always[n]);
        }
        assert_int_equal(has_sample(language, "error"), language->compile != NULL);
    }
    catalogue_free(catalogue);
}

static void every_language_says_how_to_get_it(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_builtin(catalogue, NULL), 0);
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct language *language = catalogue_at(catalogue, i);
        assert_true((language->packages != NULL) != (language->unavailable != NULL));
        assert_non_null(language->version_command);
    }
    catalogue_free(catalogue);
}

static void names_of_the_replaced_services_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *theirs;
        const char *ours;
    } rows[] = {{"nodejs", "javascript"}, {"node", "javascript"}, {"c++", "cpp"},
                {"c#", "csharp"},         {"golang", "go"},       {"asm", "assembly"}};
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_builtin(catalogue, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(catalogue_find(catalogue, slice_of(rows[i].theirs))->name,
                            rows[i].ours);
    catalogue_free(catalogue);
}

/* A toolchain without what its programs are compiled against is none. */
static void a_library_belongs_to_its_compiler(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"go", "/usr/bin/go", "/usr/lib/go/pkg/linux_amd64/fmt.a"},
        {"c", "/usr/bin/gcc", "/usr/include/stdio.h"},
    };
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_builtin(catalogue, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct language *language = catalogue_find(catalogue, slice_of(rows[i][0]));
        for (size_t n = 1; n < ARRAY_LEN(rows[i]); n++)
            assert_non_null(strstr(language->requires, rows[i][n]));
    }
    catalogue_free(catalogue);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_embedded_files_and_the_folder_are_the_same),
        cmocka_unit_test(every_language_has_its_samples),
        cmocka_unit_test(every_language_says_how_to_get_it),
        cmocka_unit_test(names_of_the_replaced_services_are_known),
        cmocka_unit_test(a_library_belongs_to_its_compiler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
