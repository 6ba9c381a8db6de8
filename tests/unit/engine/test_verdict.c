/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <signal.h>
#include <string.h>

#include "base/util.h"
#include "engine/verdict.h"

static const struct verdict_words words = {
    .limits.value =
        {
            [LIMIT_WALL] = 10000,
            [LIMIT_IDLE] = 30000,
            [LIMIT_QUEUE] = 60000,
            [LIMIT_CPU_TIME] = 1500,
            [LIMIT_MEMORY] = 256 * MIB,
            [LIMIT_OUTPUT] = MIB,
            [LIMIT_PROCESSES] = 64,
        },
};

/* One row per verdict, with the least facts that give it. */
static const struct {
    enum verdict verdict;
    struct verdict_facts facts;
    int exit_status; /* of `runnel run` */
    const char *reason;
} rows[] = {
    {VERDICT_INTERNAL_ERROR, {.we_failed = true}, 126, "the run could not be carried out"},
    {VERDICT_CANCELLED, {.cancelled = true}, 130, "it was stopped"},
    {VERDICT_QUEUE_TIMEOUT, {.queue_deadline_passed = true}, 124, "no slot was free within 1 min"},
    {VERDICT_TIMEOUT, {.wall_limit_passed = true}, 124, "the program ran longer than 10 s"},
    {VERDICT_IDLE_TIMEOUT, {.idle_limit_passed = true}, 124, "no output and no input for 30 s"},
    {VERDICT_CPU_LIMIT,
     {.cpu_limit_passed = true},
     124,
     "the program used more than 1500 ms of cpu time"},
    {VERDICT_MEMORY_LIMIT,
     {.oom_killed = true},
     125,
     "the program needed more memory than 256 MiB"},
    {VERDICT_OUTPUT_LIMIT,
     {.output_cap_passed = true},
     125,
     "the program wrote more than 1 MiB to one stream"},
    {VERDICT_COMPILE_FAILED,
     {.in_compile_stage = true, .exit_code = 2},
     2,
     "the compiler exited with status 2"},
    {VERDICT_KILLED_BY_SIGNAL,
     {.signal = SIGSEGV},
     128 + SIGSEGV,
     "the program was ended by signal 11 (SIGSEGV)"},
    {VERDICT_FAILED, {.exit_code = 3}, 3, "the program exited with status 3"},
    {VERDICT_SUCCEEDED, {0}, 0, "the program exited with status 0"},
};

static void each_fact_has_its_verdict_exit_status_and_reason(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(rows), VERDICT_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char reason[256];
        const struct verdict_facts *facts = &rows[i].facts;
        assert_int_equal(rows[i].verdict, i);
        assert_int_equal(verdict_decide(facts), rows[i].verdict);
        assert_int_equal(verdict_exit_status(rows[i].verdict, facts->exit_code, facts->signal),
                         rows[i].exit_status);
        verdict_reason(facts, &words, reason, sizeof reason);
        assert_string_equal(reason, rows[i].reason);
        assert_non_null(verdict_name(rows[i].verdict));
    }
}

static void merge(struct verdict_facts *into, const struct verdict_facts *from)
{
    into->we_failed |= from->we_failed;
    into->cancelled |= from->cancelled;
    into->queue_deadline_passed |= from->queue_deadline_passed;
    into->wall_limit_passed |= from->wall_limit_passed;
    into->idle_limit_passed |= from->idle_limit_passed;
    into->cpu_limit_passed |= from->cpu_limit_passed;
    into->oom_killed |= from->oom_killed;
    into->output_cap_passed |= from->output_cap_passed;
    into->in_compile_stage |= from->in_compile_stage;
    into->signal = into->signal ? into->signal : from->signal;
    into->exit_code = into->exit_code ? into->exit_code : from->exit_code;
}

static void of_any_two_facts_the_earlier_row_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t j = i + 1; j < ARRAY_LEN(rows); j++) {
            struct verdict_facts both = rows[i].facts;
            merge(&both, &rows[j].facts);
            assert_int_equal(verdict_decide(&both), rows[i].verdict);
        }
    }
}

static void with_all_facts_it_is_our_failure(void **state)
{
    (void)state;
    struct verdict_facts all = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        merge(&all, &rows[i].facts);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(verdict_decide(&all), VERDICT_INTERNAL_ERROR);
}

/* Threats row 34: 137 is not an OOM, 124 not a timeout. */
static void no_exit_status_is_taken_for_a_limit(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++) {
        struct verdict_facts facts = {.exit_code = code};
        enum verdict verdict = code ? VERDICT_FAILED : VERDICT_SUCCEEDED;
        assert_int_equal(verdict_decide(&facts), verdict);
        assert_int_equal(verdict_exit_status(verdict, code, 0), code);
    }
    for (int signal = 1; signal < 65; signal++) {
        struct verdict_facts facts = {.signal = signal};
        assert_int_equal(verdict_decide(&facts), VERDICT_KILLED_BY_SIGNAL);
        assert_int_equal(verdict_exit_status(VERDICT_KILLED_BY_SIGNAL, 0, signal), 128 + signal);
    }
}

static void a_compiler_killed_by_a_signal_has_failed(void **state)
{
    (void)state;
    struct verdict_facts facts = {.in_compile_stage = true, .signal = SIGABRT};
    char reason[256];
    assert_int_equal(verdict_decide(&facts), VERDICT_COMPILE_FAILED);
    verdict_reason(&facts, &words, reason, sizeof reason);
    assert_string_equal(reason, "the compiler was ended by signal 6 (SIGABRT)");
}

static void a_failure_names_the_limits_it_met(void **state)
{
    (void)state;
    struct verdict_words with_hits = words;
    struct verdict_facts facts = {.exit_code = 1};
    char reason[256];
    with_hits.hits.processes = 3;
    verdict_reason(&facts, &with_hits, reason, sizeof reason);
    assert_string_equal(reason,
                        "the program exited with status 1; it met the limit of processes (64)");
    facts.exit_code = 0;
    verdict_reason(&facts, &with_hits, reason, sizeof reason);
    assert_string_equal(reason, "the program exited with status 0");
}

static void the_reason_of_a_cancel_is_who_did_it(void **state)
{
    (void)state;
    struct verdict_words with_why = words;
    struct verdict_facts facts = {.cancelled = true};
    char reason[16];
    with_why.why = "the client stopped it";
    verdict_reason(&facts, &with_why, reason, sizeof reason);
    assert_string_equal(reason, "the client stop"); /* cut to what there is room for */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fact_has_its_verdict_exit_status_and_reason),
        cmocka_unit_test(of_any_two_facts_the_earlier_row_decides),
        cmocka_unit_test(with_all_facts_it_is_our_failure),
        cmocka_unit_test(no_exit_status_is_taken_for_a_limit),
        cmocka_unit_test(a_compiler_killed_by_a_signal_has_failed),
        cmocka_unit_test(a_failure_names_the_limits_it_met),
        cmocka_unit_test(the_reason_of_a_cancel_is_who_did_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
