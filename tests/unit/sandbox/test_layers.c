/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/host_ids.h"
#include "sandbox/layers.h"

static void names_become_bits(void **state)
{
    (void)state;
    static const struct {
        const char *names;
        unsigned bits;
    } rows[] = {
        {"", 0},
        {"landlock", 1U << LAYER_LANDLOCK},
        {"landlock,cgroup", 1U << LAYER_LANDLOCK | 1U << LAYER_CGROUP},
        {"landlock, cgroup ,", 1U << LAYER_LANDLOCK | 1U << LAYER_CGROUP},
        {"seccomp,seccomp", 1U << LAYER_SECCOMP},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned bits = ~0U;
        assert_int_equal(layers_parse(rows[i].names, &bits, NULL), 0);
        assert_int_equal(bits, rows[i].bits);
    }
}

static void an_unknown_layer_is_named_in_the_error(void **state)
{
    (void)state;
    static const char *const wrong[] = {"landlok", "landlock,selinux", "Landlock",
                                        "landlock;cgroup"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        unsigned bits = 0;
        struct err err = {0};
        assert_int_equal(layers_parse(wrong[i], &bits, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_string_equal(err.field, "allow_missing");
        for (int layer = 0; layer < LAYER_COUNT; layer++)
            assert_non_null(strstr(err.text, layer_name((enum layer)layer)));
    }
}

static struct layer_report all_hold(void)
{
    struct layer_report report = {0};
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        report.layer[layer].status = LAYER_HOLDS;
    return report;
}

static void the_summary_says_full_or_what_is_reduced(void **state)
{
    (void)state;
    char text[256];
    struct layer_report report = all_hold();
    assert_string_equal(layers_summary(&report, text, sizeof text), "full");
    report.layer[LAYER_LANDLOCK].status = LAYER_MISSING;
    assert_string_equal(layers_summary(&report, text, sizeof text), "reduced: no landlock");
    report.layer[LAYER_CGROUP].status = LAYER_MISSING;
    report.layer[LAYER_IDENTITY].status = LAYER_WEAKER;
    (void)strcpy(report.layer[LAYER_IDENTITY].detail, "one user for all");
    assert_string_equal(layers_summary(&report, text, sizeof text),
                        "reduced: no cgroup, identity (one user for all), no landlock");
}

static void a_summary_is_cut_and_not_overrun(void **state)
{
    (void)state;
    char text[24] = {0};
    struct layer_report report = {0};
    (void)layers_summary(&report, text, sizeof text);
    assert_true(strlen(text) < sizeof text);
}

static void every_layer_has_words_for_people(void **state)
{
    (void)state;
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        assert_true(strlen(layer_name((enum layer)layer)) > 3);
        assert_true(strlen(layer_purpose((enum layer)layer)) > 10);
        assert_true(strlen(layer_remedy((enum layer)layer)) > 10);
    }
}

static void boxes_get_host_users_only_where_they_are_mapped(void **state)
{
    (void)state;
    static const struct {
        const char *map;
        bool mapped;
    } rows[] = {
        {"         0          0 4294967295\n", true},
        {"         0       1000          1\n", false},
        {"         0     100000      65536\n", false},
        {"0 1000 1\n1 100000 4294000000\n", true},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(host_ids_mapped(rows[i].map, HOST_IDS_BASE), rows[i].mapped);
}

static void a_user_is_taken_again_only_after_all_others(void **state)
{
    (void)state;
    struct host_ids ids;
    assert_int_equal(host_ids_open(&ids, HOST_IDS_BASE, 0), 0);
    uid_t first = host_ids_take(&ids);
    assert_true(first > ids.first);
    host_ids_give(&ids, first);
    for (unsigned i = 0; i < HOST_IDS_BLOCK - 2; i++)
        assert_int_not_equal(host_ids_take(&ids), first);
    assert_int_equal(host_ids_take(&ids), first);
    assert_int_equal(host_ids_take(&ids), 0);
    host_ids_close(&ids);
}

static void two_spawners_never_share_a_block(void **state)
{
    (void)state;
    struct host_ids one;
    struct host_ids two;
    assert_int_equal(host_ids_open(&one, HOST_IDS_BASE, 0), 0);
    assert_int_equal(host_ids_open(&two, HOST_IDS_BASE, 0), 0);
    assert_int_not_equal(one.first, two.first);
    host_ids_close(&one);
    host_ids_close(&two);
}

/* As in containers, where all have the same process id, and no lock is seen. */
static void spawners_that_cannot_meet_take_different_blocks(void **state)
{
    (void)state;
    struct host_ids ids;
    assert_int_equal(host_ids_open(&ids, HOST_IDS_BASE, 0), 0);
    uid_t first = ids.first;
    int others = 0;
    for (int i = 0; i < 20; i++) {
        host_ids_close(&ids);
        assert_int_equal(host_ids_open(&ids, HOST_IDS_BASE, 0), 0);
        others += ids.first != first;
    }
    host_ids_close(&ids);
    assert_true(others > 0);
}

/* What the front owns need not change hands at each start. */
static void the_block_of_an_earlier_start_is_taken_again_when_it_is_free(void **state)
{
    (void)state;
    struct host_ids ids;
    struct host_ids other;
    const uid_t before = HOST_IDS_BASE + 77 * HOST_IDS_BLOCK;
    const uid_t last = HOST_IDS_BASE + (HOST_IDS_BLOCKS - 1) * HOST_IDS_BLOCK;
    assert_int_equal(host_ids_open(&ids, HOST_IDS_BASE, before), 0);
    assert_int_equal(ids.first, before);
    assert_int_equal(host_ids_open(&other, HOST_IDS_BASE, before), 0);
    assert_int_equal(other.first, before + HOST_IDS_BLOCK);
    host_ids_close(&other);
    host_ids_close(&ids);
    assert_int_equal(host_ids_open(&ids, HOST_IDS_BASE, last + HOST_IDS_BLOCK - 1), 0);
    assert_int_equal(ids.first, last);
    host_ids_close(&ids);
}

static void a_user_from_elsewhere_says_nothing_of_the_block(void **state)
{
    (void)state;
    const uid_t elsewhere[] = {0, 1000, HOST_IDS_BASE - 1,
                               HOST_IDS_BASE + HOST_IDS_BLOCKS * HOST_IDS_BLOCK, (uid_t)-1};
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++) {
        struct host_ids ids;
        uid_t first = 0;
        int others = 0;
        for (int k = 0; k < 20; k++) {
            assert_int_equal(host_ids_open(&ids, HOST_IDS_BASE, elsewhere[i]), 0);
            others += k > 0 && ids.first != first;
            first = ids.first;
            host_ids_close(&ids);
        }
        assert_true(others > 0);
    }
}

/* Blocks are held by names in the network namespace: in one of our own nobody else's service has
 * the one that is asked for. An ordinary user has to go without. */
static int meet_nobody(void **state)
{
    (void)state;
    return geteuid() == 0 ? unshare(CLONE_NEWNET) : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_bits),
        cmocka_unit_test(an_unknown_layer_is_named_in_the_error),
        cmocka_unit_test(the_summary_says_full_or_what_is_reduced),
        cmocka_unit_test(a_summary_is_cut_and_not_overrun),
        cmocka_unit_test(every_layer_has_words_for_people),
        cmocka_unit_test(boxes_get_host_users_only_where_they_are_mapped),
        cmocka_unit_test(a_user_is_taken_again_only_after_all_others),
        cmocka_unit_test(two_spawners_never_share_a_block),
        cmocka_unit_test(spawners_that_cannot_meet_take_different_blocks),
        cmocka_unit_test(the_block_of_an_earlier_start_is_taken_again_when_it_is_free),
        cmocka_unit_test(a_user_from_elsewhere_says_nothing_of_the_block),
    };
    return cmocka_run_group_tests(tests, meet_nobody, NULL);
}
