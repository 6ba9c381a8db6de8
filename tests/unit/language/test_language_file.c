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
                     "whole_proc = yes\nheap_percent = 60\ngrammar = clike\n"
                     "[limits]\nmemory = 256M\nprocesses = 32\n"
                     "[compile-limits]\nmemory = 1G\ntimeout = 40s\n"
                     "[environment]\nA = 1\nB = x = y\nEMPTY =\n");
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
        {LEAST "colour = red\n",
         "toy.lang:7: unknown key 'colour' (docs/LANGUAGES.md has them all)"},
        {LEAST "alises = x\n", "toy.lang:7: unknown key 'alises'; did you mean 'aliases'?"},
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
        {LEAST "name = again\n", "toy.lang:7: name: given twice"},
        {LEAST "packages =\n", "toy.lang:7: packages: a value is needed"},
        {LEAST "no equals sign\n", "toy.lang:7: a line is written key = value"},
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
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        struct catalogue *catalogue = catalogue_new();
        assert_int_equal(catalogue_load_text(catalogue, "toy.lang", slice_of(rows[i].text), &err),
                         -1);
        assert_string_equal(err.text, rows[i].expected);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_int_equal(catalogue_count(catalogue), 0);
        catalogue_free(catalogue);
    }
}

static void check_list_limit(const char *head, const char *key, bool numbered, unsigned allowed)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        char text[2048];
        size_t len = (size_t)snprintf(text, sizeof text, "%s", head);
        for (unsigned n = 0; n < allowed + extra; n++) {
            char number[16] = "";
            if (numbered)
                (void)snprintf(number, sizeof number, "%u", n);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s = /bin/x\n", key, number);
        }
        struct err err = {0};
        struct catalogue *catalogue = catalogue_new();
        int rc = catalogue_load_text(catalogue, "toy.lang", slice_of(text), &err);
        assert_int_equal(rc, extra ? -1 : 0);
        catalogue_free(catalogue);
    }
}

static void lists_have_a_limit(void **state)
{
    (void)state;
    check_list_limit(LEAST, "compile", false, 8);
    check_list_limit(LEAST "[environment]\n", "N", true, 32);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_reaches_its_place),
        cmocka_unit_test(what_a_file_leaves_out_is_empty),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(lists_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
