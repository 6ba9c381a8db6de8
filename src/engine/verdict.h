/* SPDX-License-Identifier: MIT */
/* verdict.h — why a run ended, decided in one place, from kernel facts only.
 *
 * The rows stand in the order in which they are asked: the first fact that
 * holds is the verdict. Words elsewhere (a dialect's status) translate this.
 */
#ifndef RUNNEL_ENGINE_VERDICT_H
#define RUNNEL_ENGINE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "executor/executor.h"

/* clang-format off */
/*    verdict                     name                exit status of `runnel run` (-1: the program's, or 128 + its signal) */
#define VERDICT_TABLE(X) \
    X(VERDICT_INTERNAL_ERROR,     "internal_error",   126) \
    X(VERDICT_CANCELLED,          "cancelled",        130) \
    X(VERDICT_QUEUE_TIMEOUT,      "queue_timeout",    124) \
    X(VERDICT_TIMEOUT,            "timeout",          124) \
    X(VERDICT_IDLE_TIMEOUT,       "idle_timeout",     124) \
    X(VERDICT_CPU_LIMIT,          "cpu_limit",        124) \
    X(VERDICT_MEMORY_LIMIT,       "memory_limit",     125) \
    X(VERDICT_OUTPUT_LIMIT,       "output_limit",     125) \
    X(VERDICT_COMPILE_FAILED,     "compile_failed",   -1) \
    X(VERDICT_KILLED_BY_SIGNAL,   "killed_by_signal", -1) \
    X(VERDICT_FAILED,             "failed",           -1) \
    X(VERDICT_SUCCEEDED,          "succeeded",        0)
/* clang-format on */

enum verdict {
#define X(id, name, exit_status) id,
    VERDICT_TABLE(X)
#undef X
        VERDICT_COUNT
};

/* What is known at the end. Several may hold at once. */
struct verdict_facts {
    bool we_failed;
    bool cancelled;
    bool queue_deadline_passed;
    bool wall_limit_passed;
    bool idle_limit_passed;
    bool cpu_limit_passed;
    bool oom_killed;
    bool output_cap_passed;
    bool in_compile_stage;
    int signal;
    int exit_code;
};

/* What a sentence may quote, all of the stage that ended. */
struct verdict_words {
    const char *why; /* of our failure or the cancel: "the client stopped it" */
    struct limits limits;
    struct limit_hits hits;
};

enum verdict verdict_decide(const struct verdict_facts *facts);
const char *verdict_name(enum verdict verdict);
/* One sentence for people, without a full stop: "the program ran longer than 10 s". */
void verdict_reason(const struct verdict_facts *facts, const struct verdict_words *words,
                    char *text, size_t size);
/* The exit status of `runnel run`; program_exit and signal as in the result. */
int verdict_exit_status(enum verdict verdict, int program_exit, int signal);
/* That of a job: the program's own, or the compiler's; 1 for what anything else ended. */
int verdict_job_status(enum verdict verdict, int program_exit, int signal);

#endif
