/* SPDX-License-Identifier: MIT */
/* seccomp_policy.h — a policy file becomes a BPF program.
 *
 * One rule a line, the reason behind '#' (policies/box.policy explains the
 * form). Every call that is not named gets the default action. int arguments
 * are compared in their low 32 bits only, as the kernel uses them. The program
 * checks the architecture first; foreign ABIs (i386, x32) are killed. Its shape
 * is a balanced tree over ranges of call numbers, so loading and running it
 * stay cheap.
 */
#ifndef RUNNEL_SANDBOX_SECCOMP_POLICY_H
#define RUNNEL_SANDBOX_SECCOMP_POLICY_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct seccomp_program {
    struct sock_filter *instructions; /* owned */
    size_t count;
};

/* `name` goes into errors ("box.policy:12: unknown call 'opne'"). */
int seccomp_compile(const char *name, struct slice policy, struct seccomp_program *ret_program,
                    struct err *err);
void seccomp_program_fini(struct seccomp_program *program);

/* Policies built into the binary: "box", "front". NULL when there is none. */
const char *seccomp_builtin_policy(const char *name);

/* Number of a call of this architecture by name, -1 when unknown. */
int seccomp_call_number(const char *name);
const char *seccomp_call_name(int number); /* NULL when unknown */

#endif
