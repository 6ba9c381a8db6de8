/* SPDX-License-Identifier: MIT */
/* seccomp_rules.h — between the policy's text and its program (private).
 *
 *     seccomp_rules_parse    text → rules     seccomp_parse.c, words in seccomp_names.c
 *     seccomp_rules_generate rules → program  seccomp_codegen.c
 *
 * An action is the value that the filter returns for it (SECCOMP_RET_…).
 */
#ifndef RUNNEL_SANDBOX_SECCOMP_RULES_H
#define RUNNEL_SANDBOX_SECCOMP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sandbox/seccomp_policy.h"

enum {
    SECCOMP_CALL_LIMIT = 1024, /* call numbers end below */
    SECCOMP_RULE_LIMIT = 512,  /* lines of a policy */
    SECCOMP_CALL_RULES = 16,   /* lines about one call */
    SECCOMP_RULE_TESTS = 4,
    SECCOMP_VALUE_LIMIT = 4096, /* of a policy */
};

struct seccomp_range {
    uint64_t first;
    uint64_t last;
};

struct seccomp_test {
    unsigned argument;
    bool whole;   /* all 64 bits, else the low 32; never with a range of more than one value */
    bool negated; /* holds when no value matches */
    uint64_t mask;
    const struct seccomp_range *values; /* the rules' */
    size_t value_count;
};

struct seccomp_rule {
    unsigned line;
    uint32_t action;
    bool has_otherwise;
    uint32_t otherwise; /* when a test does not hold; without it, the next rule decides */
    size_t test_count;  /* 0: holds always */
    struct seccomp_test tests[SECCOMP_RULE_TESTS];
};

/* The rules about one call, in order; `settled` once one of them always decides. */
struct seccomp_call {
    uint16_t rules[SECCOMP_CALL_RULES];
    uint8_t rule_count; /* 0: the default action */
    bool settled;
};

struct seccomp_rules {
    uint32_t default_action;
    struct seccomp_rule *rules; /* owned */
    size_t rule_count;
    struct seccomp_range *values; /* owned */
    size_t value_count;
    struct seccomp_call calls[SECCOMP_CALL_LIMIT];
};

struct seccomp_rules *seccomp_rules_parse(const char *name, struct slice policy,
                                          enum seccomp_refusal refusal, struct err *err);
void seccomp_rules_free(struct seccomp_rules *rules);

/* The same rules give the same program, to the byte. */
int seccomp_rules_generate(const struct seccomp_rules *rules, struct seccomp_program *ret_program,
                           struct err *err);

/* Words of the policies; false when unknown. */
bool seccomp_constant(struct slice name, uint64_t *ret_value);
bool seccomp_errno(struct slice name, uint32_t *ret_errno);
int seccomp_call_number_of(struct slice name); /* -1 when unknown */

#endif
