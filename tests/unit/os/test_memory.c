/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/util.h"
#include "os/memory.h"

enum { FILES_MAX = 6 };

static const struct {
    const char *what;
    uint64_t expected;
    const char *files[FILES_MAX][2];
} rows[] = {
    {"nothing can be read", 0, {{NULL}}},
    {"the machine's", 2000 * KIB, {{"/proc/meminfo", "MemTotal:  2000 kB\nMemFree: 5 kB\n"}}},
    {"no such line", 0, {{"/proc/meminfo", "MemFree: 5 kB\n"}}},
    {"version 2",
     1000,
     {{"/proc/meminfo", "MemTotal: 2000 kB\n"},
      {"/proc/self/cgroup", "0::/a/b\n"},
      {"/sys/fs/cgroup/a/b/memory.max", "1000\n"},
      {"/sys/fs/cgroup/a/memory.max", "max\n"}}},
    {"of a group above it",
     900,
     {{"/proc/meminfo", "MemTotal: 2000 kB\n"},
      {"/proc/self/cgroup", "0::/a/b\n"},
      {"/sys/fs/cgroup/a/b/memory.max", "1000\n"},
      {"/sys/fs/cgroup/a/memory.max", "900\n"}}},
    {"of the one that a container shows in the place of its own",
     700,
     {{"/proc/meminfo", "MemTotal: 2000 kB\n"},
      {"/proc/self/cgroup", "0::/docker/0123\n"},
      {"/sys/fs/cgroup/memory.max", "700\n"}}},
    {"version 1",
     800,
     {{"/proc/meminfo", "MemTotal: 2000 kB\n"},
      {"/proc/self/cgroup", "5:pids:/\n4:cpu,memory:/a\n0::/\n"},
      {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "800\n"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"}}},
    {"more than there is",
     2000 * KIB,
     {{"/proc/meminfo", "MemTotal: 2000 kB\n"},
      {"/proc/self/cgroup", "4:memory:/a\n"},
      {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n"}}},
    {"lines of nonsense",
     2000 * KIB,
     {{"/proc/meminfo", "MemTotal: 2000 kB\n"}, {"/proc/self/cgroup", "x\n:\n4:memory\n::\n\n"}}},
};

static void write_file(const char *root, const char *path, const char *text)
{
    char full[512];
    (void)snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(full, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void it_is_the_least_of_the_machine_and_our_groups(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char root[] = "/tmp/test_memory.XXXXXX";
        char command[64];
        assert_non_null(mkdtemp(root));
        for (size_t k = 0; k < FILES_MAX && rows[i].files[k][0]; k++)
            write_file(root, rows[i].files[k][0], rows[i].files[k][1]);
        uint64_t got = memory_usable(root);
        (void)snprintf(command, sizeof command, "rm -r %s", root);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
        if (got != rows[i].expected)
            fail_msg("%s: %llu", rows[i].what, (unsigned long long)got);
    }
}

static void this_machine_has_some(void **state)
{
    (void)state;
    assert_true(memory_usable("") >= 16 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_least_of_the_machine_and_our_groups),
        cmocka_unit_test(this_machine_has_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
