/* SPDX-License-Identifier: MIT */
/* seccomp_policy.h — a policy file becomes a BPF program.
 *
 * One rule a line, the reason behind '#':
 *
 *     default refuse
 *     allow read write                                           # what programs live on
 *     allow clone if arg0 & CLONE_NEWUSER == 0 else errno EPERM  # threads, not namespaces
 *     errno EPERM setsockopt if arg1 == SOL_TCP and arg2 in 31 64..127
 *     allow setsockopt                                           # whatever is left
 *
 *     action    = allow | refuse | kill | errno NAME | errno 0
 *     line      = default action
 *               | action call… [ if test { and test } [ else action ] ]
 *     test      = argN[:64] [ & mask ] ( == value | != value | in value… | not in value… )
 *     value     = number | NAME | value|value | value..value; SELF is this process's id
 *
 * Lines about one call are tried from top to bottom; the first that holds
 * decides, and the last must hold always. A call that no line names gets the
 * default. Arguments are compared in their low 32 bits only, as the kernel uses
 * an int: (1 << 32 | AF_VSOCK) is AF_VSOCK. ":64" is for pointers.
 *
 * `refuse` is for what no honest program needs: it answers ENOSYS, unless a
 * build for tests asks for more (enum seccomp_refusal). Where ENOSYS is the
 * answer that a library is known to expect, policies say `errno ENOSYS`.
 *
 * `errno 0` does nothing and answers that it is done: for what honest programs ask for,
 * and end without, though a box can do without it.
 *
 * The program checks the architecture first; foreign ABIs (i386, x32) are
 * killed. Its shape is a balanced tree over ranges of call numbers, so loading
 * and running it stay cheap (docs/adr/0002-own-seccomp-compiler.md).
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

/* What `refuse` does. */
enum seccomp_refusal {
    SECCOMP_REFUSE_ENOSYS, /* production */
    SECCOMP_REFUSE_KILL,   /* strict: SIGSYS is evidence that the filter was what stopped it */
    SECCOMP_REFUSE_LOG,    /* writes a line to the kernel's log and LETS THE CALL THROUGH: for
                              finding what a trusted runtime asks for, never for a real box */
};

/* `name` goes into errors ("box.policy:12: unknown call 'opne'"). ERR_CONFIG
 * when the policy is wrong, ERR_UNAVAILABLE on a processor without a row in
 * seccomp_codegen.c. */
int seccomp_compile(const char *name, struct slice policy, enum seccomp_refusal refusal,
                    struct seccomp_program *ret_program, struct err *err);
void seccomp_program_fini(struct seccomp_program *program);

/* Policies built into the binary: "box", "front". NULL when there is none. */
const char *seccomp_builtin_policy(const char *name);

/* Number of a call of this architecture by name, -1 when unknown. */
int seccomp_call_number(const char *name);
const char *seccomp_call_name(int number); /* NULL when unknown */

#endif
