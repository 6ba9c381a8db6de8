/* SPDX-License-Identifier: MIT */
/* jobs_analysis.h — suspicious words in a source, as the known service of /api/jobs looked
 * for them. It protects nothing: what a program may is the sandbox's business, and a word
 * can be written in many ways. So it is off unless the operator wants it, and advice
 * unless the operator wants refusals.
 *
 *     auto_free struct jobs_analysis *analysis = jobs_analyse(source);
 *     json_open_object(&json, "analysis"); jobs_analysis_write(&json, analysis); …
 */
#ifndef RUNNEL_DIALECT_JOBS_ANALYSIS_H
#define RUNNEL_DIALECT_JOBS_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct json;

enum jobs_analysis_mode { JOBS_ANALYSIS_OFF, JOBS_ANALYSIS_ADVISE, JOBS_ANALYSIS_REFUSE };
/* Of the configuration: "off", "advise", "refuse". */
enum jobs_analysis_mode jobs_analysis_mode(const char *text);

enum { JOBS_ISSUES_MAX = 64 }; /* told; all of them count */

struct jobs_issue {
    const struct jobs_pattern *pattern;
    struct slice match; /* borrowed from the source */
};

struct jobs_analysis {
    unsigned score; /* 100: nothing was found; 0 at least */
    bool dangerous; /* a command is in it that the known service refuses whatever the score */
    size_t issue_count;
    size_t issues_untold;
    struct jobs_issue issues[JOBS_ISSUES_MAX];
};

/* In time that grows with the source's length alone. Owned by the caller (free); NULL when
 * memory is short. */
struct jobs_analysis *jobs_analyse(struct slice source);

/* Would the known service take it? */
bool jobs_analysis_is_safe(const struct jobs_analysis *analysis);

/* "issues" and "safety_score", into an open object. */
void jobs_analysis_write(struct json *json, const struct jobs_analysis *analysis);

/* Length of the match of a pattern at the start of the text; 0: none. In a pattern \s is a
 * blank, [abc] one of these, [a-z] a letter, \ takes the next letter as it stands, + and *
 * behind one of them take as many as there are; letters match in any case. */
size_t jobs_pattern_match(const char *pattern, struct slice text);

#endif
