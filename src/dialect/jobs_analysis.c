/* SPDX-License-Identifier: MIT */
#include "dialect/jobs_analysis.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "codec/json_write.h"

enum { FULL_SCORE = 100, SAFE_SCORE = 50 };

struct jobs_pattern {
    const char *category;
    const char *pattern;
    const char *severity;
    unsigned penalty;
    bool dangerous;
};

/* A quantifier takes all that it can, and gives nothing back: behind one stands nothing
 * that it could have taken. So a blank is looked at once for each word before it. */
/* clang-format off */
#define COMMAND(pattern_)    {"command",    pattern_, "high",   10, true}
#define FILESYSTEM(pattern_) {"filesystem", pattern_, "high",   10, false}
#define NETWORK(pattern_)    {"network",    pattern_, "medium", 5,  false}
#define SYSTEM(pattern_)     {"system",     pattern_, "high",   10, false}
static const struct jobs_pattern patterns[] = {
    COMMAND("rm\\s+-rf"),
    COMMAND("sudo"),
    COMMAND("passwd"),
    COMMAND("/etc/passwd"),
    COMMAND("mkfs"),
    COMMAND("format"),
    COMMAND("del\\s+/[a-z]"),
    FILESYSTEM("open\\s*\\(\\s*['\"][/\\\\]"),
    FILESYSTEM("file\\s*\\(\\s*['\"][/\\\\]"),
    FILESYSTEM("os\\.system"),
    FILESYSTEM("subprocess"),
    FILESYSTEM("eval\\s*\\("),
    FILESYSTEM("exec\\s*\\("),
    NETWORK("socket\\s*\\("),
    NETWORK("urllib"),
    NETWORK("requests\\."),
    NETWORK("httplib"),
    NETWORK("fetch\\s*\\("),
    SYSTEM("os\\.getenv"),
    SYSTEM("process\\.env"),
    SYSTEM("__import__"),
    SYSTEM("require\\s*\\(\\s*['\"]child_process"),
};
/* clang-format on */

enum jobs_analysis_mode jobs_analysis_mode(const char *text)
{
    if (text && strcmp(text, "advise") == 0)
        return JOBS_ANALYSIS_ADVISE;
    return text && strcmp(text, "refuse") == 0 ? JOBS_ANALYSIS_REFUSE : JOBS_ANALYSIS_OFF;
}

/* --- one pattern --- */

static unsigned char lower(char letter)
{
    return (unsigned char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
}

/* Of the first of the pattern's parts: is this letter it? */
static bool part_fits(const char *pattern, size_t len, char letter)
{
    unsigned char low = lower(letter);
    if (pattern[0] == '\\' && pattern[1] == 's')
        return isspace((unsigned char)letter) != 0;
    if (pattern[0] == '\\')
        return letter == pattern[1];
    if (pattern[0] != '[')
        return low == (unsigned char)pattern[0];
    if (len == sizeof "[a-z]" - 1 && strncmp(pattern, "[a-z]", len) == 0)
        return low >= 'a' && low <= 'z';
    for (size_t i = 1; i + 1 < len; i++) {
        i += pattern[i] == '\\';
        if (letter == pattern[i])
            return true;
    }
    return false;
}

static size_t part_length(const char *pattern)
{
    if (pattern[0] == '\\')
        return 2;
    if (pattern[0] != '[')
        return 1;
    size_t len = 1;
    while (pattern[len] != ']')
        len += pattern[len] == '\\' ? 2 : 1;
    return len + 1;
}

size_t jobs_pattern_match(const char *pattern, struct slice text)
{
    size_t at = 0;
    while (*pattern) {
        size_t len = part_length(pattern);
        char quantifier = pattern[len];
        size_t most = quantifier == '+' || quantifier == '*' ? SIZE_MAX : 1;
        size_t least = quantifier == '*' ? 0 : 1;
        size_t count = 0;
        for (; at < text.len && count < most && part_fits(pattern, len, text.at[at]); at++)
            count++;
        if (count < least)
            return 0;
        pattern += len + (most > 1 ? 1 : 0);
    }
    return at;
}

/* --- a source --- */

static void add_issue(struct jobs_analysis *analysis, const struct jobs_pattern *pattern,
                      struct slice match)
{
    analysis->score -= MIN(analysis->score, pattern->penalty);
    analysis->dangerous = analysis->dangerous || pattern->dangerous;
    if (analysis->issue_count < JOBS_ISSUES_MAX)
        analysis->issues[analysis->issue_count++] = (struct jobs_issue){pattern, match};
    else
        analysis->issues_untold++;
}

struct jobs_analysis *jobs_analyse(struct slice source)
{
    bool begins[UCHAR_MAX + 1] = {false};
    struct jobs_analysis *analysis = calloc(1, sizeof *analysis);
    if (!analysis)
        return NULL;
    analysis->score = FULL_SCORE;
    /* Every pattern begins with a character that stands for itself. */
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        begins[(unsigned char)patterns[i].pattern[0]] = true;
    for (size_t at = 0; at < source.len; at++) {
        struct slice rest = {source.at + at, source.len - at};
        for (size_t i = 0; begins[lower(*rest.at)] && i < ARRAY_LEN(patterns); i++) {
            size_t len = jobs_pattern_match(patterns[i].pattern, rest);
            if (len > 0)
                add_issue(analysis, &patterns[i], (struct slice){rest.at, len});
        }
    }
    return analysis;
}

bool jobs_analysis_is_safe(const struct jobs_analysis *analysis)
{
    return !analysis->dangerous && analysis->score >= SAFE_SCORE;
}

void jobs_analysis_write(struct json *json, const struct jobs_analysis *analysis)
{
    json_open_array(json, "issues");
    for (size_t i = 0; i < analysis->issue_count; i++) {
        const struct jobs_issue *issue = &analysis->issues[i];
        json_open_object(json, NULL);
        json_text(json, "category", issue->pattern->category);
        json_text(json, "pattern", issue->pattern->pattern);
        json_slice(json, "match", (struct slice){issue->match.at, MIN(issue->match.len, 100)});
        json_text(json, "severity", issue->pattern->severity);
        json_close_object(json);
    }
    json_close_array(json);
    if (analysis->issues_untold > 0)
        json_u64(json, "issues_untold", analysis->issues_untold);
    json_u64(json, "safety_score", analysis->score);
}
