/* SPDX-License-Identifier: MIT */
/* jobs_stream.h — lines of jobs over WebSockets:
 *
 *     in    {"type":"subscribe","job_id":J}   {"type":"unsubscribe","job_id":J}
 *     out   {"type":"output","data":{"job_id":J,"line":"…","stream":"stdout","timestamp":"…"}}
 *
 * From the job's first line on, whenever one comes. Nothing else is said: not that it was
 * taken, nor that it was not, nor that the job has ended.
 */
#ifndef RUNNEL_DIALECT_JOBS_STREAM_H
#define RUNNEL_DIALECT_JOBS_STREAM_H

#include <stdbool.h>

struct jobs;
struct run;

/* Hands all that this finished run has said to those who follow it, as far as they take
 * it. True: all of them have got it, and had a moment to see it. */
bool jobs_stream_settle(struct jobs *jobs, const struct run *run);

#endif
