/* SPDX-License-Identifier: MIT */
/* What the finished programs do with what they are not told: every path through them is walked
 * with arguments, and call numbers, that may be anything. So this holds for all values there are,
 * where the golden tables show some. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sandbox/seccomp_rules.h"

enum { ANSWERS_MAX = 8, LAST_NUMBER = 0x3fffffff };

/* What a walk begins with, and what it comes upon. */
struct walk {
    const struct seccomp_program *program;
    uint32_t arch;
    bool any_number;
    uint32_t number;
    uint32_t answers[ANSWERS_MAX]; /* each once */
    size_t answer_count;
    bool reads_upper_half; /* of an argument */
};

static void add_answer(struct walk *walk, uint32_t answer)
{
    for (size_t i = 0; i < walk->answer_count; i++) {
        if (walk->answers[i] == answer)
            return;
    }
    assert_true(walk->answer_count < ANSWERS_MAX);
    walk->answers[walk->answer_count++] = answer;
}

/* What the accumulator holds; false: it may be anything. */
static bool load(struct walk *walk, uint32_t offset, uint32_t *ret_word)
{
    const uint32_t args = offsetof(struct seccomp_data, args);
    if (offset >= args)
        walk->reads_upper_half |= (offset - args) % sizeof(uint64_t) != 0;
    *ret_word = offset == offsetof(struct seccomp_data, arch) ? walk->arch : walk->number;
    return offset == offsetof(struct seccomp_data, arch) ||
           (offset == offsetof(struct seccomp_data, nr) && !walk->any_number);
}

static bool holds(const struct sock_filter *instruction, uint32_t word)
{
    switch (BPF_OP(instruction->code)) {
    case BPF_JEQ:
        return word == instruction->k;
    case BPF_JGT:
        return word > instruction->k;
    case BPF_JGE:
        return word >= instruction->k;
    default:
        fail_msg("an instruction that policies do not become: %#x", instruction->code);
        return false;
    }
}

/* From `at` on. Jumps go forward only, so it ends. */
static void follow(struct walk *walk, size_t at, bool is_known, uint32_t word)
{
    for (;; at++) {
        assert_true(at < walk->program->count);
        const struct sock_filter *instruction = &walk->program->instructions[at];
        switch (BPF_CLASS(instruction->code)) {
        case BPF_RET:
            add_answer(walk, instruction->k);
            return;
        case BPF_LD:
            is_known = load(walk, instruction->k, &word);
            break;
        case BPF_ALU:
            word &= instruction->k;
            break;
        default:
            if (BPF_OP(instruction->code) == BPF_JA) {
                at += instruction->k;
            } else if (is_known) {
                at += holds(instruction, word) ? instruction->jt : instruction->jf;
            } else {
                follow(walk, at + 1 + instruction->jt, false, word);
                at += instruction->jf;
            }
        }
    }
}

static struct walk walk_all(const struct seccomp_program *program, uint32_t arch, bool any_number,
                            uint32_t number)
{
    struct walk walk = {
        .program = program, .arch = arch, .any_number = any_number, .number = number};
    follow(&walk, 0, false, 0);
    return walk;
}

static struct seccomp_rules *parse(const char *name, const char *text)
{
    struct err err = {0};
    struct seccomp_rules *rules =
        seccomp_rules_parse(name, slice_of(text), SECCOMP_REFUSE_ENOSYS, &err);
    if (!rules)
        fail_msg("%s", err.text);
    return rules;
}

static const char *const policies[] = {"box", "front"};

static void for_each_policy(void (*check)(const struct seccomp_rules *rules,
                                          const struct seccomp_program *program))
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct seccomp_rules *rules = parse(policies[i], seccomp_builtin_policy(policies[i]));
        struct seccomp_program program;
        assert_int_equal(seccomp_rules_generate(rules, &program, NULL), 0);
        check(rules, &program);
        seccomp_program_fini(&program);
        seccomp_rules_free(rules);
    }
}

static void assert_dies(const struct walk *walk)
{
    assert_int_equal(walk->answer_count, 1);
    assert_int_equal(walk->answers[0], SECCOMP_RET_KILL_PROCESS);
}

static void check_foreign(const struct seccomp_rules *rules, const struct seccomp_program *program)
{
    (void)rules;
    static const uint32_t others[] = {AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0,
                                      UINT32_MAX};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct walk walk = walk_all(program, others[i], true, 0);
        assert_dies(&walk);
    }
    for (uint32_t number = LAST_NUMBER + 1; number != 0; number += 0x100000) {
        for (uint32_t low = 0; low < SECCOMP_CALL_LIMIT; low += low < 600 ? 1 : 100) {
            struct walk walk = walk_all(program, AUDIT_ARCH_X86_64, false, number + low);
            assert_dies(&walk);
        }
    }
}

static void no_call_of_a_foreign_abi_lives_whatever_its_arguments(void **state)
{
    (void)state;
    for_each_policy(check_foreign);
}

static void check_beyond(const struct seccomp_rules *rules, const struct seccomp_program *program)
{
    for (uint32_t number = SECCOMP_CALL_LIMIT; number <= LAST_NUMBER; number += number / 64 + 1) {
        struct walk walk = walk_all(program, AUDIT_ARCH_X86_64, false, number);
        assert_int_equal(walk.answer_count, 1);
        assert_int_equal(walk.answers[0], rules->default_action);
    }
}

static void a_number_that_linux_may_have_one_day_gets_the_default(void **state)
{
    (void)state;
    for_each_policy(check_beyond);
}

/* The answers that the rules of a call can give, and no others; the upper half of an argument is
 * looked at where a rule says ":64", and nowhere else. */
static void check_call(const struct seccomp_rules *rules, const struct seccomp_program *program,
                       uint32_t number)
{
    const struct seccomp_call *call = &rules->calls[number];
    struct walk walk = walk_all(program, AUDIT_ARCH_X86_64, false, number);
    bool has_tests = false;
    bool has_whole = false;
    for (size_t i = 0; i < call->rule_count; i++) {
        const struct seccomp_rule *rule = &rules->rules[call->rules[i]];
        has_tests |= rule->test_count > 0;
        for (size_t at = 0; at < rule->test_count; at++)
            has_whole |= rule->tests[at].whole;
    }
    if (walk.reads_upper_half != has_whole)
        fail_msg("call %u: an upper half is %s", number, has_whole ? "ignored" : "looked at");
    if (!has_tests)
        assert_int_equal(walk.answer_count, 1);
    for (size_t i = 0; i < walk.answer_count; i++) {
        bool is_ruled = call->rule_count == 0 && walk.answers[i] == rules->default_action;
        for (size_t at = 0; at < call->rule_count; at++) {
            const struct seccomp_rule *rule = &rules->rules[call->rules[at]];
            is_ruled |= walk.answers[i] == rule->action ||
                        (rule->has_otherwise && walk.answers[i] == rule->otherwise);
        }
        if (!is_ruled)
            fail_msg("call %u: no rule answers %#x", number, walk.answers[i]);
    }
}

static void check_calls(const struct seccomp_rules *rules, const struct seccomp_program *program)
{
    for (uint32_t number = 0; number < SECCOMP_CALL_LIMIT; number++)
        check_call(rules, program, number);
}

static void every_path_of_a_call_ends_in_an_answer_of_its_rules(void **state)
{
    (void)state;
    for_each_policy(check_calls);
}

/* test_seccomp_policies.c says so of the whole policy; here it is seen that it would notice. */
static void a_call_that_the_policy_forgets_has_no_rule(void **state)
{
    (void)state;
    static const char line[] = "errno ENOSYS mseal";
    char *text = strdup(seccomp_builtin_policy("box"));
    assert_non_null(text);
    char *at = strstr(text, line);
    assert_non_null(at);
    at[0] = '#';
    struct seccomp_rules *rules = parse("box", text);
    for (int number = 0; number < SECCOMP_CALL_LIMIT; number++) {
        const char *name = seccomp_call_name(number);
        bool is_ruled = rules->calls[number].rule_count > 0;
        if (name && is_ruled == (strcmp(name, "mseal") == 0))
            fail_msg("%s is %s", name, is_ruled ? "ruled" : "forgotten");
    }
    seccomp_rules_free(rules);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_of_a_foreign_abi_lives_whatever_its_arguments),
        cmocka_unit_test(a_number_that_linux_may_have_one_day_gets_the_default),
        cmocka_unit_test(every_path_of_a_call_ends_in_an_answer_of_its_rules),
        cmocka_unit_test(a_call_that_the_policy_forgets_has_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
