/* SPDX-License-Identifier: MIT */
/* jobs_record.h — what is told of a job.
 *
 *     {"job_id","workspace_id","language","source_code"[,"entry_point"],"timeout","status",
 *      "created_at","updated_at"[,"result"],"state"[,"position","estimated_wait_ms"],
 *      "priority"[,"dependencies"][,"analysis"]}
 */
#ifndef RUNNEL_DIALECT_JOBS_RECORD_H
#define RUNNEL_DIALECT_JOBS_RECORD_H

#include <stdbool.h>

#include "engine/engine.h"

struct http_request;
struct jobs;
struct jobs_note;
struct json;

/* Clients poll, and leave their WebSocket when they read of the end; so the status turns
 * a moment after every WebSocket that follows the job has got its last line. One that takes nothing
 * is waited for so long. */
enum { JOBS_SLOW_MS = 5000 };
enum { JOBS_KEPT_MS = 300000 }; /* after its end, as the known service keeps it */

/* Is it a job, and may the caller know of it? run may be NULL. */
bool jobs_may_see(const struct http_request *request, const struct run *run,
                  struct jobs_note *ret_note);

/* The job as an object, which is its place in the array or the whole text; without memory to
 * read the job, the text has failed. False: it has ended too long ago to be told, and nothing is
 * written. */
bool jobs_record_write(struct json *json, struct jobs *jobs, struct run *run,
                       const struct jobs_note *note);

/* "completed", "failed" or "cancelled" */
const char *jobs_status_of(enum verdict verdict);

#endif
