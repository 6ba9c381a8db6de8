/* SPDX-License-Identifier: MIT */
/* jobs_note.h — what a job was asked to be, kept with its run (run_spec.note) so that
 * whoever has the run can tell it, on this machine or another: lines, all but the first of
 * them JSON as it is told.
 *
 *     job1 CREATED_MS
 *     "workspace"
 *     "workspace_id":…,"language":…,"source_code":…[,"entry_point":…],"timeout":…
 *     "priority":…[,"dependencies":…]
 *     ["analysis":…]
 */
#ifndef RUNNEL_DIALECT_JOBS_NOTE_H
#define RUNNEL_DIALECT_JOBS_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct jobs_analysis;
struct jobs_request;

/* The longest source, each of its units escaped, and the rest. */
#define JOBS_NOTE_MAX (1024 * KIB)

struct jobs_note {
    uint64_t created_ms;
    struct slice workspace_id; /* a JSON value */
    struct slice asked;        /* members of an object: what the known service tells first */
    struct slice more;         /* members, of ours */
    struct slice analysis;     /* a member; empty when there is none */
};

/* analysis: NULL when there is none. */
void jobs_note_write(struct buf *note, const struct jobs_request *request, uint64_t created_ms,
                     const struct jobs_analysis *analysis);
/* False when it is another dialect's. Borrows. */
bool jobs_note_read(struct slice text, struct jobs_note *ret_note);

#endif
