/* SPDX-License-Identifier: MIT */
/* Rows of our own through a real engine, whose boxes are played: what a row expects is
 * false here where a test wants to see that it is told. */
#include <string.h>

#include "fixture.h"
#include "selftest/report.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ROW(name_, ...)                                                     \
    {                                                                       \
        .number = "1", .name = (name_), .language = "python", .source = "", \
        .layers = LIST("rlimits"), __VA_ARGS__                              \
    }

static struct fixture fixture;
static bool stopped;
static unsigned slow_runs; /* that were played */
static unsigned ordinary_runs;
static const char *bash_says;

/* The parts of the loop that the fake one lacks. */
struct loop_signal *loop_signal_new(struct loop *loop, int signal, loop_signal_fn *fn,
                                    void *context)
{
    (void)loop, (void)signal, (void)fn, (void)context;
    return NULL;
}
void loop_signal_free(struct loop_signal *signal)
{
    (void)signal;
}
void loop_stop(struct loop *loop)
{
    (void)loop;
    stopped = true;
}

/* "python main.py say hello": the arguments are the program. */
static void play(struct fake_stage *stage)
{
    const char *program = strstr(stage->command, "main.py ");
    program = program ? program + strlen("main.py ") : "";
    fake_stage_start(stage);
    if (strstr(stage->command, "/bash")) {
        ordinary_runs++;
        fake_stage_print_text(stage, STAGE_STDOUT, bash_says);
    } else if (strncmp(program, "say ", 4) == 0) {
        fake_stage_print_text(stage, STAGE_STDOUT, program + 4);
    } else if (strcmp(program, "slow") == 0 && slow_runs++ == 0) {
        fake_loop_advance(fixture.loop, 11000); /* past its limit, which ends it */
        return;
    } else if (strcmp(program, "fail") == 0) {
        fake_stage_exit(stage, 1);
        return;
    }
    fake_stage_exit(stage, 0);
}

void loop_run(struct loop *loop)
{
    for (stopped = false; !stopped;) {
        fake_loop_settle(loop);
        struct fake_stage *stage = fake_stage_newest(fixture.executor);
        if (stage)
            play(stage);
        else if (!stopped)
            fake_loop_advance(loop, 60);
    }
}

static const struct language bash = {
    .name = "bash",
    .title = "Bash",
    .source = "main.sh",
    .execute = LIST("/usr/bin/bash", "{source}"),
    .installed = true,
};

const struct language *catalogue_find(const struct catalogue *catalogue, struct slice name)
{
    (void)catalogue;
    return slice_is(name, "python") ? &interpreted : slice_is(name, "bash") ? &bash : NULL;
}

static struct layer_report all_hold(void)
{
    struct layer_report report = {.privileged = true};
    for (int i = 0; i < LAYER_COUNT; i++)
        report.layer[i].status = LAYER_HOLDS;
    return report;
}

static const struct limits none = {{0}};

static struct selftest *run_rows(const struct corpus_row *rows, const struct layer_report *layers,
                                 const struct limits *ceiling)
{
    struct err err = {0};
    const struct engine_config config = {.concurrency = 4, .queue_length = 4, .ceiling = *ceiling};
    fixture_init(&fixture, 4, 4);
    fixture_renew(&fixture, &config);
    struct selftest_spec spec = {.rows = rows,
                                 .loop = fixture.loop,
                                 .engine = fixture.engine,
                                 .layers = layers,
                                 .ceiling = config.ceiling,
                                 .at_once = 2};
    slow_runs = 0;
    ordinary_runs = 0;
    bash_says = "hello\n";
    struct selftest *selftest = selftest_new(&spec, &err);
    assert_non_null(selftest);
    return selftest;
}

static void finish(struct selftest *selftest)
{
    selftest_free(selftest);
    fixture_fini(&fixture);
}

static const struct corpus_row good_rows[] = {
    ROW("says", .expect = LIST("succeeded"), .args = LIST("say", "{arg}"), .each = LIST("a", "b"),
        .patterns = (const struct corpus_pattern[]){{CORPUS_OUT, "^[ab]$"}, {0}}),
    ROW("fails", .expect = LIST("failed"), .args = LIST("fail"), .exit_code = "1", .alone = true),
    ROW("pair", .expect = LIST("succeeded"), .pair = CORPUS_TOGETHER, .args = LIST("say")),
    ROW("after", .expect = LIST("succeeded"), .pair = CORPUS_AFTER, .args = LIST("say")),
    ROW("refused", .expect = LIST("refused"), .env = LIST("no name")),
    {0},
};

static void rows_that_hold_are_told_so(void **state)
{
    (void)state;
    const struct layer_report layers = all_hold();
    struct selftest *selftest = run_rows(good_rows, &layers, &none);
    selftest_run(selftest);
    for (size_t i = 0; i < selftest_count(selftest); i++) {
        assert_int_equal(selftest_at(selftest, i)->state, ROW_HELD);
        assert_null(selftest_at(selftest, i)->reason);
    }
    assert_int_equal(ordinary_runs, 5);
    assert_int_equal(selftest_exit_status(selftest), 0);
    finish(selftest);
}

static void a_row_that_does_not_hold_is_told_with_what_was_seen(void **state)
{
    (void)state;
    const struct corpus_row rows[] = {
        ROW("wrong", .expect = LIST("timeout"), .args = LIST("say", "hello")),
        ROW("right", .expect = LIST("succeeded"), .args = LIST("say", "hello")),
        {0},
    };
    const struct layer_report layers = all_hold();
    struct selftest *selftest = run_rows(rows, &layers, &none);
    selftest_run(selftest);
    const struct row_result *wrong = selftest_at(selftest, 0);
    assert_int_equal(wrong->state, ROW_DID_NOT_HOLD);
    assert_non_null(strstr(wrong->reason, "verdict: expected timeout, seen succeeded"));
    assert_int_equal(selftest_at(selftest, 1)->state, ROW_HELD);
    assert_int_equal(selftest_exit_status(selftest), 1);

    auto_buf struct buf text;
    struct config config = {0};
    buf_init(&text, MIB);
    const struct report_host host = {"full", &layers, &config, 0};
    report_text(&text, selftest, &host, REPORT_SHORT);
    assert_non_null(strstr(buf_text(&text), "wrong (python; rlimits)\n      verdict: expected"));
    assert_non_null(strstr(buf_text(&text), "it does not hold: 1 held, 1 did not hold"));
    finish(selftest);
}

static void a_next_run_that_is_not_ordinary_is_told(void **state)
{
    (void)state;
    const struct layer_report layers = all_hold();
    struct selftest *selftest = run_rows(good_rows, &layers, &none);
    bash_says = "hallo\n";
    selftest_run(selftest);
    assert_int_equal(selftest_tally(selftest, NULL, ROW_DID_NOT_HOLD), 5);
    assert_non_null(
        strstr(selftest_at(selftest, 1)->reason, "the next run is not an ordinary one"));
    finish(selftest);
}

static void a_row_that_was_slow_is_tried_again(void **state)
{
    (void)state;
    const struct corpus_row rows[] = {
        ROW("slow", .expect = LIST("succeeded"), .args = LIST("slow")), {0}};
    const struct layer_report layers = all_hold();
    struct selftest *selftest = run_rows(rows, &layers, &none);
    selftest_run(selftest);
    assert_int_equal(selftest_at(selftest, 0)->state, ROW_HELD);
    assert_int_equal(selftest_at(selftest, 0)->tries, 2);
    assert_int_equal(slow_runs, 2);
    finish(selftest);
}

static void a_row_without_its_layer_or_language_is_skipped_with_the_reason(void **state)
{
    (void)state;
    const struct corpus_row rows[] = {
        ROW("needs", .expect = LIST("succeeded"), .needs = LIST("cgroup")),
        ROW("only rlimits", .expect = LIST("succeeded"), .needs = LIST("privilege")),
        {.number = "2", .name = "other", .language = "cobol", .layers = LIST("root")},
        {0},
    };
    struct layer_report layers = all_hold();
    layers.layer[LAYER_CGROUP].status = LAYER_MISSING;
    layers.layer[LAYER_RLIMITS].status = LAYER_UNTRIED;
    struct selftest *selftest = run_rows(rows, &layers, &none);
    selftest_run(selftest);
    assert_string_equal(selftest_at(selftest, 0)->reason, "no cgroup here");
    assert_string_equal(selftest_at(selftest, 1)->reason, "no rlimits here");
    assert_string_equal(selftest_at(selftest, 2)->reason, "cobol is not installed");
    assert_int_equal(selftest_exit_status(selftest), 2); /* nothing was tried */
    finish(selftest);
}

/* Neither held nor broken; but who says that it got out is believed. */
static void an_escape_counts_under_a_low_ceiling_too(void **state)
{
    (void)state;
    const struct corpus_row rows[] = {
        ROW("cut", .expect = LIST("failed"), .args = LIST("say"), .limits = LIST("processes=60")),
        ROW("out", .expect = LIST("failed"), .args = LIST("say", "ESCAPED"),
            .limits = LIST("processes=60")),
        {0},
    };
    const struct layer_report layers = all_hold();
    const struct limits ceiling = {.value = {[LIMIT_PROCESSES] = 20}};
    struct selftest *selftest = run_rows(rows, &layers, &ceiling);
    selftest_run(selftest);
    assert_int_equal(selftest_at(selftest, 0)->state, ROW_UNDECIDED);
    assert_string_equal(selftest_at(selftest, 0)->reason,
                        "a ceiling is lower than what it needs (processes)");
    assert_int_equal(selftest_at(selftest, 1)->state, ROW_DID_NOT_HOLD);
    finish(selftest);
}

static void expect_state(const struct corpus_row *row, const struct limits *ceiling,
                         const char *ordinary_says, enum row_state state)
{
    const struct corpus_row rows[] = {*row, {0}};
    const struct layer_report layers = all_hold();
    struct selftest *selftest = run_rows(rows, &layers, ceiling);
    bash_says = ordinary_says;
    selftest_run(selftest);
    assert_int_equal(selftest_at(selftest, 0)->state, state);
    finish(selftest);
}

static void a_ceiling_excuses_only_what_comes_of_it(void **state)
{
    (void)state;
    const struct corpus_row row =
        ROW("failing", .expect = LIST("failed"), .args = LIST("say", "hello"));
    const struct limits of_others = {.value = {[LIMIT_QUEUE] = 1000,
                                               [LIMIT_ARTIFACT_FILES] = 1,
                                               [LIMIT_ARTIFACT_BYTES] = 1,
                                               [LIMIT_WALL] = 5000,
                                               [LIMIT_IDLE] = 5000,
                                               [LIMIT_CPU_TIME] = 5000,
                                               [LIMIT_OUTPUT] = 1000}};
    const struct limits met = {.value = {[LIMIT_OPEN_FILES] = 16}};
    expect_state(&row, &of_others, "hello\n", ROW_DID_NOT_HOLD);
    expect_state(&row, &met, "hello\n", ROW_UNDECIDED);
    const struct corpus_row slow = ROW("slow", .expect = LIST("succeeded"), .args = LIST("slow"),
                                       .limits = LIST("timeout=20s"));
    const struct limits wall = {.value = {[LIMIT_WALL] = 5000}};
    expect_state(&slow, &wall, "hello\n", ROW_HELD); /* at its second try */
}

static void a_ceiling_excuses_nothing_that_holds_under_any(void **state)
{
    (void)state;
    const struct limits ceiling = {.value = {[LIMIT_PROCESSES] = 20}};
    const struct corpus_row good = ROW("good", .expect = LIST("succeeded"), .args = LIST("say"));
    const struct corpus_row shows =
        ROW("shows", .expect = LIST("failed"), .args = LIST("say", "root:x:0:0"),
            .patterns = (const struct corpus_pattern[]){{CORPUS_NEVER, "^root:"}, {0}});
    const struct corpus_row counts =
        ROW("counts", .expect = LIST("failed"), .args = LIST("say"),
            .checks = (const struct corpus_check[]){{"limits_hit.processes", ">=", 1}, {0}});
    expect_state(&good, &ceiling, "hello\n", ROW_HELD);
    expect_state(&good, &ceiling, "hallo\n", ROW_DID_NOT_HOLD);
    expect_state(&shows, &ceiling, "hello\n", ROW_DID_NOT_HOLD);
    expect_state(&counts, &ceiling, "hello\n", ROW_DID_NOT_HOLD);
}

/* Each of `each` on its own: that one is excused says nothing of the next. */
static void every_run_of_a_row_needs_an_excuse(void **state)
{
    (void)state;
    const struct corpus_row row =
        ROW("each", .expect = LIST("failed"), .args = LIST("say", "{arg}"), .each = LIST("a", "b"),
            .patterns = (const struct corpus_pattern[]){{CORPUS_NEVER, "^b$"}, {0}});
    const struct limits ceiling = {.value = {[LIMIT_PROCESSES] = 20}};
    expect_state(&row, &ceiling, "hello\n", ROW_DID_NOT_HOLD);
}

static void what_is_undecided_is_counted_and_told(void **state)
{
    (void)state;
    const struct corpus_row rows[] = {
        ROW("cut", .expect = LIST("failed"), .args = LIST("say")),
        ROW("good", .expect = LIST("succeeded"), .args = LIST("say")),
        {0},
    };
    const struct layer_report layers = all_hold();
    const struct limits ceiling = {.value = {[LIMIT_PROCESSES] = 20, [LIMIT_STACK] = MIB}};
    struct selftest *selftest = run_rows(rows, &layers, &ceiling);
    selftest_run(selftest);
    assert_int_equal(selftest_exit_status(selftest), 0);
    auto_buf struct buf text;
    struct config config = {0};
    buf_init(&text, MIB);
    const struct report_host host = {"full", &layers, &config, 0};
    report_text(&text, selftest, &host, REPORT_SHORT);
    assert_non_null(strstr(buf_text(&text), "\nundecided:\n  a ceiling is lower than what it needs "
                                            "(processes, stack): cut\n"));
    assert_non_null(strstr(buf_text(&text), "\nnot all decided: 1 held, 0 did not hold, "
                                            "1 undecided, 0 skipped, "));
    buf_clear(&text);
    report_json(&text, selftest, &host);
    assert_non_null(
        strstr(buf_text(&text), "\"undecided\":1,\"skipped\":0,\"not_run\":0,\"left\""));
    assert_non_null(strstr(buf_text(&text), "\"held\":\"undecided\""));
    finish(selftest);
}

/* It may have been the machine. */
static void a_slow_row_under_a_low_ceiling_is_tried_again_first(void **state)
{
    (void)state;
    const struct corpus_row rows[] = {
        ROW("slow", .expect = LIST("succeeded"), .args = LIST("slow"),
            .limits = LIST("processes=100")),
        {0},
    };
    const struct layer_report layers = all_hold();
    const struct limits ceiling = {.value = {[LIMIT_PROCESSES] = 20}};
    struct selftest *selftest = run_rows(rows, &layers, &ceiling);
    selftest_run(selftest);
    assert_int_equal(selftest_at(selftest, 0)->state, ROW_HELD);
    assert_int_equal(selftest_at(selftest, 0)->tries, 2);
    finish(selftest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_hold_are_told_so),
        cmocka_unit_test(a_row_that_does_not_hold_is_told_with_what_was_seen),
        cmocka_unit_test(a_next_run_that_is_not_ordinary_is_told),
        cmocka_unit_test(a_row_that_was_slow_is_tried_again),
        cmocka_unit_test(a_row_without_its_layer_or_language_is_skipped_with_the_reason),
        cmocka_unit_test(an_escape_counts_under_a_low_ceiling_too),
        cmocka_unit_test(a_ceiling_excuses_only_what_comes_of_it),
        cmocka_unit_test(a_ceiling_excuses_nothing_that_holds_under_any),
        cmocka_unit_test(every_run_of_a_row_needs_an_excuse),
        cmocka_unit_test(what_is_undecided_is_counted_and_told),
        cmocka_unit_test(a_slow_row_under_a_low_ceiling_is_tried_again_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
