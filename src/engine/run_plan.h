/* SPDX-License-Identifier: MIT */
/* run_plan.h — a submission, checked and copied (private to the engine). */
#ifndef RUNNEL_ENGINE_RUN_PLAN_H
#define RUNNEL_ENGINE_RUN_PLAN_H

#include "engine/engine.h"

/* What a run needs of its submission: copies, in two blocks. */
struct run_plan {
    size_t bytes; /* of both */
    void *block;
    char *contents; /* of the files; freed as soon as the workspace has them */
    const char *entry_file;
    const char *artifacts;        /* the folder whose files are wanted back; NULL: none */
    struct workspace_file *files; /* the entry file first */
    size_t file_count;
    const char **sources; /* the other files of the language; this and the rest NULL-ended */
    const char **args;
    const char **compile_args;
    const char **compile_env;
    const char **env;
};

/* Refuses with the field what may not be; `limits` are those of the run. */
int run_plan_init(struct run_plan *plan, const struct run_spec *spec, const struct limits *limits,
                  struct err *err);
void run_plan_drop_contents(struct run_plan *plan);
void run_plan_fini(struct run_plan *plan);

#endif
