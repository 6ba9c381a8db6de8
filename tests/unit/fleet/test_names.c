/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "fleet/names.h"

#define ID "5f0e9f7a-3a54-4d7c-8a3b-0f4f0a9f3c11"

static void every_thing_has_the_name_that_the_page_gives_it(void **state)
{
    const struct {
        struct fleet_key key;
        const char *expected;
    } rows[] = {
        {results_queue("f-1"), "runnel.results.of.f-1"},
        {run_key(ID), "runnel:run:" ID},
        {events_key(ID), "runnel:events:" ID},
        {commands_key(ID), "runnel:commands:" ID},
        {lease_key(ID), "runnel:lease:" ID},
        {lane_key(LANE_HIGH, false), "runnel:lane:high"},
        {lane_key(LANE_NORMAL, true), "runnel:lane:normal.aside"},
        {lane_key(LANE_LOW, false), "runnel:lane:low"},
        {member_key(true, "w"), "runnel:worker:w"},
        {member_key(false, "w"), "runnel:front:w"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(rows[i].key.text, rows[i].expected);
    assert_string_equal(lane_queue(LANE_HIGH, false), "runnel.jobs.high");
    assert_string_equal(lane_queue(LANE_NORMAL, false), "runnel.jobs.normal");
    assert_string_equal(lane_queue(LANE_LOW, true), "runnel.jobs.low.aside");
}

static void the_longest_names_fit(void **state)
{
    char id[RUN_ID_SIZE];
    char node[64];
    (void)state;
    memset(id, 'i', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    memset(node, 'n', sizeof node - 1);
    node[sizeof node - 1] = '\0';
    assert_non_null(strstr(commands_key(id).text, id));
    assert_non_null(strstr(member_key(true, node).text, node));
    assert_non_null(strstr(results_queue(node).text, node));
}

static void an_id_is_found_in_its_channel_only(void **state)
{
    (void)state;
    assert_string_equal(id_of_channel(events_key(ID).text, "runnel:events:"), ID);
    assert_null(id_of_channel(events_key(ID).text, "runnel:commands:"));
    assert_null(id_of_channel("runnel:events:", "runnel:events:"));
    assert_null(id_of_channel("runnel:ev", "runnel:events:"));
    assert_null(id_of_channel("", "runnel:events:"));
}

/* The row that declares this exchange, queue or binding. */
static const struct amqp_declaration *row_of(const struct amqp_declaration *rows, size_t count,
                                             const char *exchange, const char *queue)
{
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].exchange == !exchange && !rows[i].queue == !queue &&
            (!exchange || strcmp(rows[i].exchange, exchange) == 0) &&
            (!queue || strcmp(rows[i].queue, queue) == 0))
            return &rows[i];
    }
    fail_msg("nothing declares %s %s", exchange ? exchange : "", queue ? queue : "");
    return NULL;
}

static const struct amqp_argument *argument_of(const struct amqp_declaration *row, const char *name)
{
    static const struct amqp_argument none = {.text = ""};
    for (const struct amqp_argument *at = row->arguments; at && at->name; at++) {
        if (strcmp(at->name, name) == 0)
            return at;
    }
    return &none;
}

static void a_job_has_a_queue_in_each_lane_that_loses_nothing(void **state)
{
    struct amqp_declaration rows[TOPOLOGY_MAX];
    size_t count = fleet_topology(NULL, rows);
    (void)state;
    assert_string_equal(row_of(rows, count, JOBS_EXCHANGE, NULL)->type, "direct");
    assert_true(row_of(rows, count, JOBS_EXCHANGE, NULL)->durable);
    for (int i = 0; i < 2 * LANES; i++) {
        enum lane lane = (enum lane)(i / 2);
        bool aside = i % 2;
        const char *name = lane_queue(lane, aside);
        const struct amqp_declaration *queue = row_of(rows, count, NULL, name);
        const char *key = row_of(rows, count, JOBS_EXCHANGE, name)->key;
        assert_string_equal(key, lane_routing_key(lane, aside));
        assert_string_equal(key, lane_key(lane, aside).text + strlen("runnel:lane:"));
        assert_int_equal(strncmp(key, lane_name(lane), strlen(lane_name(lane))), 0);
        assert_true(queue->durable && !queue->exclusive);
        assert_string_equal(argument_of(queue, "x-queue-type")->text, "quorum");
        assert_string_equal(argument_of(queue, "x-dead-letter-exchange")->text, DEAD_EXCHANGE);
        assert_null(argument_of(queue, "x-delivery-limit")->text);
        assert_int_equal(argument_of(queue, "x-delivery-limit")->number, DELIVERIES_MAX);
    }
}

static void the_dead_have_their_queue_before_anybody_dies(void **state)
{
    struct amqp_declaration rows[TOPOLOGY_MAX];
    size_t count = fleet_topology(NULL, rows);
    const struct amqp_declaration *bound = row_of(rows, count, DEAD_EXCHANGE, DEAD_QUEUE);
    (void)state;
    assert_string_equal(row_of(rows, count, DEAD_EXCHANGE, NULL)->type, "fanout");
    assert_true(row_of(rows, count, NULL, DEAD_QUEUE)->durable);
    assert_true(row_of(rows, count, DEAD_EXCHANGE, NULL) < bound);
    assert_true(row_of(rows, count, NULL, DEAD_QUEUE) < bound);
    assert_true(bound < row_of(rows, count, NULL, lane_queue(LANE_HIGH, false)));
}

static void only_a_front_has_results_and_they_go_after_it(void **state)
{
    struct amqp_declaration rows[TOPOLOGY_MAX];
    struct fleet_key results = results_queue("f");
    size_t without = fleet_topology(NULL, rows);
    size_t count = fleet_topology(results.text, rows);
    const struct amqp_declaration *queue = row_of(rows, count, NULL, results.text);
    (void)state;
    assert_int_equal(count, without + 1);
    assert_true(queue->durable && !queue->exclusive);
    assert_int_equal(argument_of(queue, "x-expires")->number, 600 * 1000);
}

/* RabbitMQ from 4.3 on refuses them. */
static void no_queue_is_transient_and_for_all(void **state)
{
    struct amqp_declaration rows[TOPOLOGY_MAX];
    struct fleet_key results = results_queue("f");
    size_t count = fleet_topology(results.text, rows);
    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_true(!rows[i].queue || rows[i].exchange || rows[i].durable || rows[i].exclusive);
}

static void a_node_has_a_name_that_fits_everywhere(void **state)
{
    static const struct {
        const char *configured;
        const char *expected;
    } rows[] = {
        {"box-7", "box-7"},     {"a.b_C-9", "a.b_C-9"}, {"two words\n", "two-words-"},
        {"a/b:c*#", "a-b-c--"}, {"\xc3\xa9", "--"},
    };
    char name[64];
    char longer[200];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        node_name(rows[i].configured, name);
        assert_string_equal(name, rows[i].expected);
    }
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    node_name(longer, name);
    assert_int_equal(strlen(name), 63);
    node_name(NULL, name);
    assert_true(name[0]);
    node_name("", longer);
    assert_string_equal(longer, name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thing_has_the_name_that_the_page_gives_it),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(an_id_is_found_in_its_channel_only),
        cmocka_unit_test(a_job_has_a_queue_in_each_lane_that_loses_nothing),
        cmocka_unit_test(the_dead_have_their_queue_before_anybody_dies),
        cmocka_unit_test(only_a_front_has_results_and_they_go_after_it),
        cmocka_unit_test(no_queue_is_transient_and_for_all),
        cmocka_unit_test(a_node_has_a_name_that_fits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
