/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "bpf_eval.h"
#include "sandbox/seccomp_rules.h"

#define HIGH (1ULL << 32)

static struct seccomp_program compile(const char *policy)
{
    struct seccomp_program program = {0};
    struct err err = {0};
    if (seccomp_compile("t.policy", slice_of(policy), SECCOMP_REFUSE_ENOSYS, &program, &err) < 0)
        fail_msg("%s", err.text);
    return program;
}

/* What the policy's one line about `read` answers to these arguments. */
static const struct {
    const char *line;
    uint64_t args[3];
    const char *answer;
} rows[] = {
    {"allow read", {0}, "allow"},
    {"errno EPERM read", {7, 7, 7}, "EPERM"},
    {"allow read if arg0 == 40 else errno EPERM", {40}, "allow"},
    {"allow read if arg0 == 40 else errno EPERM", {HIGH | 40}, "allow"},
    {"allow read if arg0 == 40 else errno EPERM", {~0ULL << 32 | 40}, "allow"},
    {"allow read if arg0 == 40 else errno EPERM", {41}, "EPERM"},
    {"errno EPERM read if arg0 == 40 else allow", {HIGH | 40}, "EPERM"},
    {"allow read if arg0 != 40 else errno EPERM", {HIGH | 40}, "EPERM"},
    {"allow read if arg0 != 40 else errno EPERM", {0}, "allow"},
    {"allow read if arg1 in 1 3 5 else errno EPERM", {0, 5}, "allow"},
    {"allow read if arg1 in 1 3 5 else errno EPERM", {5, 4}, "EPERM"},
    {"allow read if arg1 not in 1 3 5 else errno EPERM", {0, 3}, "EPERM"},
    {"allow read if arg1 not in 1 3 5 else errno EPERM", {0, 2}, "allow"},
    {"allow read if arg1 in 2..4 9 else errno EPERM", {0, 1}, "EPERM"},
    {"allow read if arg1 in 2..4 9 else errno EPERM", {0, 2}, "allow"},
    {"allow read if arg1 in 2..4 9 else errno EPERM", {0, HIGH | 3}, "allow"},
    {"allow read if arg1 in 2..4 9 else errno EPERM", {0, 4}, "allow"},
    {"allow read if arg1 in 2..4 9 else errno EPERM", {0, 5}, "EPERM"},
    {"allow read if arg1 in 2..4 9 else errno EPERM", {0, 9}, "allow"},
    {"allow read if arg1 in 2..4 9 else errno EPERM", {0, 0xffffffff}, "EPERM"},
    {"allow read if arg1 in 0..0xffffffff else errno EPERM", {0, ~0ULL}, "allow"},
    {"allow read if arg1 not in 2..4 9 else errno EPERM", {0, 4}, "EPERM"},
    {"allow read if arg1 not in 2..4 9 else errno EPERM", {0, 5}, "allow"},
    {"allow read if arg0 & 0xf == 3 else errno EPERM", {0x803}, "allow"},
    {"allow read if arg0 & 0xf == 3 else errno EPERM", {0x80c}, "EPERM"},
    {"allow read if arg0 & 0xf != 3 else errno EPERM", {0x803}, "EPERM"},
    {"allow read if arg0 & 0xf0 in 0x10 0x30..0x5f else errno EPERM", {0x4f}, "allow"},
    {"allow read if arg0 & 0xf0 in 0x10 0x30..0x5f else errno EPERM", {0x2f}, "EPERM"},
    {"allow read if arg2:64 == 0 else errno EPERM", {0, 0, 0}, "allow"},
    {"allow read if arg2:64 == 0 else errno EPERM", {0, 0, HIGH}, "EPERM"},
    {"allow read if arg2:64 == 0 else errno EPERM", {0, 0, 1}, "EPERM"},
    {"errno EPERM read if arg2:64 != 0 else allow", {0, 0, HIGH}, "EPERM"},
    {"allow read if arg2:64 in 0x100000002 7 else errno EPERM", {0, 0, HIGH | 2}, "allow"},
    {"allow read if arg2:64 in 0x100000002 7 else errno EPERM", {0, 0, 7}, "allow"},
    {"allow read if arg2:64 in 0x100000002 7 else errno EPERM", {0, 0, HIGH | 7}, "EPERM"},
    {"allow read if arg2:64 in 0x100000002 7 else errno EPERM", {0, 0, 2}, "EPERM"},
    {"allow read if arg2:64 not in 0x100000002 7 else errno EPERM", {0, 0, 7}, "EPERM"},
    {"allow read if arg2:64 & 0xff00000000 == 0 else errno EPERM", {0, 0, HIGH}, "EPERM"},
    {"allow read if arg2:64 & 0xff00000000 == 0 else errno EPERM", {0, 0, 5}, "allow"},
    {"allow read if arg0 == 1 and arg1 == 2 and arg2 == 3 else errno EPERM", {1, 2, 3}, "allow"},
    {"allow read if arg0 == 1 and arg1 == 2 and arg2 == 3 else errno EPERM", {1, 2, 4}, "EPERM"},
    {"allow read if arg0 == 1 and arg1 == 2 and arg2 == 3 else errno EPERM", {1, 0, 3}, "EPERM"},
    {"allow read if arg0 == 1 and arg1 == 2 and arg2 == 3 else errno EPERM", {0, 2, 3}, "EPERM"},
    {"allow read if arg0 == 1\nerrno EPERM read if arg1 == 2\nkill read", {1, 2}, "allow"},
    {"allow read if arg0 == 1\nerrno EPERM read if arg1 == 2\nkill read", {0, 2}, "EPERM"},
    {"allow read if arg0 == 1\nerrno EPERM read if arg1 == 2\nkill read", {0, 0}, "kill"},
    {"allow read if arg0 == 1\nkill read if arg0 & 0xf0 == 0x10 else errno EPERM", {0x11}, "kill"},
    {"allow read if arg0 & 1 == 1\nkill read if arg0 == 2 else errno EPERM", {2}, "kill"},
    {"allow read if arg0:64 == 1\nkill read if arg0 == 1 else errno EPERM", {HIGH | 1}, "kill"},
    {"allow read if arg0 == 1\nkill read if arg0:64 == 2 else errno EPERM", {HIGH | 2}, "EPERM"},
    {"allow read if arg0 == 1 and arg1 == 1\nkill read if arg0 == 1 else allow", {1, 0}, "kill"},
    {"errno 0 read if arg0 == 1\nallow read", {1}, "0"},
    {"errno 0 read if arg0 == 1\nallow read", {2}, "allow"},
};

static void tests_of_arguments_mean_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char policy[256];
        assert_true(snprintf(policy, sizeof policy, "default refuse\n%s\n", rows[i].line) > 0);
        struct seccomp_program program = compile(policy);
        uint64_t args[6] = {rows[i].args[0], rows[i].args[1], rows[i].args[2], ~0ULL, ~0ULL, ~0ULL};
        const char *answer = bpf_action_name(bpf_eval_call(&program, SYS_read, args));
        if (strcmp(answer, rows[i].answer) != 0)
            fail_msg("row %zu: %s: %s instead of %s", i, rows[i].line, answer, rows[i].answer);
        assert_string_equal(bpf_action_name(bpf_eval_call(&program, SYS_write, args)), "ENOSYS");
        seccomp_program_fini(&program);
    }
}

static void foreign_abis_are_killed(void **state)
{
    (void)state;
    static const struct {
        uint32_t arch;
        int number;
        const char *answer;
    } calls[] = {
        {AUDIT_ARCH_X86_64, SYS_read, "allow"},
        {AUDIT_ARCH_X86_64, 0x3fffffff, "allow"},
        {AUDIT_ARCH_X86_64, 0x40000000, "kill"},
        {AUDIT_ARCH_X86_64, 0x40000000 | SYS_read, "kill"},
        {AUDIT_ARCH_X86_64, 0x7fffffff, "kill"},
        {AUDIT_ARCH_X86_64, -1, "kill"},
        {AUDIT_ARCH_I386, SYS_read, "kill"},
        {AUDIT_ARCH_AARCH64, SYS_read, "kill"},
        {0, SYS_read, "kill"},
    };
    struct seccomp_program program = compile("default allow\n");
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct seccomp_data data = {.nr = calls[i].number, .arch = calls[i].arch};
        assert_string_equal(bpf_action_name(bpf_eval(&program, &data)), calls[i].answer);
    }
    seccomp_program_fini(&program);
}

static void refusals_differ_by_build_and_errnos_do_not(void **state)
{
    (void)state;
    static const struct {
        enum seccomp_refusal refusal;
        const char *refused;
    } builds[] = {
        {SECCOMP_REFUSE_ENOSYS, "ENOSYS"},
        {SECCOMP_REFUSE_KILL, "kill"},
        {SECCOMP_REFUSE_LOG, "log"},
    };
    static const uint64_t none[6];
    for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
        struct seccomp_program program = {0};
        const char *policy = "default refuse\nrefuse mount\nerrno ENOSYS clone3\nallow read\n";
        assert_int_equal(
            0, seccomp_compile("t.policy", slice_of(policy), builds[i].refusal, &program, NULL));
        const char *answers[] = {
            bpf_action_name(bpf_eval_call(&program, SYS_write, none)),
            bpf_action_name(bpf_eval_call(&program, SYS_mount, none)),
            bpf_action_name(bpf_eval_call(&program, SYS_clone3, none)),
            bpf_action_name(bpf_eval_call(&program, SYS_read, none)),
        };
        assert_string_equal(answers[0], builds[i].refused);
        assert_string_equal(answers[1], builds[i].refused);
        assert_string_equal(answers[2], "ENOSYS");
        assert_string_equal(answers[3], "allow");
        seccomp_program_fini(&program);
    }
}

static bool test_holds(const struct seccomp_test *test, const uint64_t args[6])
{
    uint64_t value = args[test->argument] & test->mask; /* a mask of 32 bits cuts to them */
    bool found = false;
    for (size_t i = 0; i < test->value_count; i++)
        found = found || (value >= test->values[i].first && value <= test->values[i].last);
    return found != test->negated;
}

/* What the rules say, read one by one: what the program must do. */
static uint32_t expected_action(const struct seccomp_rules *rules, int number,
                                const uint64_t args[6])
{
    const struct seccomp_call *call = &rules->calls[number];
    for (size_t i = 0; i < call->rule_count; i++) {
        const struct seccomp_rule *rule = &rules->rules[call->rules[i]];
        bool holds = true;
        for (size_t j = 0; j < rule->test_count; j++)
            holds = holds && test_holds(&rule->tests[j], args);
        if (holds)
            return rule->action;
        if (rule->has_otherwise)
            return rule->otherwise;
    }
    return rules->default_action;
}

static uint64_t random_argument(void)
{
    uint64_t value = (uint64_t)(rand() % 24);
    return rand() % 3 == 0 ? value | (uint64_t)rand() << 32 : value;
}

/* A random line about `name` that may or may not settle it. */
static size_t random_line(char *to, size_t size, const char *name, bool last)
{
    static const char *const actions[] = {"allow", "errno EPERM", "errno EACCES", "kill", "refuse"};
    static const char *const operators[] = {"==", "!=", "in", "not in"};
    size_t len = (size_t)snprintf(to, size, "%s %s", actions[rand() % 5], name);
    int tests = last && rand() % 2 ? 0 : 1 + rand() % 3;
    for (int i = 0; i < tests; i++) {
        int operation = rand() % 4;
        int values = operation < 2 ? 1 : 1 + rand() % 30;
        bool whole = rand() % 4 == 0;
        len +=
            (size_t)snprintf(to + len, size - len, " %s arg%d%s%s %s", i ? "and" : "if", rand() % 6,
                             whole ? ":64" : "", rand() % 3 ? "" : " & 0x1f", operators[operation]);
        for (int j = 0; j < values; j++) {
            int first = rand() % 20;
            const char *form = whole || rand() % 3 ? " %d" : " %d..%d";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            len += (size_t)snprintf(to + len, size - len, form, first, first + rand() % 8);
#pragma GCC diagnostic pop
        }
    }
    if (last && tests > 0)
        len += (size_t)snprintf(to + len, size - len, " else %s", actions[rand() % 5]);
    return len + (size_t)snprintf(to + len, size - len, "\n");
}

/* Returns the length of the program. */
static size_t check_against_rules(const char *policy)
{
    struct err err = {0};
    struct seccomp_rules *rules =
        seccomp_rules_parse("t.policy", slice_of(policy), SECCOMP_REFUSE_ENOSYS, &err);
    if (!rules)
        fail_msg("%s", err.text);
    struct seccomp_program program = {0};
    struct seccomp_program again = {0};
    assert_int_equal(0, seccomp_rules_generate(rules, &program, &err));
    assert_int_equal(0, seccomp_rules_generate(rules, &again, &err));
    assert_int_equal(program.count, again.count);
    assert_memory_equal(program.instructions, again.instructions,
                        program.count * sizeof program.instructions[0]);
    for (int number = 0; number < 480; number++) {
        for (int i = 0; i < 40; i++) {
            uint64_t args[6];
            for (size_t j = 0; j < ARRAY_LEN(args); j++)
                args[j] = random_argument();
            assert_int_equal(bpf_eval_call(&program, number, args),
                             expected_action(rules, number, args));
        }
    }
    size_t count = program.count;
    seccomp_program_fini(&program);
    seccomp_program_fini(&again);
    seccomp_rules_free(rules);
    return count;
}

static void random_policies_become_programs_that_do_the_same(void **state)
{
    (void)state;
    enum { SIZE = 256 * 1024, POLICIES = 60 };
    char *policy = malloc(SIZE);
    assert_non_null(policy);
    srand(20240229);
    size_t longest = 0;
    for (int i = 0; i < POLICIES; i++) {
        int every = 1 + i % 12; /* from a program that is too long for short jumps to a tiny one */
        size_t len = (size_t)snprintf(policy, SIZE, "default refuse\n");
        int lines = 0;
        for (int number = 0; number < 480; number++) {
            const char *name = seccomp_call_name(number);
            if (!name || rand() % every != 0)
                continue;
            for (int more = rand() % 8 == 0 ? rand() % 3 : 0; more > 0; more--, lines++)
                len += random_line(policy + len, SIZE - len, name, false);
            if (rand() % 10 == 0) {
                len += random_line(policy + len, SIZE - len, name, true);
                lines++;
            } else {
                len += (size_t)snprintf(policy + len, SIZE - len, "%s %s\n",
                                        rand() % 4 ? "allow" : "errno EPERM", name);
                lines++;
            }
            if (lines > SECCOMP_RULE_LIMIT - 4)
                break;
        }
        size_t count = check_against_rules(policy);
        longest = MAX(longest, count);
    }
    assert_true(longest > 1000); /* far more than a conditional jump reaches */
    free(policy);
}

static void a_program_too_long_for_the_kernel_is_refused(void **state)
{
    (void)state;
    enum { SIZE = 256 * 1024 };
    char *policy = malloc(SIZE);
    assert_non_null(policy);
    size_t len = (size_t)snprintf(policy, SIZE, "default refuse\n");
    for (int number = 0; number < 60; number++) {
        len += (size_t)snprintf(policy + len, SIZE - len, "allow %s if arg0:64 in",
                                seccomp_call_name(number));
        for (int i = 0; i < 30; i++)
            len += (size_t)snprintf(policy + len, SIZE - len, " %d", number + 1000 * i);
        len += (size_t)snprintf(policy + len, SIZE - len, " else kill\n");
    }
    struct seccomp_program program = {0};
    struct err err = {0};
    assert_int_equal(
        -1, seccomp_compile("t.policy", slice_of(policy), SECCOMP_REFUSE_ENOSYS, &program, &err));
    assert_string_equal(err.text, "t.policy: the filter is longer than 4096 instructions");
    assert_null(program.instructions);
    free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_of_arguments_mean_what_they_say),
        cmocka_unit_test(foreign_abis_are_killed),
        cmocka_unit_test(refusals_differ_by_build_and_errnos_do_not),
        cmocka_unit_test(random_policies_become_programs_that_do_the_same),
        cmocka_unit_test(a_program_too_long_for_the_kernel_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
