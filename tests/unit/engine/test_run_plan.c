/* SPDX-License-Identifier: MIT */
/* What a submission may hold, and what becomes of it. */
#include <string.h>

#include "fixture.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_init(&fixture, 1, 100);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_fini(&fixture);
    return 0;
}

static void expect_refused(const struct run_spec *spec, enum err_code code, const char *field)
{
    struct err err = {0};
    assert_null(engine_submit(fixture.engine, spec, &err));
    assert_int_equal(err.code, code);
    assert_string_equal(err.field, field);
    assert_true(strlen(err.text) > 0);
}

static void the_environment_is_ours_then_the_languages_then_the_requests(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.env = (const char *const[]){"HOME=/elsewhere", "_x9=", "A=b=c", NULL};
    submit_and_settle(&fixture, &spec);
    assert_string_equal(stage_of(&fixture)->env, "HOME=/elsewhere\nTMPDIR=/tmp\n"
                                                 "PATH=/usr/local/bin:/usr/bin:/bin\n"
                                                 "LANG=en_US.UTF-8\nPYTHONUNBUFFERED=1\n"
                                                 "_x9=\nA=b=c\n");
}

static void a_compiler_does_not_see_the_requests_environment(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&compiled);
    spec.env = (const char *const[]){"CPATH=/work", NULL};
    submit_and_settle(&fixture, &spec);
    assert_null(strstr(stage_of(&fixture)->env, "CPATH"));
    fake_stage_exit(stage_of(&fixture), 0);
    fake_stage_exit(stage_of(&fixture), 0);
    assert_non_null(strstr(stage_of(&fixture)->env, "CPATH=/work"));
}

static void names_that_give_orders_to_a_loader_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "LD_PRELOAD=/work/x.so",
        "LD_=",
        "GLIBC_TUNABLES=x=y",
        "PYTHONPATH=/work",
        "PYTHON=1",
        "NODE_OPTIONS=-r x",
        "JAVA_TOOL_OPTIONS=-x",
        "_JAVA_OPTIONS=-x",
        "BASH_ENV=x",
        "PATH=/work",
        "A",
        "=b",
        "",
        "9A=b",
        "A-B=c",
        "A B=c",
        "\xC3\xA9=c",
        "A.B=c",
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct run_spec spec = spec_of(&interpreted);
        spec.env = (const char *const[]){"FINE=1", refused[i], NULL};
        expect_refused(&spec, ERR_INVALID, "env");
    }
}

static void names_that_only_look_like_them_are_taken(void **state)
{
    (void)state;
    struct run_spec spec = spec_of(&interpreted);
    spec.env =
        (const char *const[]){"LD=ld", "MY_PATH=x", "OLD_X=1", "PYTHO=n", "ld_preload=x", NULL};
    submit(&fixture, &spec);
}

static void only_plain_paths_inside_the_workspace_are_taken(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",      "/etc/passwd", "..", "../x", "a/../b", "a/..",  ".",       "./a",
        "a/./b", "a//b",        "a/", "-o",   "a\nb",   "a\x7F", "main.py", "main.py/x",
    };
    static char long_path[300];
    memset(long_path, 'a', sizeof long_path - 1);
    for (size_t i = 0; i <= ARRAY_LEN(refused); i++) {
        struct run_file file = {i < ARRAY_LEN(refused) ? refused[i] : long_path, slice_of("x")};
        struct run_spec spec = spec_of(&interpreted);
        spec.files = &file;
        spec.file_count = 1;
        expect_refused(&spec, ERR_INVALID, "files");
    }
    struct run_spec spec = spec_of(&interpreted);
    spec.entry_file = "../main.py";
    expect_refused(&spec, ERR_INVALID, "entry_file");
    static const char *const taken[] = {"a",   "a/b",      "..a",      "a..", ".hidden",
                                        "a b", "\xC3\xA9", "main.pyc", "a-b"};
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        struct run_file file = {taken[i], slice_of("x")};
        spec = spec_of(&interpreted);
        spec.files = &file;
        spec.file_count = 1;
        submit(&fixture, &spec);
    }
}

static void two_files_may_not_have_one_place(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"a", "a"}, {"a", "a/b"}, {"a/b", "a"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct run_file files[] = {{rows[i][0], slice_of("x")}, {rows[i][1], slice_of("y")}};
        struct run_spec spec = spec_of(&interpreted);
        spec.files = files;
        spec.file_count = 2;
        expect_refused(&spec, ERR_INVALID, "files");
    }
}

static void files_that_do_not_fit_the_workspace_are_refused(void **state)
{
    (void)state;
    static char content[64 * KIB + 1];
    struct run_file file = {"data", {content, 60 * KIB}};
    struct run_spec spec = spec_of(&interpreted);
    spec.files = &file;
    spec.file_count = 1;
    spec.limits.value[LIMIT_WORKSPACE] = 64 * KIB;
    struct run *run = submit(&fixture, &spec);
    fake_loop_settle(fixture.loop);
    assert_int_equal(fake_of_fixture(&fixture)->workspace_bytes, 64 * KIB);
    assert_int_equal(run_limits(run)->value[LIMIT_WORKSPACE], 64 * KIB);
    file.content.len++; /* with the source, a page too many */
    expect_refused(&spec, ERR_TOO_LARGE, "");

    struct run_file files[16];
    static const char *const names = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p";
    for (size_t i = 0; i < 16; i++)
        files[i] = (struct run_file){names + 2 * i, slice_of("")};
    spec = spec_of(&interpreted);
    spec.files = files;
    spec.limits.value[LIMIT_INODES] = 16;
    spec.file_count = 14;
    submit(&fixture, &spec);
    spec.file_count = 15;
    expect_refused(&spec, ERR_TOO_LARGE, "");
}

static void what_a_client_can_make_long_is_bounded(void **state)
{
    (void)state;
    static const char *args[300];
    static struct run_file files[300];
    static char long_text[70 * 1024];
    memset(long_text, 'a', sizeof long_text - 1);
    for (size_t i = 0; i < 299; i++) {
        args[i] = "A=b";
        files[i] = (struct run_file){"x", slice_of("")};
    }
    struct run_spec spec = spec_of(&interpreted);
    spec.args = args;
    expect_refused(&spec, ERR_INVALID, "args");
    spec = spec_of(&interpreted);
    spec.env = args;
    expect_refused(&spec, ERR_INVALID, "env");
    spec = spec_of(&interpreted);
    spec.files = files;
    spec.file_count = 299;
    expect_refused(&spec, ERR_INVALID, "files");
    spec = spec_of(&interpreted);
    spec.args = (const char *const[]){long_text, NULL};
    expect_refused(&spec, ERR_INVALID, "args");
}

static void limits_out_of_their_range_are_refused_by_name(void **state)
{
    (void)state;
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++) {
        const struct limit_info *info = limit_info(limit);
        struct run_spec spec = spec_of(&interpreted);
        spec.limits.value[limit] = info->largest + 1;
        expect_refused(&spec, ERR_INVALID, info->json_name);
        spec.limits.value[limit] = info->smallest - 1;
        if (info->smallest > 1)
            expect_refused(&spec, ERR_INVALID, info->json_name);
    }
}

static void nothing_of_the_client_stays_borrowed(void **state)
{
    (void)state;
    char source[] = "print(2)";
    char entry[] = "prog.py";
    char arg[] = "one";
    char variable[] = "A=b";
    char input[] = "in";
    const char *args[] = {arg, NULL};
    const char *env[] = {variable, NULL};
    struct run_spec spec = spec_of(&interpreted);
    spec.source = slice_of(source);
    spec.entry_file = entry;
    spec.args = args;
    spec.env = env;
    spec.input = slice_of(input);
    submit(&fixture, &spec);
    memset(source, 'x', sizeof source);
    memset(entry, 'x', sizeof entry);
    memset(arg, 'x', sizeof arg);
    memset(variable, 'x', sizeof variable);
    memset(input, 'x', sizeof input);
    args[0] = env[0] = NULL;
    fake_loop_settle(fixture.loop);
    struct fake_stage *stage = stage_of(&fixture);
    assert_string_equal(stage->command, "/usr/bin/python3 prog.py one");
    assert_non_null(strstr(stage->env, "A=b\n"));
    assert_string_equal(fake_of_fixture(&fixture)->files, "prog.py=print(2);");
    assert_string_equal(buf_text(&stage->input), "in");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_environment_is_ours_then_the_languages_then_the_requests),
        TEST(a_compiler_does_not_see_the_requests_environment),
        TEST(names_that_give_orders_to_a_loader_are_refused),
        TEST(names_that_only_look_like_them_are_taken),
        TEST(only_plain_paths_inside_the_workspace_are_taken),
        TEST(two_files_may_not_have_one_place),
        TEST(files_that_do_not_fit_the_workspace_are_refused),
        TEST(what_a_client_can_make_long_is_bounded),
        TEST(limits_out_of_their_range_are_refused_by_name),
        TEST(nothing_of_the_client_stays_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
