/* SPDX-License-Identifier: MIT */
/* foreign.h — the messages of services of the code-execution form (config key
 * broker_form), to the byte: backends of theirs give our workers jobs, and our fronts
 * give jobs to runners of theirs. Nothing but words here: no connection.
 *
 * RabbitMQ
 *   code-execution.jobs      topic exchange; key jobs.LANGUAGE
 *   jobs.all-languages       queue; bound by the five languages that the form knows
 *   code-execution.results   topic exchange; key results.LANGUAGE
 *   results.all              queue; bound by results.*
 *
 * Redis
 *   execution:ID             channel on which lines come, as they are written
 */
#ifndef RUNNEL_FLEET_FOREIGN_H
#define RUNNEL_FLEET_FOREIGN_H

#include <jansson.h>

#include "base/buf.h"
#include "engine/engine.h"
#include "fleet/names.h"

struct catalogue;

#define FOREIGN_JOBS_EXCHANGE "code-execution.jobs"
#define FOREIGN_JOBS_QUEUE "jobs.all-languages"
#define FOREIGN_RESULTS_EXCHANGE "code-execution.results"
#define FOREIGN_RESULTS_QUEUE "results.all"
#define FOREIGN_CHANNEL_PREFIX "execution:"

enum {
    FOREIGN_TIMEOUT_S = 30, /* where a job does not say */
    FOREIGN_TOPOLOGY_MAX = 10,
    FOREIGN_JOB_MAX_BYTES = 16 * 1024 * 1024,
    FOREIGN_RESULT_MAX_BYTES = AMQP_BODY_MAX, /* none that is larger is taken from the broker */
};

/* As the form calls it: "nodejs" is our javascript, the rest is as we call it. */
const char *foreign_language(const struct language *language);
/* Do their runners know it? */
bool foreign_has_language(const struct language *language);
struct fleet_key foreign_job_key(const struct language *language);    /* "jobs.python" */
struct fleet_key foreign_result_key(const struct language *language); /* "results.python" */
struct fleet_key foreign_channel(const char *id);                     /* "execution:ID" */

/* What their programs declare, word for word, so that it may be declared by both.
 * reads_results: the queue of results is wanted too; a worker leaves it to who reads it. */
size_t foreign_topology(bool reads_results, struct amqp_declaration rows[FOREIGN_TOPOLOGY_MAX]);

/* --- a job --- */

struct foreign_job {
    const char *id; /* spec.id is the same */
    const char *workspace_id;
    struct run_spec spec;            /* .limits: what the job asks; timeout is always there */
    const char *const *dependencies; /* NULL-ended; NULL: none */
    json_t *tree;                    /* owned by a decoded job, as the array */
    void *arrays;
};

/* source goes as url, as their backends send it. With a spec that asks for neither a
 * timeout, memory nor dependencies the body is theirs to the byte. Files, arguments and
 * the rest of a spec do not travel. ERR_TOO_LARGE. */
int foreign_job_encode(const struct foreign_job *job, struct buf *text, struct err *err);
/* source_code or url. ERR_INVALID names the field, ERR_UNKNOWN_LANGUAGE. On failure the job
 * has what was understood, perhaps id and workspace_id, so that it can be answered;
 * foreign_job_fini in any case. */
int foreign_job_decode(struct slice text, const struct catalogue *catalogue,
                       struct foreign_job *ret_job, struct err *err);
void foreign_job_fini(struct foreign_job *job);
/* With the properties that theirs have: borrows all it is given. */
struct amqp_message foreign_job_message(const struct fleet_key *key, const char *id,
                                        struct slice body, uint64_t unix_ms);

/* --- a result --- */

struct foreign_result {
    const char *id;
    const char *workspace_id;
    struct slice output; /* stdout and stderr in the order they came */
    const char *error;   /* NULL: none */
    int exit_code;       /* 0: it succeeded */
    bool has_duration;
    uint64_t duration_ms;
    json_t *tree; /* owned by a decoded result */
};

/* error, exit_code and duration of a run that ended so. error borrows from the end. */
void foreign_result_set_end(struct foreign_result *result, const struct run_result *end);
/* What is known of the run's end by such a result. */
struct run_result foreign_result_end(const struct foreign_result *result);
int foreign_result_encode(const struct foreign_result *result, struct buf *text);
int foreign_result_decode(struct slice text, struct foreign_result *ret_result, struct err *err);
void foreign_result_fini(struct foreign_result *result);
struct amqp_message foreign_result_message(const struct fleet_key *key, const char *id,
                                           struct slice body);

/* --- a line of output --- */

struct foreign_line {
    const char *id;
    struct slice line; /* without its newline */
    bool is_stderr;
    uint64_t unix_ms; /* 0: it does not say, or not in a known form */
    json_t *tree;     /* owned by a decoded line */
};

void foreign_line_encode(const struct foreign_line *line, struct buf *text);
int foreign_line_decode(struct slice text, struct foreign_line *ret_line, struct err *err);
void foreign_line_fini(struct foreign_line *line);

#endif
