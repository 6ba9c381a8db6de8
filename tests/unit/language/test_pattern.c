/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "language_test.h"

static struct catalogue *builtin;

static int load_builtin(void **state)
{
    (void)state;
    builtin = catalogue_new();
    return catalogue_load_builtin(builtin, NULL);
}

static int free_builtin(void **state)
{
    (void)state;
    catalogue_free(builtin);
    return 0;
}

static void check_entry(const char *language, const char *source, const char *expected)
{
    char *name = language_entry_file(catalogue_find(builtin, slice_of(language)), slice_of(source));
    if (!name || strcmp(name, expected) != 0)
        fail_msg("%s for: %s", name, source);
    free(name);
}

#define MAIN "    public static void main(String[] args) {}\n}\n"

static void the_public_type_names_a_java_file(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *expected;
    } rows[] = {
        {"public class Foo {\n" MAIN, "Foo.java"},
        {"import java.util.*;\n\npublic final class Foo {\n" MAIN, "Foo.java"},
        {"class Helper {}\npublic abstract class Foo {\n" MAIN, "Foo.java"},
        {"final public class Foo {\n" MAIN, "Foo.java"},
        {"public record Point(int x) {\n" MAIN, "Point.java"},
        {"public enum Colour { RED;\n" MAIN, "Colour.java"},
        {"public interface Shape {\n" MAIN, "Shape.java"},
        {"public sealed interface Shape permits A {\n" MAIN, "Shape.java"},
        {"public\tclass  Foo<T> {\n" MAIN, "Foo.java"},
        {"public class Foo{" MAIN, "Foo.java"},
        {"public class Foo\r\n{\r\n" MAIN, "Foo.java"},
        {"// public class Old {\n/*\n * public class Older\n */\npublic class Foo {\n" MAIN,
         "Foo.java"},
        {"/** Says hello. */ public class Foo {\n" MAIN, "Foo.java"},
        {"@SuppressWarnings(\"all\") @Deprecated public class Foo {\n" MAIN, "Foo.java"},
        {"import java.util.*; import java.io.*; public class Foo {\n" MAIN, "Foo.java"},
        {"package a.b; public class Foo {\n" MAIN, "Foo.java"},
        {"public class $Foo_1 {\n" MAIN, "$Foo_1.java"},
        /* Inside another type, public means nothing for the file. */
        {"class Main {\n    public class Inner {}\n" MAIN, "Main.java"},
        {"class Main {\n    public static class Inner {}\n" MAIN, "Main.java"},
        /* Pasted with its indentation. */
        {"\n    public class Foo {\n        public class In {}\n    " MAIN, "Foo.java"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_entry("java", rows[i].source, rows[i].expected);
}

static void without_a_public_type_the_one_with_main_does(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *expected;
    } rows[] = {
        {"class App {\n" MAIN, "App.java"},
        {"class Helper {\n}\nclass App {\n" MAIN "class Last {}\n", "App.java"},
        {"class App {\n    static class Node {}\n" MAIN, "App.java"},
        {"class A { public static void main(String[] a) { } }\nclass B {}\n", "A.java"},
        {"class A {}\nenum App {\n    X;\n" MAIN, "App.java"},
        {"interface App {\n    static void main(String... args) {}\n}\n", "App.java"},
        {"final class App {\n" MAIN, "App.java"},
        {"class Library {}\n", "Main.java"},
        {"void main() {}\n", "Main.java"},
        {"", "Main.java"},
        {"not Java at all", "Main.java"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_entry("java", rows[i].source, rows[i].expected);
}

static void a_scala_object_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *expected;
    } rows[] = {
        {"object Main extends App {\n", "Main.scala"},
        {"case class P(x: Int)\nobject Foo extends Base with App {\n", "Foo.scala"},
        {"object Util {}\nobject Foo {\n  def main(args: Array[String]): Unit = {}\n}\n",
         "Foo.scala"},
        {"object Foo {\n  object In {}\n  def main(args: Array[String]) {}\n}\n", "Foo.scala"},
        {"class Nothing\n", "Main.scala"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_entry("scala", rows[i].source, rows[i].expected);
}

static void a_language_without_a_rule_has_one_name(void **state)
{
    (void)state;
    check_entry("python", "public class Foo {\n", "main.py");
    check_entry("c", "", "main.c");
}

/* What a pattern finds is checked again: this one lets everything through. */
static void a_source_names_nothing_but_a_plain_file(void **state)
{
    (void)state;
    struct catalogue *catalogue = catalogue_of(LEAST "entry_pattern = ^file (.*)\n");
    const struct language *toy = catalogue_at(catalogue, 0);
    char long_name[200] = "file ";
    memset(long_name + 5, 'a', 129);
    const char *const bad[] = {"file ../../etc/passwd",
                               "file /abs",
                               "file .hidden",
                               "file -rf",
                               "file a b",
                               "file ",
                               "file 1st",
                               "file a\x01",
                               "file caf\xc3\xa9",
                               long_name};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *name = language_entry_file(toy, slice_of(bad[i]));
        assert_string_equal(name, "main.toy");
        free(name);
    }
    char *name = language_entry_file(toy, (struct slice){"file a\0/b", 9});
    assert_string_equal(name, "a.toy");
    free(name);
    long_name[5 + 128] = '\0';
    name = language_entry_file(toy, slice_of(long_name));
    assert_int_equal(strlen(name), 128 + 4);
    free(name);
    catalogue_free(catalogue);
}

/* Sources made to be slow: the event loop waits for them, so none may be. */
static void no_source_takes_long(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\n",
                                         "a\n",
                                         "public final abstract ",
                                         ";*/;*/ ",
                                         "@a(@a(",
                                         "@A.a ",
                                         "void  main ",
                                         "class A class B;\n",
                                         "\t  \n",
                                         "\xff\xfe\n",
                                         "object A extends App ",
                                         "class ",
                                         "a; class A ",
                                         "@A.a(a) final public class A; "};
    enum { SIZE = 1024 * 1024, LINE = 4095 };
    char *text = malloc(SIZE);
    const struct language *java = catalogue_find(builtin, slice_of("java"));
    const struct language *scala = catalogue_find(builtin, slice_of("scala"));
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        size_t len = strlen(pieces[i]);
        for (size_t at = 0; at < SIZE; at++)
            text[at] = at % (LINE + 1) == LINE ? '\n' : pieces[i][at % len];
        clock_t start = clock();
        free(language_entry_file(java, (struct slice){text, SIZE}));
        free(language_entry_file(scala, (struct slice){text, SIZE}));
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (getenv("SHOW_TIMES"))
            print_message("%-28.24s %.1f ms\n", pieces[i], seconds * 1000);
        if (seconds > 1.0)
            fail_msg("'%s' took %.2f s", pieces[i], seconds);
    }
    free(text);
}

static void the_version_is_found_in_what_a_tool_prints(void **state)
{
    (void)state;
    static const struct {
        const char *language;
        const char *output;
        const char *expected;
    } rows[] = {
        {"python", "Python 3.11.2\n", "3.11.2"},
        {"javascript", "v20.20.2\n", "20.20.2"},
        {"java", "openjdk 17.0.15 2025-04-15\nOpenJDK Runtime Environment\n", "17.0.15"},
        {"cpp", "12.2.0\n", "12.2.0"},
        {"ruby", "ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]\n", "3.1.2"},
        {"go", "go version go1.19.8 linux/amd64\n", "1.19.8"},
        {"dart", "Dart SDK version: 3.5.0 (stable) (Tue Jul 30) on \"linux_x64\"\n", "3.5.0"},
        {"php", "PHP 8.2.35 (cli) (built: Oct 21 2026 06:29:51) (NTS)\n", "8.2.35"},
        {"rust", "rustc 1.63.0\n", "1.63.0"},
        {"csharp", "Mono JIT compiler version 6.8.0.105 (Debian 6.8.0.105)\n", "6.8.0.105"},
        {"scala", "Scala library version 2.11.12 -- Copyright 2002-2017, LAMP/EPFL\n", "2.11.12"},
        {"octave", "GNU Octave, version 7.3.0\nCopyright (C) 1993-2022\n", "7.3.0"},
        {"assembly", "NASM version 2.16.01\n", "2.16.01"},
        {"bash", "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n", "5.2.15"},
        {"python", "a warning\n\nPython 3.12.0+\n", "3.12.0"},
        {"python", "sh: 1: python3: not found\n", NULL},
        {"python", "", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct language *language = catalogue_find(builtin, slice_of(rows[i].language));
        char *version = language_version_from_output(language, slice_of(rows[i].output));
        if (rows[i].expected)
            assert_string_equal(version, rows[i].expected);
        else
            assert_null(version);
        free(version);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_public_type_names_a_java_file),
        cmocka_unit_test(without_a_public_type_the_one_with_main_does),
        cmocka_unit_test(a_scala_object_is_named),
        cmocka_unit_test(a_language_without_a_rule_has_one_name),
        cmocka_unit_test(a_source_names_nothing_but_a_plain_file),
        cmocka_unit_test(no_source_takes_long),
        cmocka_unit_test(the_version_is_found_in_what_a_tool_prints),
    };
    return cmocka_run_group_tests(tests, load_builtin, free_builtin);
}
