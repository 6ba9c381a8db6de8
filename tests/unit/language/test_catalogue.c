/* SPDX-License-Identifier: MIT */
#include <sys/stat.h>
#include <unistd.h>

#include "language_test.h"

/* A directory that holds nothing but what a test writes there. */
struct folder {
    char path[64];
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    if (!folder)
        return -1;
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/runnel-languages-XXXXXX");
    *state = folder;
    return mkdtemp(folder->path) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", folder->path);
    int rc = system(command); /* NOLINT(cert-env33-c): a name of our own */
    free(folder);
    return rc;
}

static void write_file(const struct folder *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static void a_language_is_found_by_name_and_alias_exactly(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_of(LEAST "aliases = t toy2\n");
    const struct language *toy = catalogue_at(catalogue, 0);
    assert_ptr_equal(catalogue_find(catalogue, slice_of("toy")), toy);
    assert_ptr_equal(catalogue_find(catalogue, slice_of("toy2")), toy);
    assert_ptr_equal(catalogue_find(catalogue, (struct slice){"toyish", 3}), toy);
    static const char *const strangers[] = {"Toy", "to", "toy ", "", "__proto__", "main.toy"};
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
        assert_null(catalogue_find(catalogue, slice_of(strangers[i])));
    assert_null(catalogue_find(catalogue, (struct slice){"toy\0x", 5}));
    catalogue_free(catalogue);
}

static void a_language_is_found_by_the_ending_of_a_file(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_of(LEAST);
    assert_non_null(catalogue_find_by_file(catalogue, "a.toy"));
    assert_non_null(catalogue_find_by_file(catalogue, "/x.y/a.b.toy"));
    static const char *const strangers[] = {"toy", "a.toys", "a.toy/b", "a.", ""};
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
        assert_null(catalogue_find_by_file(catalogue, strangers[i]));
    catalogue_free(catalogue);
}

static void a_new_file_is_a_new_language(void **state)
{
    struct folder *folder = *state;
    struct err err = {0};
    write_file(folder, "awk.lang",
               "name = awk\ntitle = AWK\naliases = mawk\nextensions = awk\nsource = main.awk\n"
               "execute = /usr/bin/awk -f {source} {args}\nrequires = /usr/bin/awk\n"
               "grammar = awk\n");
    write_file(folder, "awk.lang~", "left by an editor");
    write_file(folder, ".hidden.lang", "left by an editor");
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_builtin(catalogue, &err), 0);
    size_t builtin = catalogue_count(catalogue);
    const struct language *python = catalogue_find(catalogue, slice_of("python"));
    if (catalogue_load_dir(catalogue, folder->path, &err) < 0)
        fail_msg("%s", err.text);

    assert_int_equal(catalogue_count(catalogue), builtin + 1);
    const struct language *awk = catalogue_find(catalogue, slice_of("mawk"));
    assert_string_equal(awk->name, "awk");
    assert_ptr_equal(catalogue_at(catalogue, builtin), awk); /* no `order`: the last */
    assert_ptr_equal(catalogue_find(catalogue, slice_of("python")), python);
    assert_string_equal(catalogue_find_by_file(catalogue, "x.awk")->title, "AWK");
    catalogue_free(catalogue);
}

static void samples_lie_beside_the_file(void **state)
{
    struct folder *folder = *state;
    char path[256];
    write_file(folder, "toy.lang", LEAST);
    (void)snprintf(path, sizeof path, "%s/samples", folder->path);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/samples/toy", folder->path);
    assert_int_equal(mkdir(path, 0700), 0);
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_dir(catalogue, folder->path, NULL), 0);
    assert_string_equal(catalogue_at(catalogue, 0)->samples, path);
    catalogue_free(catalogue);
}

static void a_name_is_given_once(void **state)
{
    (void)state;
    static const struct {
        const char *second;
        const char *expected;
    } rows[] = {
        {"name = toy\n", "b.lang: the name 'toy' is taken by Toy"},
        {"name = t\n", "b.lang: the name 't' is taken by Toy"},
        {"name = other\naliases = o t\n", "b.lang: the name 't' is taken by Toy"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        char text[512];
        struct catalogue *catalogue = catalogue_of(LEAST "aliases = t\n");
        (void)snprintf(text, sizeof text, "%s%s", rows[i].second, strchr(LEAST, '\n') + 1);
        assert_int_equal(catalogue_load_text(catalogue, "b.lang", slice_of(text), &err), -1);
        assert_string_equal(err.text, rows[i].expected);
        assert_int_equal(catalogue_count(catalogue), 1);
        catalogue_free(catalogue);
    }
}

static void languages_stand_by_order_then_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *order;
    } rows[] = {
        {"z", ""}, {"b", "order = 2\n"}, {"y", ""}, {"c", "order = 1\n"}, {"a", "order = 2\n"}};
    struct catalogue *catalogue = catalogue_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "name = %s\n%s%s", rows[i].name, rows[i].order,
                       strchr(LEAST, '\n') + 1);
        assert_int_equal(catalogue_load_text(catalogue, "x.lang", slice_of(text), NULL), 0);
    }
    char names[16] = "";
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        (void)snprintf(names + i, sizeof names - i, "%s", catalogue_at(catalogue, i)->name);
    assert_string_equal(names, "cabyz");
    catalogue_free(catalogue);
}

static void a_language_is_installed_when_all_it_requires_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool installed;
    } rows[] = {
        {"requires = /bin/sh\n", true},
        {"requires = /bin/sh  /etc/passwd\n", true},
        {"requires = /bin/sh /absent/file\n", false},
        {"requires = /bin/sh\nrootfs = /absent\n", false},
        {"requires = /passwd\nrootfs = /etc\n", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "name = toy\ntitle = Toy\nextensions = toy\nsource = main.toy\n"
                       "execute = /bin/toy\ngrammar = toy\n%s",
                       rows[i].lines);
        struct catalogue *catalogue = catalogue_of(text);
        assert_int_equal(catalogue_at(catalogue, 0)->installed, rows[i].installed);
        catalogue_free(catalogue);
    }
}

static void an_ending_of_its_own_is_kept(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"x/y.mtoy", "main.mtoy"}, {"z.toy", NULL}, {"z.py", NULL}, {"a.mtoy/z", NULL}, {"-", NULL},
    };
    struct catalogue *catalogue = catalogue_of("name = toy\ntitle = Toy\nextensions = toy mtoy\n"
                                               "source = main.toy\nexecute = /bin/toy {source}\n"
                                               "requires = /bin/sh\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *name = language_entry_like(catalogue_at(catalogue, 0), rows[i][0]);
        if (rows[i][1])
            assert_string_equal(name, rows[i][1]);
        else
            assert_null(name);
        free(name);
    }
    catalogue_free(catalogue);
}

static void a_version_is_remembered(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_of(LEAST);
    const struct language *toy = catalogue_at(catalogue, 0);
    catalogue_set_version(catalogue, toy, "1.0");
    catalogue_set_version(catalogue, toy, "1.1");
    assert_string_equal(toy->version, "1.1");
    catalogue_free(catalogue);
}

static void what_cannot_be_read_is_told(void **state)
{
    struct folder *folder = *state;
    struct err err = {0};
    struct catalogue *catalogue = catalogue_new();
    assert_int_equal(catalogue_load_dir(catalogue, "/absent", &err), -1);
    assert_string_equal(err.text,
                        "languages_dirs: cannot read '/absent': No such file or directory");

    enum { TOO_LONG = 256 * 1024 + 1 };
    char *long_text = malloc(TOO_LONG + 1);
    assert_non_null(long_text);
    memset(long_text, '\n', TOO_LONG);
    long_text[TOO_LONG] = '\0';
    write_file(folder, "long.lang", long_text);
    free(long_text);
    assert_int_equal(catalogue_load_dir(catalogue, folder->path, &err), -1);
    assert_non_null(strstr(err.text, "long.lang is larger than 256 KiB"));
    catalogue_free(catalogue);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_language_is_found_by_name_and_alias_exactly),
        cmocka_unit_test(a_language_is_found_by_the_ending_of_a_file),
        cmocka_unit_test_setup_teardown(a_new_file_is_a_new_language, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(samples_lie_beside_the_file, make_folder, remove_folder),
        cmocka_unit_test(a_name_is_given_once),
        cmocka_unit_test(languages_stand_by_order_then_name),
        cmocka_unit_test(a_language_is_installed_when_all_it_requires_is_there),
        cmocka_unit_test(an_ending_of_its_own_is_kept),
        cmocka_unit_test(a_version_is_remembered),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
