/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "sandbox/seccomp_policy.h"

/* The text between "t.policy:" and the end of the error. */
static const struct {
    const char *policy;
    const char *error;
} wrong[] = {
    {"", "0: no default"},
    {"allow read\n", "1: no default"},
    {"default\n", "1: expected allow, refuse, errno or kill, found ''"},
    {"default maybe\n", "1: expected allow, refuse, errno or kill, found 'maybe'"},
    {"default kill kill\n", "1: expected the end, found 'kill'"},
    {"default kill\n# twice\ndefault allow\n", "3: a second default"},
    {"default errno EWHAT\n", "1: unknown errno 'EWHAT'"},
    {"default errno\n", "1: unknown errno ''"},
    {"default errno 1\n", "1: unknown errno '1'"},
    {"default kill\nallow\n", "2: no call is named"},
    {"default kill\nallow if arg0 == 1\n", "2: no call is named"},
    {"default kill\n\n\nallow read opne\n", "4: unknown call 'opne'"},
    {"default kill\nallow reads\n", "2: unknown call 'reads'"},
    {"default kill\nallow rea\n", "2: unknown call 'rea'"},
    {"default kill\nallow read write read\n", "2: 'read' is named twice"},
    {"default kill\nallow read\nkill read\n", "3: 'read' is settled in line 2 already"},
    {"default kill\nallow read if arg0 == 1 else kill\nkill read\n",
     "3: 'read' is settled in line 2 already"},
    {"default kill\nallow read if arg0 == 1\nallow write\n",
     "2: 'read' has no last word: add else, or a line without if"},
    {"default kill\nallow read if\n", "2: expected arg0 to arg5, found ''"},
    {"default kill\nallow read if arg6 == 1\n", "2: expected arg0 to arg5, found 'arg6'"},
    {"default kill\nallow read if arg == 1\n", "2: expected arg0 to arg5, found 'arg'"},
    {"default kill\nallow read if arg0:32 == 1\n", "2: expected arg0 to arg5, found 'arg0:32'"},
    {"default kill\nallow read if arg0: == 1\n", "2: expected arg0 to arg5, found 'arg0:'"},
    {"default kill\nallow read if arg0 = 1\n", "2: expected ==, !=, in or not in, found '='"},
    {"default kill\nallow read if arg0 > 1\n", "2: expected ==, !=, in or not in, found '>'"},
    {"default kill\nallow read if arg0 not 1\n", "2: 'not' is followed by 'in'"},
    {"default kill\nallow read if arg0 ==\n", "2: a value is missing"},
    {"default kill\nallow read if arg0 in and arg1 == 1\n", "2: a value is missing"},
    {"default kill\nallow read if arg0 == AF_WHAT\n", "2: unknown value 'AF_WHAT'"},
    {"default kill\nallow read if arg0 == AF_UNIX|\n", "2: a value is missing"},
    {"default kill\nallow read if arg0 == |AF_UNIX\n", "2: unknown value ''"},
    {"default kill\nallow read if arg0 == -1\n", "2: unknown value '-1'"},
    {"default kill\nallow read if arg0 == 0x\n", "2: unknown value '0x'"},
    {"default kill\nallow read if arg0 == 12a\n", "2: unknown value '12a'"},
    {"default kill\nallow read if arg0 == 0x11112222333344445\n",
     "2: unknown value '0x11112222333344445'"},
    {"default kill\nallow read if arg0 == 18446744073709551616\n",
     "2: unknown value '18446744073709551616'"},
    {"default kill\nallow read if arg0 == 0x100000000\n",
     "2: '0x100000000' is wider than 32 bits: write arg0:64"},
    {"default kill\nallow read if arg3 & 0x100000000 == 0\n",
     "2: '0x100000000' is wider than 32 bits: write arg3:64"},
    {"default kill\nallow read if arg0 & == 0\n", "2: unknown value '=='"},
    {"default kill\nallow read if arg0 & 0xf == 0x10\n", "2: '0x10' can never be left by the mask"},
    {"default kill\nallow read if arg0 in 5..4\n", "2: '5..4' holds nothing"},
    {"default kill\nallow read if arg0 in 5..\n", "2: a value is missing"},
    {"default kill\nallow read if arg0:64 in 5..6\n", "2: no ranges with :64"},
    {"default kill\nallow read if arg0 == 1 2\n", "2: expected and, else or the end, found '2'"},
    {"default kill\nallow read if arg0 == 1 or arg1 == 2\n",
     "2: expected and, else or the end, found 'or'"},
    {"default kill\nallow read if arg0 == 1 else\n",
     "2: expected allow, refuse, errno or kill, found ''"},
    {"default kill\nallow read if arg0 == 1 else kill write\n",
     "2: expected and, else or the end, found 'write'"},
    {"default kill\nallow read if arg0 == 1 and arg1 == 1 and arg2 == 1 and arg3 == 1 and arg4 == "
     "1\n",
     "2: more than 4 tests in one rule"},
};

static void a_wrong_policy_is_refused_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct seccomp_program program = {0};
        struct err err = {0};
        int rc = seccomp_compile("t.policy", slice_of(wrong[i].policy), SECCOMP_REFUSE_ENOSYS,
                                 &program, &err);
        char expected[300];
        assert_true(snprintf(expected, sizeof expected, "t.policy:%s", wrong[i].error) > 0);
        assert_string_equal(err.text, expected);
        assert_int_equal(rc, -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_null(program.instructions);
    }
}

static void too_many_lines_are_refused(void **state)
{
    (void)state;
    char policy[16384] = "default kill\n";
    size_t len = strlen(policy);
    for (int i = 0; i < 17; i++)
        len += (size_t)snprintf(policy + len, sizeof policy - len, "allow read if arg0 == %d\n", i);
    struct seccomp_program program = {0};
    struct err err = {0};
    assert_int_equal(-1, seccomp_compile("t.policy", (struct slice){policy, len},
                                         SECCOMP_REFUSE_ENOSYS, &program, &err));
    assert_string_equal(err.text, "t.policy:18: more than 16 lines about 'read'");
}

static void too_many_values_are_refused(void **state)
{
    (void)state;
    static char policy[32768] = "default kill\nallow read if arg0 in";
    size_t len = strlen(policy);
    for (int i = 0; i < 4097; i++)
        len += (size_t)snprintf(policy + len, sizeof policy - len, " %d", i);
    struct seccomp_program program = {0};
    struct err err = {0};
    assert_int_equal(-1, seccomp_compile("t.policy", (struct slice){policy, len},
                                         SECCOMP_REFUSE_ENOSYS, &program, &err));
    assert_string_equal(err.text, "t.policy:2: more than 4096 values");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char policy[] = "default kill\0allow read\n";
    struct seccomp_program program = {0};
    struct err err = {0};
    assert_int_equal(-1, seccomp_compile("t.policy", (struct slice){policy, sizeof policy - 1},
                                         SECCOMP_REFUSE_ENOSYS, &program, &err));
    assert_string_equal(err.text, "t.policy:0: a NUL byte");
}

static void form_does_not_matter(void **state)
{
    (void)state;
    static const char *const same[] = {
        "default kill\nallow read\nallow write if arg0 == 1 else errno EPERM\n",
        "allow write if arg0 == 1 else errno EPERM # y\r\n\n  # n\nallow\tread\ndefault kill",
        "default kill\nallow write if arg0 in 1\nerrno EPERM write\nallow read #",
        "default kill\nerrno EPERM write if arg0 != 0x1\n allow   write read",
    };
    struct seccomp_program first = {0};
    assert_int_equal(
        0, seccomp_compile("t.policy", slice_of(same[0]), SECCOMP_REFUSE_ENOSYS, &first, NULL));
    for (size_t i = 1; i < ARRAY_LEN(same); i++) {
        struct seccomp_program program = {0};
        struct err err = {0};
        assert_int_equal(0, seccomp_compile("t.policy", slice_of(same[i]), SECCOMP_REFUSE_ENOSYS,
                                            &program, &err));
        assert_int_equal(program.count, first.count);
        seccomp_program_fini(&program);
    }
    seccomp_program_fini(&first);
}

static void calls_have_names_and_numbers(void **state)
{
    (void)state;
    assert_int_equal(seccomp_call_number("read"), 0);
    assert_int_equal(seccomp_call_number("write"), 1);
    assert_int_equal(seccomp_call_number("mseal"), 462);
    assert_int_equal(seccomp_call_number("rea"), -1);
    assert_int_equal(seccomp_call_number("readx"), -1);
    assert_int_equal(seccomp_call_number(""), -1);
    assert_string_equal(seccomp_call_name(435), "clone3");
    assert_string_equal(seccomp_call_name(452), "fchmodat2");
    assert_null(seccomp_call_name(-1));
    assert_null(seccomp_call_name(400));
    for (int number = 0; number < 1024; number++) {
        if (seccomp_call_name(number))
            assert_int_equal(seccomp_call_number(seccomp_call_name(number)), number);
    }
}

static void builtin_policies_are_found_by_name(void **state)
{
    (void)state;
    assert_non_null(seccomp_builtin_policy("box"));
    assert_non_null(seccomp_builtin_policy("front"));
    assert_null(seccomp_builtin_policy("bo"));
    assert_null(seccomp_builtin_policy("box.policy"));
    assert_null(seccomp_builtin_policy(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_policy_is_refused_with_its_line),
        cmocka_unit_test(too_many_lines_are_refused),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(form_does_not_matter),
        cmocka_unit_test(calls_have_names_and_numbers),
        cmocka_unit_test(builtin_policies_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
