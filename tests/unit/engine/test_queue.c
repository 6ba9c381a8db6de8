/* SPDX-License-Identifier: MIT */
/* Whose turn it is: stories, and everything at random beside a model that is plain to see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "engine/engine_private.h"
#include "engine/queue.h"

enum { RUNS = 64 };

static struct queue queue;
static struct run *runs[RUNS];

static int set_up(void **state)
{
    (void)state;
    queue_init(&queue, RUNS);
    for (size_t i = 0; i < RUNS; i++)
        assert_non_null(runs[i] = calloc(1, sizeof *runs[i]));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++)
        free(runs[i]);
    return 0;
}

static enum lane lane_of(char letter)
{
    for (enum lane lane = 0; lane < LANES; lane++) {
        if (lane_name(lane)[0] == letter)
            return lane;
    }
    fail_msg("no lane %c", letter);
    return LANES;
}

/* What comes: lane and tenant of each; in which order they get slots: their places in that. */
static const struct {
    const char *what;
    const char *come;
    const char *go;
} stories[] = {
    {"one tenant: as they came", "nA nA nA", "1 2 3"},
    {"tenants take turns", "nA nA nA nB nB nC", "1 4 6 2 5 3"},
    {"a flood holds a newcomer up by one", "nA nA nA nA nA nB", "1 6 2 3 4 5"},
    {"lanes in their order", "lA nB hC lA hC", "3 5 2 1 4"},
    {"a tenant's lanes are apart", "lA nA hA nB", "3 2 4 1"},
    {"a lane that was passed over seven times is next", "nA hB hB hB hB hB hB hB hB hB",
     "2 3 4 5 6 7 8 1 9 10"},
    {"two such lanes: the lower one first", "nA lC hB hB hB hB hB hB hB hB hB",
     "3 4 5 6 7 8 9 2 1 10 11"},
    {"in between it starts anew", "nA nA hB hB hB hB hB hB hB hB hB hB hB hB hB hB hB",
     "3 4 5 6 7 8 9 1 10 11 12 13 14 15 16 2 17"},
};

static size_t place_of(const struct run *run)
{
    for (size_t i = 0; i < RUNS; i++) {
        if (runs[i] == run)
            return i + 1;
    }
    fail_msg("a run from nowhere");
    return 0;
}

static void slots_are_given_in_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        char gone[256] = "";
        size_t count = 0;
        size_t len = 0;
        for (const char *at = stories[i].come; *at; at += strspn(at, " "), count++) {
            runs[count]->lane = lane_of(*at);
            runs[count]->tenant = (uint64_t)at[1];
            queue_add(&queue, runs[count]);
            at += 2;
        }
        size_t places[RUNS];
        for (size_t at = 0; at < count; at++)
            places[at] = queue_place(&queue, runs[at]).position;
        for (size_t slot = 1; slot <= count; slot++) {
            struct run *run = queue_first(&queue);
            size_t place = place_of(run);
            assert_int_equal(places[place - 1], slot); /* as was said when all of them waited */
            assert_int_equal(queue_place(&queue, run).position, 1);
            queue_take(&queue, run);
            len += (size_t)snprintf(gone + len, sizeof gone - len, "%s%zu", slot > 1 ? " " : "",
                                    place);
        }
        assert_null(queue_first(&queue));
        if (strcmp(gone, stories[i].go) != 0)
            fail_msg("%s: %s instead of %s", stories[i].what, gone, stories[i].go);
    }
}

static void a_tenant_leaves_a_quarter_to_others(void **state)
{
    (void)state;
    static const struct {
        size_t max;
        size_t free_slots;
        size_t his;
        size_t all;
    } rows[] = {{0, 0, 0, 0}, {0, 2, 2, 2}, {1, 0, 1, 1}, {3, 0, 3, 3},
                {4, 0, 3, 4}, {4, 2, 5, 6}, {9, 0, 7, 9}, {40, 0, 30, 40}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        queue_init(&queue, rows[i].max);
        size_t came = 0;
        for (enum queue_room room; came <= RUNS; came++) {
            runs[came]->lane = (enum lane)(came % LANES); /* all of them count */
            runs[came]->tenant = came < rows[i].his ? 5 : 6;
            room = queue_room(&queue, runs[came], rows[i].free_slots);
            if (room == QUEUE_FULL)
                break;
            assert_int_equal(room, QUEUE_HAS_ROOM);
            queue_add(&queue, runs[came]);
            struct run another = {.tenant = 5};
            bool his_is_used = came + 1 >= rows[i].his;
            assert_int_equal(queue_room(&queue, &another, rows[i].free_slots) == QUEUE_HAS_ROOM,
                             !his_is_used);
        }
        assert_int_equal(came, rows[i].all);
    }
}

static void lanes_have_names(void **state)
{
    (void)state;
    assert_string_equal(lane_name(LANE_HIGH), "high");
    assert_string_equal(lane_name(LANE_NORMAL), "normal");
    assert_string_equal(lane_name(LANE_LOW), "low");
}

/* --- the model: who waits, in the order in which they came, and whose turns come in which order
 * --- */

struct model {
    size_t waiting[RUNS]; /* places in runs */
    size_t count;
    uint64_t turns[LANES][RUNS]; /* tenants */
    size_t turn_count[LANES];
    unsigned passed[LANES];
};

static size_t model_first_of(const struct model *model, enum lane lane, uint64_t tenant)
{
    for (size_t i = 0; i < model->count; i++) {
        const struct run *run = runs[model->waiting[i]];
        if (run->lane == lane && run->tenant == tenant)
            return i;
    }
    return RUNS;
}

static void drop(void *items, size_t size, size_t at, size_t *count)
{
    char *bytes = items;
    memmove(bytes + at * size, bytes + (at + 1) * size, (--*count - at) * size);
}

static void model_leave_turns(struct model *model, enum lane lane, uint64_t tenant)
{
    for (size_t i = 0; i < model->turn_count[lane]; i++) {
        if (model->turns[lane][i] == tenant)
            drop(model->turns[lane], sizeof tenant, i, &model->turn_count[lane]);
    }
}

static void model_add(struct model *model, size_t place)
{
    const struct run *run = runs[place];
    if (model_first_of(model, run->lane, run->tenant) == RUNS)
        model->turns[run->lane][model->turn_count[run->lane]++] = run->tenant;
    model->waiting[model->count++] = place;
}

static void model_remove(struct model *model, size_t place)
{
    const struct run *run = runs[place];
    for (size_t i = 0; i < model->count; i++) {
        if (model->waiting[i] == place)
            drop(model->waiting, sizeof place, i, &model->count);
    }
    if (model_first_of(model, run->lane, run->tenant) == RUNS)
        model_leave_turns(model, run->lane, run->tenant);
    if (model->turn_count[run->lane] == 0)
        model->passed[run->lane] = 0;
}

static enum lane model_lane(const struct model *model)
{
    enum lane best = LANES;
    for (int lane = LANES - 1; lane >= 0; lane--) { /* of equals the lowest */
        bool due = model->turn_count[lane] > 0 && model->passed[lane] >= QUEUE_PASSES;
        if (due && (best == LANES || model->passed[lane] > model->passed[best]))
            best = (enum lane)lane;
    }
    for (enum lane lane = 0; lane < LANES && best == LANES; lane++) {
        if (model->turn_count[lane] > 0)
            best = lane;
    }
    return best;
}

/* Who gets the next slot; RUNS: nobody. */
static size_t model_take(struct model *model)
{
    enum lane lane = model_lane(model);
    if (lane == LANES)
        return RUNS;
    uint64_t tenant = model->turns[lane][0];
    size_t place = model->waiting[model_first_of(model, lane, tenant)];
    model_remove(model, place);
    if (model_first_of(model, lane, tenant) < RUNS) {
        model_leave_turns(model, lane, tenant);
        model->turns[lane][model->turn_count[lane]++] = tenant;
    }
    for (enum lane other = 0; other < LANES; other++)
        model->passed[other] =
            other == lane || model->turn_count[other] == 0 ? 0 : model->passed[other] + 1;
    return place;
}

static void check_places(const struct model *model)
{
    struct model ahead = *model;
    size_t before[LANES] = {0};
    for (size_t position = 1; ahead.count > 0; position++) {
        const struct run *run = runs[model_take(&ahead)];
        struct queue_place place = queue_place(&queue, run);
        assert_int_equal(place.position, position);
        assert_memory_equal(place.before, before, sizeof before);
        before[run->lane]++;
    }
}

static uint32_t seed = 1;

static uint32_t roll(uint32_t below)
{
    seed = seed * 1664525U + 1013904223U;
    return (seed >> 8) % below;
}

static void come(struct model *model)
{
    size_t place = roll(RUNS);
    struct run *run = runs[place];
    if (run->in_queue)
        return;
    run->lane = (enum lane)roll(LANES);
    run->tenant = roll(5);
    queue_add(&queue, run);
    model_add(model, place);
}

static void it_is_as_the_model_says_whatever_comes_and_goes(void **state)
{
    (void)state;
    struct model model = {0};
    for (int turn = 0; turn < 20000; turn++) {
        bool fills = turn / 100 % 2 == 0;
        for (uint32_t i = roll(fills ? 4 : 2); i > 0; i--)
            come(&model);
        struct run *run = runs[roll(RUNS)];
        if (roll(4) == 0 && run->in_queue) {
            queue_remove(&queue, run);
            model_remove(&model, place_of(run) - 1);
        }
        if (turn % 16 == 0)
            check_places(&model);
        struct run *first = queue_first(&queue);
        size_t expected = model_take(&model);
        assert_ptr_equal(first, expected < RUNS ? runs[expected] : NULL);
        if (first)
            queue_take(&queue, first);
        assert_int_equal(queue.len, model.count);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(slots_are_given_in_turn),
        TEST(a_tenant_leaves_a_quarter_to_others),
        TEST(lanes_have_names),
        TEST(it_is_as_the_model_says_whatever_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
