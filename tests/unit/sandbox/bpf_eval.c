/* SPDX-License-Identifier: MIT */
#include "bpf_eval.h"

#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
    uint32_t word = 0;
    if (offset % 4 != 0 || offset > sizeof *data - sizeof word)
        abort();
    memcpy(&word, (const char *)data + offset, sizeof word);
    return word;
}

uint32_t bpf_eval(const struct seccomp_program *program, const struct seccomp_data *data)
{
    uint32_t accumulator = 0;
    if (program->count == 0 || program->count > BPF_MAXINSNS)
        abort();
    for (size_t at = 0; at < program->count; at++) {
        const struct sock_filter *instruction = &program->instructions[at];
        uint32_t k = instruction->k;
        bool holds = false;
        switch (instruction->code) {
        case BPF_RET | BPF_K:
            return k;
        case BPF_LD | BPF_W | BPF_ABS:
            accumulator = load(data, k);
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            accumulator &= k;
            continue;
        case BPF_JMP | BPF_JA:
            at += k;
            continue;
        case BPF_JMP | BPF_JEQ | BPF_K:
            holds = accumulator == k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            holds = accumulator > k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            holds = accumulator >= k;
            break;
        default:
            abort();
        }
        at += holds ? instruction->jt : instruction->jf;
    }
    abort(); /* ran off the end */
}

uint32_t bpf_eval_call(const struct seccomp_program *program, int number, const uint64_t args[6])
{
    struct seccomp_data data = {.nr = number, .arch = AUDIT_ARCH_X86_64};
    memcpy(data.args, args, sizeof data.args);
    return bpf_eval(program, &data);
}

const char *bpf_action_name(uint32_t action)
{
    const char *name = NULL;
    if (action == SECCOMP_RET_ALLOW)
        return "allow";
    if (action == SECCOMP_RET_KILL_PROCESS)
        return "kill";
    if (action == SECCOMP_RET_LOG)
        return "log";
    if ((action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
        name = strerrorname_np((int)(action & SECCOMP_RET_DATA));
    return name ? name : "?";
}
