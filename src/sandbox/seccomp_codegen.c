/* SPDX-License-Identifier: MIT */
/* seccomp_codegen.c — rules become a BPF program.
 *
 * Theory of operation. BPF only jumps forward, so the program is written from
 * its end to its beginning: whatever a jump may lead to stands already, and its
 * distance is known. A "spot" is the index of an instruction counted from the
 * end. All of it is then turned round once.
 *
 *     architecture? ─ foreign: kill
 *     number ≥ x32? ─ foreign: kill
 *     tree: number ≥ m? ─┬─ tree … ─ number = n? ─┬─ leaf   a leaf is what to do with
 *                        └─ tree …                └─ leaf   the calls of one range
 *
 * Each call's rules are first made into a leaf by themselves: a little program
 * that ends in returns and jumps nowhere else. Two calls are alike exactly when
 * their leaves are the same bytes; neighbours that are alike form one range,
 * and a leaf stands in the program once for all ranges that reach it. A call
 * alone among others that are alike costs one comparison instead of two: it is
 * an exception within their group. Each instruction costs 0.4 µs to load.
 */
#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sandbox/seccomp_rules.h"

/* One row an architecture; its policies must name calls that it has. */
#if defined(__x86_64__) && defined(__LP64__)
static const struct {
    uint32_t audit;
    uint32_t foreign_from; /* call numbers from here on belong to another ABI; 0: none do */
} arch = {AUDIT_ARCH_X86_64, 0x40000000 /* x32 */};
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "emit_load knows where the low half is");
#define HAS_ARCH 1
#else
#define HAS_ARCH 0
#endif

#if HAS_ARCH

/* Instructions, last one first. */
struct code {
    struct sock_filter at[BPF_MAXINSNS];
    size_t count;
    bool full;
};

struct leaf {
    struct sock_filter *at; /* owned, last one first */
    size_t count;
    size_t spot; /* where it stands in the program, */
    bool placed; /* once it does */
};

struct range {
    uint32_t first;
    struct leaf *leaf;
};

/* ranges[first], [first + 2], … of one leaf, and between them single calls of other leaves */
struct group {
    size_t first;
    size_t exceptions;
};

struct generator {
    struct code program;
    struct code scratch; /* of the leaf being made */
    struct leaf leaves[SECCOMP_CALL_LIMIT];
    size_t leaf_count;
    struct range ranges[SECCOMP_CALL_LIMIT];
    size_t range_count;
    struct group groups[SECCOMP_CALL_LIMIT];
    size_t group_count;
};

/* A conditional jump reaches 255 instructions; some slack for the instruction
 * that its other arm may need first. */
enum { REACH = 250 };

enum { GROUP_EXCEPTIONS = 3 }; /* they are compared one by one */

static size_t emit(struct code *code, uint16_t op, uint32_t k)
{
    if (code->count == BPF_MAXINSNS) {
        code->full = true;
        return code->count - 1;
    }
    code->at[code->count] = (struct sock_filter)BPF_STMT(op, k);
    return code->count++;
}

static bool is_return(const struct sock_filter *instruction, uint32_t action)
{
    return instruction->code == (BPF_RET | BPF_K) && instruction->k == action;
}

/* The spot of a `return action` that a jump from here reaches. */
static size_t emit_return(struct code *code, uint32_t action)
{
    for (size_t back = 1; back <= MIN(code->count, (size_t)REACH); back++) {
        if (is_return(&code->at[code->count - back], action))
            return code->count - back;
    }
    return emit(code, BPF_RET | BPF_K, action);
}

/* A spot within reach that does what `spot` does: itself, a copy of the return
 * that it is, or a long jump to it. */
static size_t bring_near(struct code *code, size_t spot)
{
    if (code->count - spot <= REACH)
        return spot;
    if (code->at[spot].code == (BPF_RET | BPF_K))
        return emit_return(code, code->at[spot].k);
    return emit(code, BPF_JMP | BPF_JA, (uint32_t)(code->count - spot - 1));
}

static size_t emit_branch(struct code *code, uint16_t op, uint32_t k, size_t yes, size_t no)
{
    yes = bring_near(code, yes);
    no = bring_near(code, no);
    size_t spot = emit(code, BPF_JMP | BPF_K | op, k);
    code->at[spot].jt = (uint8_t)(spot - yes - 1);
    code->at[spot].jf = (uint8_t)(spot - no - 1);
    return spot;
}

/* Applies to what was emitted last; the mask of nothing is nothing. */
static size_t emit_mask(struct code *code, uint32_t mask, size_t spot)
{
    return mask == UINT32_MAX ? spot : emit(code, BPF_ALU | BPF_AND | BPF_K, mask);
}

/* Loads half of an argument for what was emitted last. */
static size_t emit_load(struct code *code, unsigned argument, bool high)
{
    size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);
    return emit(code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset + (high ? 4 : 0));
}

/* Of 32 bits; the argument is loaded already or not. Leaves it loaded, masked. */
static size_t emit_test_low(struct code *code, const struct seccomp_test *test, bool loaded,
                            size_t yes, size_t no)
{
    size_t next = no;
    for (size_t i = test->value_count; i-- > 0;) {
        uint32_t first = (uint32_t)test->values[i].first;
        uint32_t last = (uint32_t)test->values[i].last;
        if (first == last) {
            next = emit_branch(code, BPF_JEQ, first, yes, next);
        } else {
            size_t from_first = emit_branch(code, BPF_JGT, last, next, yes);
            next = emit_branch(code, BPF_JGE, first, from_first, next);
        }
    }
    size_t spot = emit_mask(code, (uint32_t)test->mask, next);
    return loaded ? spot : emit_load(code, test->argument, false);
}

static size_t emit_test_whole(struct code *code, const struct seccomp_test *test, size_t yes,
                              size_t no)
{
    size_t next = no;
    for (size_t i = test->value_count; i-- > 0;) {
        uint64_t value = test->values[i].first;
        emit_mask(code, (uint32_t)test->mask,
                  emit_branch(code, BPF_JEQ, (uint32_t)value, yes, next));
        size_t low = emit_load(code, test->argument, false);
        emit_mask(code, (uint32_t)(test->mask >> 32),
                  emit_branch(code, BPF_JEQ, (uint32_t)(value >> 32), low, next));
        next = emit_load(code, test->argument, true);
    }
    return next;
}

static size_t emit_test(struct code *code, const struct seccomp_test *test, bool loaded, size_t yes,
                        size_t no)
{
    if (test->negated) {
        size_t swapped = yes;
        yes = no;
        no = swapped;
    }
    return test->whole ? emit_test_whole(code, test, yes, no)
                       : emit_test_low(code, test, loaded, yes, no);
}

/* Whether a rule that did not hold has loaded what the next one asks for first. */
static bool leaves_loaded(const struct seccomp_rule *rule, const struct seccomp_rule *next)
{
    const struct seccomp_test *test = &rule->tests[0];
    return rule->test_count == 1 && !test->whole && test->mask == UINT32_MAX &&
           next->test_count > 0 && next->tests[0].argument == test->argument;
}

static size_t emit_rule(struct code *code, const struct seccomp_rule *rule, bool loaded,
                        size_t next)
{
    size_t no = rule->has_otherwise ? emit_return(code, rule->otherwise) : next;
    size_t spot = emit_return(code, rule->action);
    for (size_t i = rule->test_count; i-- > 0;)
        spot = emit_test(code, &rule->tests[i], loaded && i == 0, spot, no);
    return spot;
}

/* A leaf begins with its last emitted instruction. */
static void emit_call(struct code *code, const struct seccomp_rules *rules,
                      const struct seccomp_call *call)
{
    code->count = 0;
    if (call->rule_count == 0)
        emit_return(code, rules->default_action);
    size_t next = 0;
    for (size_t i = call->rule_count; i-- > 0;) {
        const struct seccomp_rule *rule = &rules->rules[call->rules[i]];
        bool loaded = i > 0 && leaves_loaded(&rules->rules[call->rules[i - 1]], rule);
        next = emit_rule(code, rule, loaded, next);
    }
}

/* The leaf that is the scratch, an old one or a new one; NULL: no memory. */
static struct leaf *keep_leaf(struct generator *to)
{
    const struct code *made = &to->scratch;
    size_t size = made->count * sizeof made->at[0];
    for (size_t i = 0; i < to->leaf_count; i++) {
        if (to->leaves[i].count == made->count && memcmp(to->leaves[i].at, made->at, size) == 0)
            return &to->leaves[i];
    }
    struct leaf *leaf = &to->leaves[to->leaf_count];
    leaf->at = malloc(size);
    if (!leaf->at)
        return NULL;
    memcpy(leaf->at, made->at, size);
    leaf->count = made->count;
    to->leaf_count++;
    return leaf;
}

static int find_ranges(struct generator *to, const struct seccomp_rules *rules)
{
    for (uint32_t number = 0; number < SECCOMP_CALL_LIMIT; number++) {
        emit_call(&to->scratch, rules, &rules->calls[number]);
        struct leaf *leaf = keep_leaf(to);
        if (!leaf)
            return -ENOMEM;
        if (to->range_count == 0 || to->ranges[to->range_count - 1].leaf != leaf)
            to->ranges[to->range_count++] = (struct range){number, leaf};
    }
    return 0;
}

static bool is_exception(const struct generator *to, size_t range)
{
    const struct range *at = &to->ranges[range];
    return range + 1 < to->range_count && at[1].first == at->first + 1 && at[1].leaf == at[-1].leaf;
}

static void find_groups(struct generator *to)
{
    for (size_t i = 0; i < to->range_count; i++) {
        struct group *group = &to->groups[to->group_count++];
        *group = (struct group){.first = i};
        for (; group->exceptions < GROUP_EXCEPTIONS && is_exception(to, i + 1); i += 2)
            group->exceptions++;
    }
}

static size_t emit_leaf(struct code *code, struct leaf *leaf)
{
    if (leaf->count == 1)
        return emit_return(code, leaf->at[0].k);
    if (!leaf->placed) {
        for (size_t i = 0; i < leaf->count; i++) {
            leaf->spot = emit(code, leaf->at[i].code, leaf->at[i].k);
            code->at[leaf->spot] = leaf->at[i];
        }
        leaf->placed = true;
    }
    return leaf->spot;
}

static size_t emit_group(struct generator *to, const struct group *group)
{
    const struct range *ranges = &to->ranges[group->first];
    size_t spot = emit_leaf(&to->program, ranges[0].leaf);
    for (size_t i = 0; i < group->exceptions; i++) {
        const struct range *exception = &ranges[2 * i + 1];
        size_t leaf = emit_leaf(&to->program, exception->leaf);
        spot = emit_branch(&to->program, BPF_JEQ, exception->first, leaf, spot);
    }
    return spot;
}

/* groups[low, high) with the number loaded; the depth is the logarithm of their count. */
static size_t emit_tree(struct generator *to, size_t low, size_t high)
{
    if (high - low == 1)
        return emit_group(to, &to->groups[low]);
    size_t middle = low + (high - low) / 2;
    size_t above = emit_tree(to, middle, high);
    size_t below = emit_tree(to, low, middle);
    uint32_t first = to->ranges[to->groups[middle].first].first;
    return emit_branch(&to->program, BPF_JGE, first, above, below);
}

static void emit_program(struct generator *to)
{
    struct code *code = &to->program;
    find_groups(to);
    size_t tree = emit_tree(to, 0, to->group_count);
    size_t killed = emit_return(code, SECCOMP_RET_KILL_PROCESS);
    if (arch.foreign_from != 0)
        emit_branch(code, BPF_JGE, arch.foreign_from, killed, tree);
    else
        emit(code, BPF_JMP | BPF_JA, (uint32_t)(code->count - tree - 1));
    size_t number =
        emit(code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, nr));
    emit_branch(code, BPF_JEQ, arch.audit, number, killed);
    emit(code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, arch));
}

static int turn_round(const struct code *code, struct seccomp_program *ret_program)
{
    struct sock_filter *instructions = calloc(code->count, sizeof *instructions);
    if (!instructions)
        return -ENOMEM;
    for (size_t i = 0; i < code->count; i++)
        instructions[i] = code->at[code->count - 1 - i];
    *ret_program = (struct seccomp_program){instructions, code->count};
    return 0;
}

static void generator_free(struct generator *generator)
{
    for (size_t i = 0; i < generator->leaf_count; i++)
        cleanup_free(&generator->leaves[i].at);
    cleanup_free(&generator);
}

int seccomp_rules_generate(const struct seccomp_rules *rules, struct seccomp_program *ret_program,
                           struct err *err)
{
    struct generator *generator = calloc(1, sizeof *generator);
    if (!generator)
        return err_sys(err, ENOMEM, "compile the filter");
    int rc = find_ranges(generator, rules);
    if (rc == 0) {
        emit_program(generator);
        rc = generator->program.full || generator->scratch.full
                 ? -E2BIG
                 : turn_round(&generator->program, ret_program);
    }
    generator_free(generator);
    if (rc == -E2BIG)
        return err_set(err, ERR_CONFIG, "the filter is longer than %d instructions", BPF_MAXINSNS);
    if (rc < 0)
        return err_sys(err, -rc, "compile the filter");
    return 0;
}

#else

int seccomp_rules_generate(const struct seccomp_rules *rules, struct seccomp_program *ret_program,
                           struct err *err)
{
    (void)rules;
    (void)ret_program;
    return err_set(err, ERR_UNAVAILABLE, "no system call filter for this processor");
}

#endif
