/* SPDX-License-Identifier: MIT */
/* outputs.h — what a program left in outputs/, put into a folder of the caller's.
 *
 * The names below that folder are the program's choice. So each step of a path is
 * taken by itself and through no link, and a file is made anew where one of its name
 * is: what lies there was perhaps put there by the run before.
 */
#ifndef RUNNEL_CLI_OUTPUTS_H
#define RUNNEL_CLI_OUTPUTS_H

#include "engine/engine.h"

struct json;
struct outputs;

extern const char *const outputs_folders[]; /* of a run that has them: run_spec.folders */
extern const char outputs_artifacts[];      /* run_spec.artifacts */

/* The folder is made where it is not there, its parent is not. The caller frees it, behind the
 * engine that has it for a recorder. NULL: it cannot be written to, ERR_CONFLICT. */
struct outputs *outputs_new(const char *folder, struct err *err);
void outputs_free(struct outputs *outputs);

/* recorder.ended, with the outputs as its context. */
void outputs_keep(void *context, struct run *run, const struct run_result *result,
                  struct run_artifact *artifacts, size_t artifact_count);

/* Of the run that has ended: "artifacts", and "artifacts_refused" and "artifacts_unlisted" in
 * the words of /v1/runs, into an open object. */
void outputs_write(const struct outputs *outputs, struct json *json);
/* What was not kept, a line each, on stderr. */
void outputs_tell_refused(const struct outputs *outputs);
/* -1: there was something that we could not write, ERR_STORAGE_FULL. That the run's own limits
 * left some out is no error. */
int outputs_check(const struct outputs *outputs, struct err *err);

#endif
