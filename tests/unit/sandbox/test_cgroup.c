/* SPDX-License-Identifier: MIT */
/* Real groups around real children. Each child is pid 1 of a namespace of its
 * own, and a limit of processes stands on its group only. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/util.h"
#include "box_child.h"
#include "sandbox/cgroup_driver.h"

enum { SKIPPED = 77 };

static struct cgroup_tree *tree;

static const struct cgroup_limits roomy = {
    .memory_bytes = 256 * MIB, .processes = 64, .cpu_milli = 1000};

static struct cgroup *take(const struct cgroup_limits *limits)
{
    struct err err = {0};
    struct cgroup *cgroup = cgroup_take(tree, limits, &err);
    if (!cgroup)
        print_error("%s\n", err.text);
    assert_non_null(cgroup);
    return cgroup;
}

static struct cgroup_usage usage_of(struct cgroup *cgroup)
{
    struct cgroup_usage usage;
    assert_int_equal(cgroup_usage(cgroup, &usage), 0);
    return usage;
}

/* ---- what children do ---- */

static int do_nothing(void)
{
    return 0;
}

static int eat_memory(void)
{
    for (size_t eaten = 0; eaten < 512; eaten++) {
        char *block = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            return 1;
        memset(block, 1, MIB);
    }
    return 0;
}

static int eat_20_mib(void)
{
    char *block = mmap(NULL, 20 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return 1;
    memset(block, 1, 20 * MIB);
    return 0;
}

static int fork_to_the_limit(void)
{
    for (int children = 0; children < 90; children++) {
        pid_t pid = fork();
        if (pid < 0)
            return errno == EAGAIN ? children : 98;
        if (pid == 0) {
            (void)pause();
            _exit(0);
        }
    }
    return 97;
}

static noreturn int fork_for_ever(void)
{
    for (;;) {
        pid_t pid = fork();
        if (pid > 0 && getpid() != 1)
            _exit(0);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static noreturn int sleep_for_ever(void)
{
    for (;;)
        (void)pause();
}

static noreturn int outlive_the_spawner(void)
{
    (void)prctl(PR_SET_PDEATHSIG, 0);
    sleep_for_ever();
}

static int spin_for_300_ms(void)
{
    uint64_t end = clock_ns(CLOCK_MONOTONIC) + 300 * NS_PER_MS;
    while (clock_ns(CLOCK_MONOTONIC) < end)
        ;
    return 0;
}

static noreturn int spin_for_ever(void)
{
    for (;;)
        ;
}

static int spin_for_14_ms_of_cpu(void)
{
    while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < 14 * NS_PER_MS)
        ;
    return 0;
}

/* ---- limits ---- */

static void memory_limit_kills_and_is_counted(void **state)
{
    (void)state;
    struct cgroup_limits limits = roomy;
    limits.memory_bytes = 32 * MIB;
    struct cgroup *cgroup = take(&limits);
    assert_int_equal(run_child(cgroup, eat_memory), 128 + SIGKILL);
    struct cgroup_usage usage = usage_of(cgroup);
    assert_true(usage.oom_kills >= 1);
    assert_in_range(usage.memory_peak_bytes, 24 * MIB, 32 * MIB);
    int oom_fd = cgroup_oom_fd(cgroup);
    if (oom_fd >= 0) {
        struct pollfd watch = {.fd = oom_fd, .events = POLLIN};
        assert_int_equal(poll(&watch, 1, 1000), 1);
        cgroup_oom_clear(cgroup);
        assert_int_equal(poll(&watch, 1, 0), 0);
    }
    cgroup_release(cgroup);
}

static void process_limit_refuses_fork_and_is_counted(void **state)
{
    (void)state;
    struct cgroup_limits limits = roomy;
    limits.processes = 8;
    struct cgroup *cgroup = take(&limits);
    assert_int_equal(run_child(cgroup, fork_to_the_limit), 7);
    assert_true(usage_of(cgroup).process_limit_hits >= 1);
    cgroup_release(cgroup);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void cpu_share_is_kept(void **state)
{
    (void)state;
    struct cgroup_limits limits = roomy;
    limits.cpu_milli = 250;
    struct cgroup *cgroup = take(&limits);
    uint64_t began_ns = now_ns();
    assert_int_equal(run_child(cgroup, spin_for_300_ms), 0);
    uint64_t wall_ns = now_ns() - began_ns;
    assert_in_range(usage_of(cgroup).cpu_ns, 20 * NS_PER_MS, wall_ns * 45 / 100);
    cgroup_release(cgroup);
}

static void usage_is_measured(void **state)
{
    (void)state;
    struct cgroup *cgroup = take(&roomy);
    assert_int_equal(run_child(cgroup, eat_20_mib), 0);
    struct cgroup_usage usage = usage_of(cgroup);
    assert_in_range(usage.memory_peak_bytes, 19 * MIB, 24 * MIB);
    assert_in_range(usage.cpu_ns, 1, 5 * NS_PER_S); /* an emulator takes more than one */
    assert_int_equal(usage.oom_kills, 0);
    assert_int_equal(usage.process_limit_hits, 0);
    cgroup_release(cgroup);
}

static void limits_follow_each_other_in_any_order(void **state)
{
    (void)state;
    static const uint64_t memory[] = {64 * MIB, 16 * MIB, 0, 256 * MIB, 256 * MIB, 0, 0, 8 * MIB};
    for (size_t i = 0; i < ARRAY_LEN(memory); i++) {
        struct cgroup_limits limits = {.memory_bytes = memory[i],
                                       .processes = memory[i] ? 9 : 0,
                                       .cpu_milli = i % 2 ? 500 : 0};
        struct cgroup *cgroup = take(&limits);
        bool fits = memory[i] == 0 || memory[i] > 24 * MIB;
        assert_int_equal(run_child(cgroup, eat_20_mib), fits ? 0 : 128 + SIGKILL);
        cgroup_release(cgroup);
    }
}

/* ---- one box after another ---- */

static void figures_start_anew(void **state)
{
    (void)state;
    struct cgroup_limits limits = roomy;
    limits.memory_bytes = 32 * MIB;
    limits.processes = 4;
    struct cgroup *cgroup = take(&limits);
    (void)run_child(cgroup, eat_memory);
    (void)run_child(cgroup, fork_to_the_limit);
    cgroup_release(cgroup);
    for (int uses = 0; uses < 8; uses++) {
        cgroup = take(&limits);
        struct cgroup_usage usage = usage_of(cgroup);
        assert_in_range(usage.cpu_ns, 0, NS_PER_MS);
        assert_in_range(usage.memory_peak_bytes, 0, MIB);
        assert_int_equal(usage.oom_kills, 0);
        assert_int_equal(usage.process_limit_hits, 0);
        cgroup_release(cgroup);
    }
}

enum { QUOTA_USES = 8 };

static unsigned uses_without_a_stall(const struct cgroup_limits *limits)
{
    unsigned count = 0;
    for (int uses = 0; uses < QUOTA_USES; uses++) {
        uint64_t start = clock_ns(CLOCK_MONOTONIC);
        struct cgroup *cgroup = take(limits);
        assert_int_equal(run_child(cgroup, spin_for_14_ms_of_cpu), 0);
        cgroup_release(cgroup);
        count += clock_ns(CLOCK_MONOTONIC) - start < 60 * NS_PER_MS;
    }
    return count;
}

/* 20 ms of each 100: without a fresh start every second box would stall, on any
 * machine. A busy one stalls boxes too, but not in every round. */
static void residue_that_went_is_no_use_of_the_box_and_takes_nothing_from_it(void **state)
{
    (void)state;
    struct cgroup_usage usage = {.memory_bytes = 4 * MIB, .memory_peak_bytes = 7 * MIB};
    cgroup_subtract_residue(&usage, 4 * MIB);
    assert_int_equal(usage.memory_bytes, 0);
    assert_int_equal(usage.memory_peak_bytes, 3 * MIB);
    usage = (struct cgroup_usage){.memory_bytes = MIB, .memory_peak_bytes = 4 * MIB};
    cgroup_subtract_residue(&usage, 4 * MIB);
    assert_int_equal(usage.memory_bytes, 0);
    assert_int_equal(usage.memory_peak_bytes, 3 * MIB);
    usage = (struct cgroup_usage){
        .memory_bytes = 4 * MIB, .memory_peak_bytes = 64 * MIB, .oom_kills = 1};
    cgroup_subtract_residue(&usage, 4 * MIB);
    assert_int_equal(usage.memory_peak_bytes, 64 * MIB);
}

static void quota_starts_anew(void **state)
{
    (void)state;
    enum { ROUNDS = 20 };
    struct cgroup_limits limits = roomy;
    limits.cpu_milli = 200;
    for (int round = 0; round < ROUNDS; round++) {
        if (uses_without_a_stall(&limits) > QUOTA_USES / 2 + 1)
            return;
    }
    fail_msg("boxes stalled in each of %d rounds", ROUNDS);
}

static void stalled_box_dies_at_once(void **state)
{
    (void)state;
    struct cgroup_limits limits = roomy;
    limits.cpu_milli = 20;
    /* 2 ms of each 100: killed as it is, it would die in the next period, some
     * 80 ms later. One death that takes less shows that it need not wait. */
    for (int uses = 0; uses < 20; uses++) {
        struct cgroup *cgroup = take(&limits);
        pid_t pid = start_child(cgroup, spin_for_ever);
        (void)usleep(20000);
        uint64_t start = clock_ns(CLOCK_MONOTONIC);
        cgroup_lift_cpu_limit(cgroup);
        kill_child(pid);
        uint64_t taken = clock_ns(CLOCK_MONOTONIC) - start;
        cgroup_release(cgroup);
        if (taken < 40 * NS_PER_MS)
            return;
    }
    fail_msg("a stalled box never died at once");
}

static void group_with_a_process_left_is_not_used_again(void **state)
{
    (void)state;
    struct cgroup *cgroup = take(&roomy);
    pid_t pid = start_child(cgroup, sleep_for_ever);
    (void)usleep(20000);
    cgroup_release(cgroup);
    for (int uses = 0; uses < 4; uses++) {
        struct cgroup *other = take(&roomy);
        assert_int_equal(usage_of(other).memory_bytes, 0);
        assert_int_equal(run_child(other, do_nothing), 0);
        cgroup_release(other);
    }
    /* And what was left in it was killed. */
    assert_int_equal(wait_child(pid), 128 + SIGKILL);
}

static void kill_ends_a_fork_bomb(void **state)
{
    (void)state;
    struct cgroup *cgroup = take(&roomy);
    pid_t pid = start_child(cgroup, fork_for_ever);
    (void)usleep(50000);
    cgroup_kill(cgroup);
    assert_int_equal(wait_child(pid), 128 + SIGKILL);
    cgroup_release(cgroup);
}

static void groups_in_use_are_distinct(void **state)
{
    (void)state;
    struct cgroup *groups[16];
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        groups[i] = take(&roomy);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(groups[i]->name, groups[j]->name);
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        cgroup_release(groups[i]);
}

/* ---- leftovers ---- */

/* Where to look for directories of spawners: found before a tree is opened, since
 * that may move this process. On v2 ours is below our cgroup or beside it. */
static char place[sizeof((struct cgroup_place *)0)->path];

static void find_place(const char *controller)
{
    auto_free char *self = cgroup_read_whole(AT_FDCWD, "/proc/self/cgroup");
    auto_free char *mounts = cgroup_read_whole(AT_FDCWD, "/proc/self/mountinfo");
    struct cgroup_host host = {.self = self, .mounts = mounts};
    struct cgroup_place found;
    if (cgroup_find(&host, controller, &found) < 0)
        return;
    if (!controller && strlen(found.path) > found.mount_len)
        *strrchr(found.path, '/') = '\0';
    (void)snprintf(place, sizeof place, "%s", found.path);
}

static bool tree_moved_us(void)
{
    auto_free char *self = cgroup_read_whole(AT_FDCWD, "/proc/self/cgroup");
    return strstr(self, "/runnel-") != NULL;
}

static int count_directories_of(const char *path, pid_t pid, int depth)
{
    char part[32];
    (void)snprintf(part, sizeof part, "-%d-", pid);
    int count = 0;
    DIR *dir = opendir(path);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        char below[1400];
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        count += strncmp(entry->d_name, "runnel-", 7) == 0 && strstr(entry->d_name, part);
        (void)snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (depth > 0)
            count += count_directories_of(below, pid, depth - 1);
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

static void leftovers_of_a_dead_spawner_are_removed(void **state)
{
    (void)state;
    char foreign[sizeof place + 32];
    if (tree_moved_us()) {
        print_message("a second spawner would not be beside this one\n");
        skip();
    }
    (void)snprintf(foreign, sizeof foreign, "%s/runnel-1-1-1", place);
    assert_int_equal(mkdir(foreign, 0755), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);

    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t spawner = fork();
    if (spawner == 0) {
        struct cgroup_tree *other = NULL;
        struct cgroup *cgroup = NULL;
        if (cgroup_tree_open(NULL, &other, NULL) == 0)
            cgroup = cgroup_take(other, &roomy, NULL);
        pid_t box = cgroup ? start_child(cgroup, outlive_the_spawner) : -1;
        (void)usleep(20000);
        (void)!write(ready[1], &box, sizeof box);
        /* Its box outlives it. */
        _exit(0);
    }
    pid_t box = -1;
    assert_int_equal(read(ready[0], &box, sizeof box), sizeof box);
    assert_true(box > 0);
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)spawner, &ended, WEXITED | WNOWAIT), 0);
    assert_true(count_directories_of(place, spawner, 2) >= 1);

    /* A dead one that nobody has reaped is dead too. */
    struct cgroup_tree *next = NULL;
    struct err err = {0};
    cgroup_tree_close(tree);
    tree = NULL;
    assert_int_equal(cgroup_tree_open(NULL, &next, &err), 0);
    tree = next;
    assert_int_equal(count_directories_of(place, spawner, 2), 0);
    assert_int_equal(wait_child(box), 128 + SIGKILL);
    assert_int_equal(wait_child(spawner), 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
    /* Another pid namespace's spawner cannot be judged from here. */
    assert_int_equal(rmdir(foreign), 0);
}

static void closing_leaves_nothing(void **state)
{
    (void)state;
    assert_true(count_directories_of(place, getpid(), 2) >= 1);
    cgroup_tree_close(tree);
    tree = NULL;
    assert_int_equal(count_directories_of(place, getpid(), 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_limit_kills_and_is_counted),
        cmocka_unit_test(process_limit_refuses_fork_and_is_counted),
        cmocka_unit_test(cpu_share_is_kept),
        cmocka_unit_test(usage_is_measured),
        cmocka_unit_test(limits_follow_each_other_in_any_order),
        cmocka_unit_test(figures_start_anew),
        cmocka_unit_test(residue_that_went_is_no_use_of_the_box_and_takes_nothing_from_it),
        cmocka_unit_test(quota_starts_anew),
        cmocka_unit_test(stalled_box_dies_at_once),
        cmocka_unit_test(group_with_a_process_left_is_not_used_again),
        cmocka_unit_test(kill_ends_a_fork_bomb),
        cmocka_unit_test(groups_in_use_are_distinct),
        cmocka_unit_test(leftovers_of_a_dead_spawner_are_removed),
        cmocka_unit_test(closing_leaves_nothing),
    };
    struct err err = {0};
    find_place(NULL);
    find_place("pids"); /* where there is one, that version is in use */
    if (geteuid() != 0 || cgroup_tree_open(NULL, &tree, &err) < 0) {
        print_message("skipped: %s\n", geteuid() ? "needs root" : err.text);
        return SKIPPED;
    }
    print_message("%s\n", cgroup_tree_describe(tree));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cgroup_tree_close(tree);
    return failed;
}
