/* SPDX-License-Identifier: MIT */
/* request_answer.h — answers that several dialects give alike. */
#ifndef RUNNEL_DIALECT_REQUEST_ANSWER_H
#define RUNNEL_DIALECT_REQUEST_ANSWER_H

#include "base/err.h"
#include "dialect/result_output.h"
#include "server/http.h"

struct engine;
struct run;

#define ANSWER_JSON "application/json; charset=utf-8"
/* Words that clients know. */
#define ANSWER_TOO_MANY "Too many requests from this IP, please try again later"
#define ANSWER_REQUIRED "Language and code are required"

/* May this caller know of what belongs to the key `owner`? That key, and administrators. */
bool request_may_see(const struct http_request *request, uint64_t owner);

/* {key: text} and nothing else. */
void request_answer_text(struct http_request *request, int status, const char *key,
                         const char *text);

/* {"error","data":null,"code"[,"field"]}: as the known service of /v1/runs has it, and more. */
void request_answer_err(struct http_request *request, const struct err *err);

/* Retry-After, when the error says that there is no room now, or that it was too much. */
void request_add_retry_after(struct http_request *request, const struct engine *engine,
                             const struct err *err);

/* http_reply_take of what is told of a run that has ended. Where there is no room for it, who
 * only asks may ask again; who made the run would run it again, and is told so, and that its
 * record is at `place` (NULL: nowhere). */
void request_answer_ended(struct http_request *request, int status, const char *place,
                          struct buf *body);

/* Answers a request at the end of its run. */
typedef void request_answer_fn(struct http_request *request, const struct run *run,
                               const struct result_output *output, const void *context);

/* The run's end is the request's: `answer` comes then. A client that leaves cancels
 * the run. -1 when it cannot be read: it is cancelled, and the request unanswered. */
int request_wait_for(struct http_request *request, struct run *run, request_answer_fn *answer,
                     const void *context, struct err *err);

#endif
