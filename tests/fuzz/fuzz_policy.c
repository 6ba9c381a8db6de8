/* SPDX-License-Identifier: MIT */
/* A policy of system calls: refused with its line, or a program that the kernel would take,
 * which kills calls of foreign tables whatever else it says. */
#include <assert.h>
#include <linux/audit.h>
#include <stdint.h>
#include <string.h>

#include "bpf_eval.h"
#include "sandbox/seccomp_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { X32 = 0x40000000, CALLS = 480 };

static void check(const struct seccomp_program *program)
{
    static const uint64_t arguments[][6] = {
        {0}, {1, 2, 3, 4, 5, 6}, {UINT64_C(1) << 32, UINT64_MAX, 0x7E020080, 40, 16, 17}};
    struct seccomp_data foreign = {.arch = AUDIT_ARCH_I386};
    struct seccomp_data data = {.arch = AUDIT_ARCH_X86_64, .nr = X32 | 1};
    assert(bpf_eval(program, &foreign) == SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
    assert(bpf_eval(program, &data) == SECCOMP_RET_KILL_PROCESS);
#endif
    (void)data;
    for (int number = 0; number < CALLS; number++) {
        for (size_t i = 0; i < 3; i++) {
            uint32_t action = bpf_eval_call(program, number, arguments[i]);
            assert(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_KILL_PROCESS ||
                   (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct seccomp_program program;
    struct err err = {0};
    struct slice text = {(const char *)bytes, size};
    if (seccomp_compile("fuzzed.policy", text, SECCOMP_REFUSE_ENOSYS, &program, &err) < 0) {
        assert(strstr(err.text, "fuzzed.policy"));
        return 0;
    }
    check(&program);
    seccomp_program_fini(&program);
    return 0;
}
