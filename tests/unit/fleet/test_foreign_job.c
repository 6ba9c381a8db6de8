/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "fleet/foreign.h"
#include "language/language.h"

#define ID "0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a"

static struct catalogue *catalogue;

static int set_up(void **state)
{
    (void)state;
    struct err err;
    catalogue = catalogue_new();
    return catalogue ? catalogue_load_builtin(catalogue, &err) : -1;
}

static int tear_down(void **state)
{
    (void)state;
    catalogue_free(catalogue);
    return 0;
}

static struct foreign_job decode(const char *text)
{
    struct err err = {0};
    struct foreign_job job;
    if (foreign_job_decode(slice_of(text), catalogue, &job, &err) < 0)
        fail_msg("%s: %s", err.text, text);
    return job;
}

static void a_backends_job_is_read(void **state)
{
    (void)state;
    struct foreign_job job =
        decode("{\"job_id\":\"" ID "\",\"workspace_id\":\"web-editor\",\"language\":\"python\","
               "\"url\":\"data:text/plain;filename=main.py,print(1, '50%25', \\\"a,b\\\")\\n\"}");
    assert_string_equal(job.id, ID);
    assert_string_equal(job.spec.id, ID);
    assert_string_equal(job.workspace_id, "web-editor");
    assert_string_equal(job.spec.language->name, "python");
    assert_true(slice_is(job.spec.source, "print(1, '50%25', \"a,b\")\n"));
    assert_null(job.spec.entry_file);
    assert_null(job.dependencies);
    assert_int_equal(job.spec.limits.value[LIMIT_WALL], 30000);
    assert_int_equal(job.spec.limits.value[LIMIT_MEMORY], 0);
    assert_int_equal(job.spec.profile, PROFILE_JOBS);
    assert_false(job.spec.input_stays_open);
    assert_true(job.spec.recorded);
    foreign_job_fini(&job);
}

static void the_declared_form_is_read(void **state)
{
    (void)state;
    struct foreign_job job =
        decode("{\"job_id\":\"j\",\"language\":\"java\",\"source_code\":\"class A{}\","
               "\"url\":\"http://elsewhere/\",\"entry_point\":\"A.java\",\"timeout\":5,"
               "\"dependencies\":[\"numpy\",\"pandas\"],\"memory_limit\":128,\"colour\":\"red\"}");
    assert_string_equal(job.workspace_id, "default");
    assert_true(slice_is(job.spec.source, "class A{}"));
    assert_string_equal(job.spec.entry_file, "A.java");
    assert_int_equal(job.spec.limits.value[LIMIT_WALL], 5000);
    assert_int_equal(job.spec.limits.value[LIMIT_MEMORY], 128 * MIB);
    assert_string_equal(job.dependencies[0], "numpy");
    assert_string_equal(job.dependencies[1], "pandas");
    assert_null(job.dependencies[2]);
    foreign_job_fini(&job);
}

static void a_source_may_hold_nul_and_half_a_character(void **state)
{
    (void)state;
    struct foreign_job job = decode("{\"job_id\":\"j\",\"language\":\"python\","
                                    "\"source_code\":\"'\\u0000\\ud83d'\"}");
    struct slice source = {"'\0\xEF\xBF\xBD'", 6};
    assert_true(slice_equal(job.spec.source, source));
    foreign_job_fini(&job);
}

static void languages_have_many_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *language;
    } rows[] = {{"python", "python"},   {"nodejs", "javascript"}, {"javascript", "javascript"},
                {"go", "go"},           {"rust", "rust"},         {"java", "java"},
                {"node", "javascript"}, {"py", "python"},         {"cpp", "cpp"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text;
        buf_init(&text, 4096);
        buf_add_format(&text, "{\"job_id\":\"a\",\"language\":\"%s\",\"source_code\":\"\"}",
                       rows[i].name);
        struct foreign_job job = decode(buf_text(&text));
        assert_string_equal(job.spec.language->name, rows[i].language);
        foreign_job_fini(&job);
        buf_fini(&text);
    }
}

static void a_job_for_a_runner_is_theirs_to_the_byte(void **state)
{
    (void)state;
    static const char source[] = "console.log('50%', 1)\n";
    struct foreign_job job = {
        .id = ID,
        .workspace_id = "web-editor",
        .spec = {.language = catalogue_find(catalogue, slice_of("javascript")),
                 .source = {source, sizeof source - 1}},
    };
    struct err err = {0};
    struct buf text;
    buf_init(&text, 4096);
    assert_int_equal(foreign_job_encode(&job, &text, &err), 0);
    assert_string_equal(buf_text(&text),
                        "{\"job_id\":\"" ID "\",\"workspace_id\":\"web-editor\","
                        "\"language\":\"nodejs\",\"url\":\"data:text/plain;filename=main.py,"
                        "console.log('50%', 1)\\n\"}");
    buf_clear(&text);
    job.spec.entry_file = "index.js";
    assert_int_equal(foreign_job_encode(&job, &text, &err), 0);
    assert_string_equal(buf_text(&text),
                        "{\"job_id\":\"" ID "\",\"workspace_id\":\"web-editor\","
                        "\"language\":\"nodejs\",\"url\":\"data:text/plain;filename=index.js,"
                        "console.log('50%', 1)\\n\",\"entry_point\":\"index.js\"}");
    buf_fini(&text);
}

static void what_is_asked_goes_along(void **state)
{
    (void)state;
    static const char *const dependencies[] = {"numpy", NULL};
    struct foreign_job job = {
        .id = "a",
        .spec = {.language = catalogue_find(catalogue, slice_of("python")),
                 .source = {"1", 1},
                 .entry_file = "a,b.py"},
        .dependencies = dependencies,
    };
    struct err err = {0};
    struct buf text;
    job.spec.limits.value[LIMIT_WALL] = 1500;
    job.spec.limits.value[LIMIT_MEMORY] = 64 * MIB;
    buf_init(&text, 4096);
    assert_int_equal(foreign_job_encode(&job, &text, &err), 0);
    struct foreign_job again = decode(buf_text(&text));
    assert_true(slice_is(again.spec.source, "1"));
    assert_string_equal(again.spec.entry_file, "a,b.py");
    assert_string_equal(again.workspace_id, "default");
    assert_int_equal(again.spec.limits.value[LIMIT_WALL], 2000);
    assert_int_equal(again.spec.limits.value[LIMIT_MEMORY], 64 * MIB);
    assert_string_equal(again.dependencies[0], "numpy");
    foreign_job_fini(&again);
    buf_fini(&text);
}

static void what_is_no_job_is_refused_by_its_field(void **state)
{
    (void)state;
#define NAMED "{\"job_id\":\"a\",\"workspace_id\":\"w\""
#define GOOD NAMED ",\"language\":\"python\",\"source_code\":\"1\""
    static const struct {
        const char *text;
        const char *field;
        bool named; /* it can be answered */
    } rows[] = {
        {"", "", false},
        {"not JSON", "", false},
        {"[1]", "", false},
        {"{}", "job_id", false},
        {"{\"job_id\":7}", "job_id", false},
        {"{\"job_id\":\"a b\"}", "job_id", false},
        {"{\"job_id\":\"a\\u0000b\"}", "job_id", false},
        {"{\"job_id\":\"0123456789012345678901234567890123456789\"}", "job_id", false},
        {NAMED "}", "language", true},
        {NAMED ",\"language\":\"cobol\"}", "", true},
        {NAMED ",\"language\":\"python\"}", "source_code", true},
        {NAMED ",\"language\":\"python\",\"source_code\":7}", "source_code", true},
        {NAMED ",\"language\":\"python\",\"url\":\"http://a/,b\"}", "url", true},
        {NAMED ",\"language\":\"python\",\"url\":\"data:text/plain\"}", "url", true},
        {GOOD ",\"timeout\":\"5\"}", "timeout", true},
        {GOOD ",\"timeout\":-5}", "timeout", true},
        {GOOD ",\"timeout\":86401}", "timeout", true},
        {GOOD ",\"timeout\":9223372036854775807}", "timeout", true},
        {GOOD ",\"memory_limit\":1}", "memory_limit", true},
        {GOOD ",\"dependencies\":\"numpy\"}", "dependencies", true},
        {GOOD ",\"dependencies\":[7]}", "dependencies", true},
        {GOOD ",\"dependencies\":[\"a\\u0000b\"]}", "dependencies", true},
        {GOOD ",\"entry_point\":[]}", "entry_point", true},
        {GOOD ",\"entry_point\":\"a\\u0000b\"}", "entry_point", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct foreign_job job;
        struct err err = {0};
        if (foreign_job_decode(slice_of(rows[i].text), catalogue, &job, &err) == 0)
            fail_msg("row %zu was taken: %s", i, rows[i].text);
        if (strcmp(err.field, rows[i].field) != 0)
            fail_msg("row %zu: '%s' %s", i, err.field, err.text);
        assert_int_equal(job.id != NULL, rows[i].named);
        if (rows[i].named)
            assert_string_equal(job.workspace_id, "w");
        foreign_job_fini(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backends_job_is_read),
        cmocka_unit_test(the_declared_form_is_read),
        cmocka_unit_test(a_source_may_hold_nul_and_half_a_character),
        cmocka_unit_test(languages_have_many_names),
        cmocka_unit_test(a_job_for_a_runner_is_theirs_to_the_byte),
        cmocka_unit_test(what_is_asked_goes_along),
        cmocka_unit_test(what_is_no_job_is_refused_by_its_field),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
