/* SPDX-License-Identifier: MIT */
#include "language_test.h"

static const char *const two_files[] = {"b.c", "c d.c", NULL};
static const char *const three_args[] = {"one", "", "{source} $(x)", NULL};

/* The command as one text: arguments between [brackets]. */
static const char *filled(const char *command, const struct command_values *values)
{
    static char shown[512];
    char text[512];
    (void)snprintf(text, sizeof text, "%sversion_command = %s\nversion_pattern = (x)\n", LEAST,
                   command);
    struct catalogue *catalogue = catalogue_of(text);
    char **argv = language_command(catalogue_at(catalogue, 0)->version_command, values);
    assert_non_null(argv);
    size_t len = 0;
    shown[0] = '\0';
    for (size_t i = 0; argv[i]; i++)
        len += (size_t)snprintf(shown + len, sizeof shown - len, "[%s]", argv[i]);
    free(argv);
    catalogue_free(catalogue);
    return shown;
}

static void templates_are_split_at_blanks_and_filled(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *expected;
    } rows[] = {
        {"/bin/x", "[/bin/x]"},
        {"/bin/x  a\tb ", "[/bin/x][a][b]"},
        {"/bin/x \"a b\" c\"d e\"f \"\"", "[/bin/x][a b][cd ef][]"},
        {"/bin/x {source}", "[/bin/x][Main.java]"},
        {"/bin/x {stem}", "[/bin/x][Main]"},
        {"/bin/x -o={stem}.out:{source}", "[/bin/x][-o=Main.out:Main.java]"},
        {"/bin/x -Xmx{heap_mb}m {memory_mb}", "[/bin/x][-Xmx192m][256]"},
        {"/bin/x {source} {files} -lm", "[/bin/x][Main.java][b.c][c d.c][-lm]"},
        {"/bin/x {args}", "[/bin/x][one][][{source} $(x)]"},
        {"/bin/awk {print;} {} {X}", "[/bin/awk][{print;}][{}][{X}]"},
    };
    static const struct command_values values = {
        .entry_file = "Main.java",
        .files = two_files,
        .args = three_args,
        .memory_bytes = 256 * MIB,
        .heap_percent = 75,
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(filled(rows[i].command, &values), rows[i].expected);
}

static void lists_may_be_absent(void **state)
{
    (void)state;
    struct command_values values = {.entry_file = "a", .memory_bytes = MIB};
    assert_string_equal(filled("/bin/x {files} {args} {stem}", &values), "[/bin/x][a]");
}

static void an_argument_about_memory_is_left_out_without_a_limit(void **state)
{
    (void)state;
    struct command_values values = {.entry_file = "a.js", .heap_percent = 50};
    assert_string_equal(filled("/bin/x -Xmx{heap_mb}m -m{memory_mb} {source}", &values),
                        "[/bin/x][a.js]");
}

static void the_heap_is_never_nothing(void **state)
{
    (void)state;
    struct command_values values = {.entry_file = "a.js", .memory_bytes = MIB, .heap_percent = 1};
    assert_string_equal(filled("/bin/x {heap_mb}", &values), "[/bin/x][1]");
}

static void the_stem_ends_at_the_last_dot_of_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *expected;
    } rows[] = {
        {"a.tar.gz", "[/bin/x][a.tar]"},
        {"noending", "[/bin/x][noending]"},
        {"d.d/noending", "[/bin/x][d.d/noending]"},
        {"d.d/a.c", "[/bin/x][d.d/a]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct command_values values = {.entry_file = rows[i].file};
        assert_string_equal(filled("/bin/x {stem}", &values), rows[i].expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_are_split_at_blanks_and_filled),
        cmocka_unit_test(lists_may_be_absent),
        cmocka_unit_test(an_argument_about_memory_is_left_out_without_a_limit),
        cmocka_unit_test(the_heap_is_never_nothing),
        cmocka_unit_test(the_stem_ends_at_the_last_dot_of_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
