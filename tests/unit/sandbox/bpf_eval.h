/* SPDX-License-Identifier: MIT */
/* bpf_eval.h — runs a filter in user space, as the kernel would. */
#ifndef RUNNEL_TESTS_BPF_EVAL_H
#define RUNNEL_TESTS_BPF_EVAL_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/seccomp_policy.h"

/* What the filter returns. Aborts on an instruction that policies do not become,
 * a jump or load out of bounds, or a program that the kernel would refuse. */
uint32_t bpf_eval(const struct seccomp_program *program, const struct seccomp_data *data);

/* The same for a call of this architecture. */
uint32_t bpf_eval_call(const struct seccomp_program *program, int number, const uint64_t args[6]);

/* "allow", "EPERM", "kill", "log" or "?". */
const char *bpf_action_name(uint32_t action);

#endif
