/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/configure.h"

static char file[] = "/tmp/test_configure.XXXXXX";

static int write_file(void **state)
{
    static const char text[] = "port = 1111\nqueue_length = 11\nmax_connections = 111\n";
    (void)state;
    int fd = mkstemp(file);
    ssize_t put = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0)
        (void)close(fd);
    return put == (ssize_t)strlen(text) ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

static void add_flag(struct config_flags *flags, const char *name, const char *value)
{
    struct option option = {.name = name};
    assert_int_equal(option_set_config(flags, &option, value, NULL), 0);
}

static void flags_win_over_the_environment_and_that_over_the_file(void **state)
{
    (void)state;
    struct config config;
    struct config_flags flags = {.file = file};
    (void)config_init(&config, NULL);
    assert_int_equal(setenv("RUNNEL_QUEUE_LENGTH", "22", 1), 0);
    assert_int_equal(setenv("RUNNEL_PORT", "2222", 1), 0);
    add_flag(&flags, "port", "3333");
    add_flag(&flags, "compat", NULL);
    assert_int_equal(configure(&config, &flags, NULL), 0);
    assert_int_equal(config.port, 3333);
    assert_int_equal(config.queue_length, 22);
    assert_int_equal(config.max_connections, 111);
    assert_true(config.compat);
    assert_int_equal(unsetenv("RUNNEL_QUEUE_LENGTH"), 0);
    assert_int_equal(unsetenv("RUNNEL_PORT"), 0);
    config_flags_fini(&flags);
    config_fini(&config);
}

static void the_environment_may_name_the_file(void **state)
{
    (void)state;
    struct config config;
    struct config_flags flags = {0};
    (void)config_init(&config, NULL);
    assert_int_equal(setenv("RUNNEL_CONFIG", file, 1), 0);
    assert_int_equal(configure(&config, &flags, NULL), 0);
    assert_int_equal(config.port, 1111);
    assert_int_equal(unsetenv("RUNNEL_CONFIG"), 0);
    config_fini(&config);
}

static void a_mistake_names_the_flag(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        const char *says;
    } mistakes[] = {
        {"port", "70000", "--port: port must be"},
        {"max-memory", "lots", "--max-memory: max_memory must be"},
    };
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct config config;
        struct config_flags flags = {.file = file};
        struct err err = {0};
        (void)config_init(&config, NULL);
        add_flag(&flags, mistakes[i].name, mistakes[i].value);
        assert_int_equal(configure(&config, &flags, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, mistakes[i].says));
        config_flags_fini(&flags);
        config_fini(&config);
    }
}

static void a_file_that_is_named_must_be_there(void **state)
{
    (void)state;
    struct config config;
    struct config_flags flags = {.file = "/nonexistent/runnel.conf"};
    struct err err = {0};
    (void)config_init(&config, NULL);
    assert_int_equal(configure(&config, &flags, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent/runnel.conf"));
    config_fini(&config);
}

static void an_unknown_key_is_answered_with_the_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *says;
    } slips[] = {
        {"lisen", "did you mean 'listen'?"},
        {"max-memry", "did you mean 'max-memory'?"},
        {"fortran", "--fortran: unknown key"},
        {"a-name-that-is-far-longer-than-any-key-of-ours-and-than-the-room-for-a-key",
         "unknown key"},
    };
    for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
        struct err err = {0};
        assert_int_equal(option_refuse_config(slips[i].name, &err), -1);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, slips[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_win_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(the_environment_may_name_the_file),
        cmocka_unit_test(a_mistake_names_the_flag),
        cmocka_unit_test(a_file_that_is_named_must_be_there),
        cmocka_unit_test(an_unknown_key_is_answered_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, write_file, remove_file);
}
