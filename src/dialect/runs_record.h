/* SPDX-License-Identifier: MIT */
/* runs_record.h — a run's record: what clients see of it.
 *
 *     {"id","status"[,"position","expected_wait_ms"],"verdict","reason","exit_code","signal"[,"stdout","stderr"[,"lost_bytes"],"usage",
 *      "isolation","limits_hit","artifacts_refused","artifacts"],"limits","created_at",
 *      "language","code_sha256","metadata"}
 *
 * It is written in two parts that are kept as text: what was accepted, and what came out.
 */
#ifndef RUNNEL_DIALECT_RUNS_RECORD_H
#define RUNNEL_DIALECT_RUNS_RECORD_H

#include <stdbool.h>

#include "dialect/request_link.h"
#include "dialect/runs_event.h"

struct http_request;
struct result_output;
struct run_artifact;
struct runs;
struct runs_request;
struct stored_run;

/* The members that are known from the start. `code` is the entry file. */
void runs_write_accepted(struct json *json, const struct runs_request *request,
                         const struct limits *limits, const char *language, struct slice code,
                         uint64_t created_ms);
/* Those that are known at the end. */
void runs_write_ended(struct json *json, const struct runs_outcome *outcome,
                      const struct result_output *output, const struct run_artifact *artifacts,
                      size_t artifact_count);

extern const char *const runs_statuses[]; /* every word that status may be */
/* A whole one. */
extern const struct schema runs_record_schema;

/* "succeeded": the word of services of this form for a verdict by name. */
const char *runs_status_of(const char *verdict);

/* The end of a run that nobody could see: verdict, and usage. */
void runs_write_interrupted(struct json *json);

/* Whole records, into `json`. request may be NULL (for links). */
void runs_write_live(struct json *json, const struct runs *runs, struct run *run);
void runs_write_stored(struct json *json, const struct stored_run *run,
                       const struct request_links *links, const struct http_request *request);

/* Answers with the run's record: from the engine as long as it goes on, else from the
 * store. 404 when there is none that the caller may see. */
void runs_answer_record(const struct runs *runs, struct http_request *request, const char *id,
                        bool with_request);
/* The same of one that the store was asked for already: with what it said (stored, or err). */
void runs_answer_stored(const struct runs *runs, struct http_request *request, const char *id,
                        const struct stored_run *stored, const struct err *err, bool with_request);
/* The same two, of one that the caller's request repeats: where it is nowhere any more it was
 * refused meanwhile, and so is this one. */
void runs_answer_repeated(const struct runs *runs, struct http_request *request, const char *id);
void runs_answer_repeated_stored(const struct runs *runs, struct http_request *request,
                                 const char *id, const struct stored_run *stored,
                                 const struct err *err);
void runs_reply_live(const struct runs *runs, struct http_request *request, int status,
                     struct run *run);

#endif
