/* SPDX-License-Identifier: MIT */
/* jobs_request.h — the body of POST /api/execute, and its refusals in the words of the
 * known service. */
#ifndef RUNNEL_DIALECT_JOBS_REQUEST_H
#define RUNNEL_DIALECT_JOBS_REQUEST_H

#include "codec/json_read.h"
#include "engine/engine.h"

struct http_request;
struct jobs;

enum {
    JOBS_SOURCE_MAX = 100000, /* UTF-16 units */
    JOBS_TIMEOUT_MAX_S = 60,
    JOBS_QUEUE_MAX_S = 600,
};

struct jobs_request {
    struct slice language_name; /* as the client calls it */
    const struct language *language;
    struct slice source;
    struct slice workspace_id;
    struct slice entry_point;  /* at = NULL: none */
    const char **dependencies; /* owned; NULL: none */
    uint64_t timeout_ms;
    uint64_t queue_timeout_ms; /* 0: not asked */
    uint64_t memory_mb;        /* 0: not asked */
    enum lane lane;
};

enum jobs_refusal {
    JOBS_TAKEN,
    JOBS_MISSING,
    JOBS_LANGUAGE,
    JOBS_TOO_LARGE,
    JOBS_ENTRY_POINT,
    JOBS_DANGEROUS,
    JOBS_OTHER, /* err says what */
};

/* In the order in which the known service looks. `body` stays borrowed. */
enum jobs_refusal jobs_request_read(const struct jobs *jobs, const json_t *body,
                                    struct jobs_request *request, struct err *err);
void jobs_request_fini(struct jobs_request *request);

/* 400 with the words of a refusal (but JOBS_TAKEN, JOBS_OTHER). */
void jobs_answer_refusal(struct http_request *request, enum jobs_refusal refusal);
/* {"error":"Execution failed","message":text,"code":name[,"field":…]} */
void jobs_answer_err(struct http_request *request, const struct jobs *jobs, const struct err *err);

/* What a form's texts are in JSON: numbers where numbers are wanted. */
int jobs_request_from_form(json_t *form, struct err *err);

#endif
