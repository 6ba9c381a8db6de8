/* SPDX-License-Identifier: MIT */
/* seccomp_parse.c — the text of a policy becomes rules (its form: seccomp_policy.h).
 *
 * What cannot be meant is an error here, not a surprise in a running filter: an
 * unknown word, a value that its mask or width can never match, a line behind
 * the one that already decides, a call without a last word.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "sandbox/seccomp_rules.h"

struct reader {
    const char *name;
    unsigned line;
    struct slice left; /* of the line, without its reason */
    uint32_t refuse;   /* action */
    bool has_default;
    struct seccomp_rules *rules;
    struct err *err;
};

/* "box.policy:12: …"; -1 */
static int fail(const struct reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);
static int fail(const struct reader *reader, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    return err_set(reader->err, ERR_CONFIG, "%s:%u: %s", reader->name, reader->line, text);
}

/* For "%.*s"; long words are cut. */
#define WORD(slice) (int)MIN((slice).len, 40U), (slice).at

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct slice peek_word(struct reader *reader)
{
    struct slice *left = &reader->left;
    while (left->len > 0 && is_blank(*left->at)) {
        left->at++;
        left->len--;
    }
    size_t len = 0;
    while (len < left->len && !is_blank(left->at[len]))
        len++;
    return (struct slice){left->at, len};
}

/* Empty at the end of the line. */
static struct slice next_word(struct reader *reader)
{
    struct slice word = peek_word(reader);
    reader->left.at += word.len;
    reader->left.len -= word.len;
    return word;
}

/* Cuts off what is before the first `separator` (all of it when there is none). */
static struct slice cut(struct slice *text, const char *separator)
{
    size_t len = strlen(separator);
    struct slice head = *text;
    if (text->len == 0) /* at may be NULL then, which memmem() does not take */
        return head;
    const char *found = memmem(text->at, text->len, separator, len);
    if (found) {
        head.len = (size_t)(found - text->at);
        *text = (struct slice){found + len, text->len - head.len - len};
    } else {
        *text = (struct slice){text->at + text->len, 0};
    }
    return head;
}

static bool read_hex(const char *digits, uint64_t *ret_value)
{
    size_t len = strlen(digits);
    if (len < 1 || len > 16 || strspn(digits, "0123456789abcdefABCDEF") != len)
        return false;
    *ret_value = strtoull(digits, NULL, 16);
    return true;
}

/* A number or a constant. */
static bool read_atom(struct slice word, uint64_t *ret_value)
{
    char text[32];
    if (word.len == 0 || word.len >= sizeof text || !isdigit((unsigned char)word.at[0]))
        return seccomp_constant(word, ret_value);
    memcpy(text, word.at, word.len);
    text[word.len] = '\0';
    if (strncmp(text, "0x", 2) == 0)
        return read_hex(text + 2, ret_value);
    return parse_u64(text, ret_value) == 0;
}

/* "CLONE_NEWUSER|CLONE_NEWNET|0x80" */
static int read_value(const struct reader *reader, struct slice word, uint64_t *ret_value)
{
    if (word.len == 0 || word.at[word.len - 1] == '|')
        return fail(reader, "a value is missing");
    uint64_t value = 0;
    struct slice rest = word;
    while (rest.len > 0) {
        uint64_t bits = 0;
        struct slice atom = cut(&rest, "|");
        if (!read_atom(atom, &bits))
            return fail(reader, "unknown value '%.*s'", WORD(atom));
        value |= bits;
    }
    *ret_value = value;
    return 0;
}

/* "value" or "value..value" */
static int read_range(const struct reader *reader, struct slice word, struct seccomp_test *test)
{
    struct seccomp_rules *rules = reader->rules;
    if (rules->value_count == SECCOMP_VALUE_LIMIT)
        return fail(reader, "more than %d values", SECCOMP_VALUE_LIMIT);
    struct seccomp_range *range = &rules->values[rules->value_count++];
    struct slice rest = word;
    struct slice first = cut(&rest, "..");
    bool is_range = first.len < word.len;
    if (read_value(reader, first, &range->first) < 0)
        return -1;
    range->last = range->first;
    if (is_range && read_value(reader, rest, &range->last) < 0)
        return -1;
    if (is_range && test->whole)
        return fail(reader, "no ranges with :64");
    if (range->first > range->last)
        return fail(reader, "'%.*s' holds nothing", WORD(word));
    if (range->last > UINT32_MAX && !test->whole)
        return fail(reader, "'%.*s' is wider than 32 bits: write arg%u:64", WORD(word),
                    test->argument);
    if (!is_range && (range->first & ~test->mask) != 0)
        return fail(reader, "'%.*s' can never be left by the mask", WORD(word));
    if (test->value_count++ == 0)
        test->values = range; /* those of one test are read one after the other */
    return 0;
}

/* "arg2" or "arg2:64", then perhaps "& mask" */
static int read_operand(struct reader *reader, struct seccomp_test *test)
{
    struct slice word = next_word(reader);
    struct slice rest = word;
    struct slice argument = cut(&rest, ":");
    test->whole = slice_is(rest, "64");
    bool known = argument.len == 4 && memcmp(argument.at, "arg", 3) == 0 && argument.at[3] >= '0' &&
                 argument.at[3] <= '5' && (test->whole || argument.len == word.len);
    if (!known)
        return fail(reader, "expected arg0 to arg5, found '%.*s'", WORD(word));
    test->argument = (unsigned)(argument.at[3] - '0');
    test->mask = test->whole ? UINT64_MAX : UINT32_MAX;
    if (!slice_is(peek_word(reader), "&"))
        return 0;
    (void)next_word(reader);
    word = next_word(reader);
    uint64_t mask = 0;
    if (read_value(reader, word, &mask) < 0)
        return -1;
    if ((mask & ~test->mask) != 0)
        return fail(reader, "'%.*s' is wider than 32 bits: write arg%u:64", WORD(word),
                    test->argument);
    test->mask = mask;
    return 0;
}

/* Moves behind the operator; *ret_many: a list of values follows. */
static int read_operator(struct reader *reader, struct seccomp_test *test, bool *ret_many)
{
    struct slice word = next_word(reader);
    test->negated = slice_is(word, "!=") || slice_is(word, "not");
    *ret_many = slice_is(word, "in") || slice_is(word, "not");
    if (slice_is(word, "not") && !slice_is(next_word(reader), "in"))
        return fail(reader, "'not' is followed by 'in'");
    if (!*ret_many && !slice_is(word, "==") && !slice_is(word, "!="))
        return fail(reader, "expected ==, !=, in or not in, found '%.*s'", WORD(word));
    return 0;
}

static bool ends_test(struct slice word)
{
    return word.len == 0 || slice_is(word, "and") || slice_is(word, "else");
}

static int read_test(struct reader *reader, struct seccomp_rule *rule)
{
    if (rule->test_count == SECCOMP_RULE_TESTS)
        return fail(reader, "more than %d tests in one rule", SECCOMP_RULE_TESTS);
    struct seccomp_test *test = &rule->tests[rule->test_count++];
    bool many = false;
    if (read_operand(reader, test) < 0 || read_operator(reader, test, &many) < 0)
        return -1;
    do {
        struct slice word = ends_test(peek_word(reader)) ? (struct slice){0} : next_word(reader);
        if (read_range(reader, word, test) < 0)
            return -1;
    } while (many && !ends_test(peek_word(reader)));
    return 0;
}

static int read_action(struct reader *reader, uint32_t *ret_action)
{
    struct slice word = next_word(reader);
    uint32_t number = 0;
    if (slice_is(word, "allow"))
        *ret_action = SECCOMP_RET_ALLOW;
    else if (slice_is(word, "refuse"))
        *ret_action = reader->refuse;
    else if (slice_is(word, "kill"))
        *ret_action = SECCOMP_RET_KILL_PROCESS;
    else if (!slice_is(word, "errno"))
        return fail(reader, "expected allow, refuse, errno or kill, found '%.*s'", WORD(word));
    else if (word = next_word(reader), seccomp_errno(word, &number))
        *ret_action = SECCOMP_RET_ERRNO | number;
    else
        return fail(reader, "unknown errno '%.*s'", WORD(word));
    return 0;
}

/* Notes for the call named by `word` that the rule being read speaks of it. */
static int add_call(struct reader *reader, struct slice word)
{
    struct seccomp_rules *rules = reader->rules;
    int number = seccomp_call_number_of(word);
    if (number < 0 || number >= SECCOMP_CALL_LIMIT)
        return fail(reader, "unknown call '%.*s'", WORD(word));
    struct seccomp_call *call = &rules->calls[number];
    if (call->settled)
        return fail(reader, "'%.*s' is settled in line %u already", WORD(word),
                    rules->rules[call->rules[call->rule_count - 1]].line);
    if (call->rule_count == SECCOMP_CALL_RULES)
        return fail(reader, "more than %d lines about '%.*s'", SECCOMP_CALL_RULES, WORD(word));
    if (call->rule_count > 0 && call->rules[call->rule_count - 1] == rules->rule_count)
        return fail(reader, "'%.*s' is named twice", WORD(word));
    call->rules[call->rule_count++] = (uint16_t)rules->rule_count;
    return 0;
}

/* After the calls: "if test and test … else action" */
static int read_tests(struct reader *reader, struct seccomp_rule *rule)
{
    struct slice word = next_word(reader);
    if (word.len == 0)
        return 0;
    do {
        if (read_test(reader, rule) < 0)
            return -1;
        word = next_word(reader);
    } while (slice_is(word, "and"));
    if (slice_is(word, "else")) {
        rule->has_otherwise = true;
        if (read_action(reader, &rule->otherwise) < 0)
            return -1;
        word = next_word(reader);
    }
    if (word.len > 0)
        return fail(reader, "expected and, else or the end, found '%.*s'", WORD(word));
    return 0;
}

static void settle_calls(struct seccomp_rules *rules)
{
    for (size_t number = 0; number < SECCOMP_CALL_LIMIT; number++) {
        struct seccomp_call *call = &rules->calls[number];
        if (call->rule_count > 0 && call->rules[call->rule_count - 1] == rules->rule_count)
            call->settled = true;
    }
}

static int read_rule(struct reader *reader)
{
    struct seccomp_rules *rules = reader->rules;
    if (rules->rule_count == SECCOMP_RULE_LIMIT)
        return fail(reader, "more than %d rules", SECCOMP_RULE_LIMIT);
    struct seccomp_rule *rule = &rules->rules[rules->rule_count];
    rule->line = reader->line;
    if (read_action(reader, &rule->action) < 0)
        return -1;
    if (peek_word(reader).len == 0 || slice_is(peek_word(reader), "if"))
        return fail(reader, "no call is named");
    while (peek_word(reader).len > 0 && !slice_is(peek_word(reader), "if")) {
        if (add_call(reader, next_word(reader)) < 0)
            return -1;
    }
    if (read_tests(reader, rule) < 0)
        return -1;
    if (rule->test_count == 0 || rule->has_otherwise)
        settle_calls(rules);
    rules->rule_count++;
    return 0;
}

static int read_default(struct reader *reader)
{
    (void)next_word(reader);
    if (reader->has_default)
        return fail(reader, "a second default");
    reader->has_default = true;
    if (read_action(reader, &reader->rules->default_action) < 0)
        return -1;
    struct slice word = next_word(reader);
    if (word.len > 0)
        return fail(reader, "expected the end, found '%.*s'", WORD(word));
    return 0;
}

static int check_whole(struct reader *reader)
{
    struct seccomp_rules *rules = reader->rules;
    if (!reader->has_default)
        return fail(reader, "no default");
    for (int number = 0; number < SECCOMP_CALL_LIMIT; number++) {
        const struct seccomp_call *call = &rules->calls[number];
        if (call->rule_count == 0 || call->settled)
            continue;
        reader->line = rules->rules[call->rules[call->rule_count - 1]].line;
        return fail(reader, "'%s' has no last word: add else, or a line without if",
                    seccomp_call_name(number));
    }
    return 0;
}

static int read_policy(struct reader *reader, struct slice text)
{
    if (memchr(text.at, '\0', text.len))
        return fail(reader, "a NUL byte");
    while (text.len > 0) {
        struct slice line = cut(&text, "\n");
        reader->line++;
        reader->left = cut(&line, "#");
        struct slice word = peek_word(reader);
        if (word.len == 0)
            continue;
        int rc = slice_is(word, "default") ? read_default(reader) : read_rule(reader);
        if (rc < 0)
            return -1;
    }
    return check_whole(reader);
}

struct seccomp_rules *seccomp_rules_parse(const char *name, struct slice policy,
                                          enum seccomp_refusal refusal, struct err *err)
{
    static const uint32_t refusals[] = {
        [SECCOMP_REFUSE_ENOSYS] = SECCOMP_RET_ERRNO | ENOSYS,
        [SECCOMP_REFUSE_KILL] = SECCOMP_RET_KILL_PROCESS,
        [SECCOMP_REFUSE_LOG] = SECCOMP_RET_LOG,
    };
    struct seccomp_rules *rules = calloc(1, sizeof *rules);
    if (rules) {
        rules->rules = calloc(SECCOMP_RULE_LIMIT, sizeof *rules->rules);
        rules->values = calloc(SECCOMP_VALUE_LIMIT, sizeof *rules->values);
    }
    if (!rules || !rules->rules || !rules->values) {
        seccomp_rules_free(rules);
        err_sys(err, ENOMEM, "%s", name);
        return NULL;
    }
    struct reader reader = {.name = name, .refuse = refusals[refusal], .rules = rules, .err = err};
    if (read_policy(&reader, policy) < 0) {
        seccomp_rules_free(rules);
        return NULL;
    }
    return rules;
}

void seccomp_rules_free(struct seccomp_rules *rules)
{
    if (!rules)
        return;
    cleanup_free(&rules->rules);
    cleanup_free(&rules->values);
    cleanup_free(&rules);
}
