/* SPDX-License-Identifier: MIT */
#include "language_test.h"

static void every_key_reaches_its_place(void **state)
{
    (void)state;
    struct catalogue *catalogue =
        catalogue_of("# a comment\n"
                     "name = full\ntitle = Full Language\naliases = f  full2\norder = 7\n"
                     "extensions = f ff\nsource = main.f\n"
                     "compile = /bin/cc -c {source}\ncompile = /bin/ld -o main\n"
                     "execute = ./main {args}\n"
                     "version_command = /bin/cc --version\nversion_pattern = cc ([0-9.]+)\n"
                     "requires = /bin/sh /bin/cat\npackages = cc binutils\n"
                     "unavailable = because\netc = /etc/passwd /etc/absent-?\nrootfs = /\n"
                     "whole_proc = yes\nheap_percent = 60\ngrammar = clike\n");
    const struct language *language = catalogue_at(catalogue, 0);
    assert_string_equal(language->name, "full");
    assert_string_equal(language->title, "Full Language");
    assert_string_equal(language->aliases[1], "full2");
    assert_null(language->aliases[2]);
    assert_string_equal(language->extensions[1], "ff");
    assert_string_equal(language->source, "main.f");
    assert_string_equal(language->compile[0][1], "-c");
    assert_string_equal(language->compile[1][0], "/bin/ld");
    assert_null(language->compile[2]);
    assert_string_equal(language->execute[0], "./main");
    assert_string_equal(language->requires, "/bin/sh /bin/cat");
    assert_string_equal(language->packages, "cc binutils");
    assert_string_equal(language->unavailable, "because");
    assert_string_equal(language->etc[0], "/etc/passwd");
    assert_null(language->etc[1]);
    assert_string_equal(language->rootfs, "/");
    assert_true(language->whole_proc);
    assert_int_equal(language->heap_percent, 60);
    assert_string_equal(language->grammar, "clike");
    assert_true(language->installed);
    assert_null(language->samples);
    assert_null(language->version);
    catalogue_free(catalogue);
}

static void mistakes_are_told_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {LEAST "colour = red\n",
         "toy.lang:7: unknown key 'colour' (docs/LANGUAGES.md has them all)"},
        {LEAST "alises = x\n", "toy.lang:7: unknown key 'alises'; did you mean 'aliases'?"},
        {LEAST "name = again\n", "toy.lang:7: name: given twice"},
        {LEAST "packages =\n", "toy.lang:7: packages: a value is needed"},
        {LEAST "compile = /bin/x {sauce}\n", "toy.lang:7: compile: an unknown {placeholder} "
                                             "(docs/LANGUAGES.md has them all)"},
        {LEAST "compile = gcc {source}\n",
         "toy.lang:7: compile: the program's own name must be a path: /usr/bin/… or ./…"},
        {"extensions = .f\n",
         "toy.lang:1: extensions: endings without the dot, such as py, are needed"},
        {LEAST "compile = /bin/x -i{files}\n", "toy.lang:7: compile: {files}, {args} or "
                                               "{compile_args} beside other text in one argument"},
        {LEAST "compile = /bin/x \"a\n", "toy.lang:7: compile: a \" that is not closed"},
        {LEAST "compile = {source} a\n",
         "toy.lang:7: compile: a placeholder for the program's own name"},
        {LEAST "entry_pattern = (a\n",
         "toy.lang:7: entry_pattern: not an extended regular expression"},
        {LEAST "entry_pattern = a\n",
         "toy.lang:7: entry_pattern: a (group) for what is to be found is needed"},
        {LEAST "main_owner = (a)\n", "toy.lang: main_owner and main_pattern go together"},
        {LEAST "version_pattern = (a)\n",
         "toy.lang: version_command and version_pattern go together"},
        {LEAST "heap_percent = 101\n", "toy.lang:7: heap_percent: 1 to 100"},
        {LEAST "whole_proc = perhaps\n", "toy.lang:7: whole_proc: yes or no"},
        {LEAST "order = first\n", "toy.lang:7: order: a whole number is needed"},
        {LEAST "etc = /etc/a/../../root\n", "toy.lang:7: etc: paths below /etc are needed"},
        {LEAST "etc = /root\n", "toy.lang:7: etc: paths below /etc are needed"},
        {LEAST "rootfs = srv/tree\n", "toy.lang:7: rootfs: an absolute path is needed"},
        {"name = Toy\n",
         "toy.lang:1: name: a name is a lower-case letter, then letters, digits and _+#.-"},
        {"source = ../main.c\n",
         "toy.lang:1: source: a plain file name with an ending, such as main.c, is needed"},
        {"source = main\n",
         "toy.lang:1: source: a plain file name with an ending, such as main.c, is needed"},
        {"requires = sh\n", "toy.lang:1: requires: absolute paths are needed"},
        {"name = toy\n", "toy.lang: the key 'title' is missing"},
        {"", "toy.lang: the key 'name' is missing"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_mistake(rows[i].text, rows[i].expected);
}

static void compile_commands_have_a_limit(void **state)
{
    (void)state;
    check_list_limit(LEAST, "compile", false, 8);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_reaches_its_place),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(compile_commands_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
