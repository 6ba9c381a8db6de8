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

#include "base/util.h"
#include "sandbox/cgroup_driver.h"

static const char separate_mounts[] =
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime shared:9 master:1 - cgroup cgroup rw,pids\n"
    "33 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
static const char separate_self[] = "8:pids:/\n"
                                    "4:memory:/process_api/9d4f\n"
                                    "2:cpu,cpuacct:/user.slice\n"
                                    "1:name=systemd:/\n"
                                    "0::/\n";
/* A container of version 1 without a cgroup namespace: the host's path shows. */
static const char container_mounts[] =
    "50 40 0:32 /docker/ab12 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
static const char container_self[] = "4:memory:/docker/ab12\n";
/* The mount of an outer namespace, and one whose root only begins alike. */
static const char outer_mounts[] = "50 40 0:32 /../.. /host/memory rw - cgroup cgroup rw,memory\n"
                                   "51 40 0:32 /do /other/memory rw - cgroup cgroup rw,memory\n";
static const char odd_mounts[] = "51 40 0:32 / /mnt/a\\040b\\134c rw - cgroup2 cgroup2 rw\n";
static const char odd_self[] = "0::/run:1.scope\n";

static void finds_our_own_cgroup(void **state)
{
    (void)state;
    static const struct {
        const char *self;
        const char *mounts;
        const char *root;
        const char *controller;
        int rc;
        const char *path;
        size_t mount_len;
    } rows[] = {
        {separate_self, separate_mounts, NULL, "memory", 0,
         "/sys/fs/cgroup/memory/process_api/9d4f", 21},
        {separate_self, separate_mounts, NULL, "pids", 0, "/sys/fs/cgroup/pids", 19},
        {separate_self, separate_mounts, NULL, "cpu", 0, "/sys/fs/cgroup/cpu,cpuacct/user.slice",
         26},
        {separate_self, separate_mounts, NULL, "cpuacct", 0,
         "/sys/fs/cgroup/cpu,cpuacct/user.slice", 26},
        {separate_self, separate_mounts, NULL, NULL, 0, "/sys/fs/cgroup/unified", 22},
        {separate_self, separate_mounts, NULL, "freezer", -ENOENT, NULL, 0},
        {separate_self, separate_mounts, "/runs", "memory", 0, "/sys/fs/cgroup/memory/runs", 21},
        {separate_self, separate_mounts, "/", "memory", 0, "/sys/fs/cgroup/memory", 21},
        {container_self, container_mounts, NULL, "memory", 0, "/sys/fs/cgroup/memory", 21},
        {container_self, container_mounts, "/docker/abc", "memory", -ENXIO, NULL, 0},
        {container_self, outer_mounts, NULL, "memory", -ENXIO, NULL, 0},
        {container_self, separate_mounts, NULL, NULL, -ENOENT, NULL, 0},
        {odd_self, odd_mounts, NULL, NULL, 0, "/mnt/a b\\c/run:1.scope", 10},
        {"", "", NULL, "memory", -ENOENT, NULL, 0},
        {"4:memory", "1 2\n- -\n", NULL, "memory", -ENOENT, NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cgroup_host host = {
            .self = rows[i].self, .mounts = rows[i].mounts, .root = rows[i].root};
        struct cgroup_place place;
        assert_int_equal(cgroup_find(&host, rows[i].controller, &place), rows[i].rc);
        if (rows[i].rc < 0)
            continue;
        assert_string_equal(place.path, rows[i].path);
        assert_int_equal(place.mount_len, rows[i].mount_len);
    }
}

static void refuses_a_path_that_does_not_fit(void **state)
{
    (void)state;
    char root[2000];
    memset(root, 'a', sizeof root);
    root[0] = '/';
    root[sizeof root - 1] = '\0';
    struct cgroup_host host = {.self = separate_self, .mounts = separate_mounts, .root = root};
    struct cgroup_place place;
    assert_int_equal(cgroup_find(&host, "memory", &place), -ENAMETOOLONG);
}

static void reads_the_value_behind_a_key(void **state)
{
    (void)state;
    static const char text[] = "oom_kill_disable 0\nunder_oom 0\noom_kill 17\nlimit max\nbad -1\n";
    static const struct {
        const char *key;
        int rc;
        uint64_t value;
    } rows[] = {
        {"oom_kill", 0, 17}, {"under_oom", 0, 0}, {"limit", 0, UINT64_MAX},   {"oom", -ENOENT, 0},
        {"", -ENOENT, 0},    {"bad", -EINVAL, 0}, {"oom_killer", -ENOENT, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t value = 0;
        assert_int_equal(cgroup_key_in(text, rows[i].key, &value), rows[i].rc);
        assert_int_equal(value, rows[i].value);
    }
}

static void finds_whole_words_only(void **state)
{
    (void)state;
    assert_true(cgroup_word_in("cpuset cpu io memory pids\n", "cpu"));
    assert_true(cgroup_word_in("cpuset cpu io memory pids\n", "pids"));
    assert_false(cgroup_word_in("cpuset io memory\n", "cpu"));
    assert_false(cgroup_word_in("", "cpu"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_our_own_cgroup),
        cmocka_unit_test(refuses_a_path_that_does_not_fit),
        cmocka_unit_test(reads_the_value_behind_a_key),
        cmocka_unit_test(finds_whole_words_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
