/* SPDX-License-Identifier: MIT */
#include "sandbox/seccomp_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/embedded.h"
#include "sandbox/seccomp_rules.h"

extern const struct embedded_file seccomp_policies[]; /* written by tools/embed.py */

int seccomp_compile(const char *name, struct slice policy, enum seccomp_refusal refusal,
                    struct seccomp_program *ret_program, struct err *err)
{
    struct seccomp_rules *rules = seccomp_rules_parse(name, policy, refusal, err);
    if (!rules)
        return -1;
    int rc = seccomp_rules_generate(rules, ret_program, err);
    seccomp_rules_free(rules);
    if (rc < 0)
        return err_wrap(err, "%s", name);
    return 0;
}

void seccomp_program_fini(struct seccomp_program *program)
{
    cleanup_free(&program->instructions);
    *program = (struct seccomp_program){0};
}

const char *seccomp_builtin_policy(const char *name)
{
    size_t len = strlen(name);
    for (const struct embedded_file *file = seccomp_policies; file->name; file++) {
        if (strncmp(file->name, name, len) == 0 && strcmp(file->name + len, ".policy") == 0)
            return file->text;
    }
    return NULL;
}
