/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/util.h"

static void every_limit_has_a_whole_row(void **state)
{
    (void)state;
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++) {
        const struct limit_info *info = limit_info(limit);
        assert_non_null(info->json_name);
        assert_non_null(info->option);
        assert_non_null(info->help);
        assert_true(info->scale > 0);
        assert_true(info->smallest > 0); /* 0 is "not set" */
        assert_true(info->smallest <= info->largest);
        assert_int_equal(info->largest % info->scale, 0);
        for (enum limit other = 0; other < limit; other++) {
            assert_string_not_equal(limit_info(other)->json_name, info->json_name);
            assert_string_not_equal(limit_info(other)->option, info->option);
        }
    }
}

static void each_is_parsed_in_its_unit(void **state)
{
    (void)state;
    static const struct {
        enum limit limit;
        const char *text;
        int rc;
        uint64_t value;
    } rows[] = {
        {LIMIT_WALL, "2s", 0, 2000},
        {LIMIT_WALL, "24h", 0, 86400000},
        {LIMIT_WALL, "25h", -ERANGE, 0},
        {LIMIT_WALL, "0", -ERANGE, 0},
        {LIMIT_WALL, "64K", -EINVAL, 0},
        {LIMIT_CPUS, "0.5", 0, 500},
        {LIMIT_CPUS, "0.009", -ERANGE, 0},
        {LIMIT_MEMORY, "64M", 0, 64 * MIB},
        {LIMIT_MEMORY, "1M", -ERANGE, 0},
        {LIMIT_PROCESSES, "64", 0, 64},
        {LIMIT_PROCESSES, "64K", -EINVAL, 0},
        {LIMIT_PROCESSES, "-1", -EINVAL, 0},
        {LIMIT_PROCESSES, "18446744073709551617", -ERANGE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t value = 0;
        assert_int_equal(limit_parse(rows[i].limit, rows[i].text, &value), rows[i].rc);
        assert_int_equal(value, rows[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_has_a_whole_row),
        cmocka_unit_test(each_is_parsed_in_its_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
