/* SPDX-License-Identifier: MIT */
/* pattern.c — expressions of language files over sources and tools' output.
 *
 * The expression is the operator's, the text anybody's, and we stand in the
 * event loop: so lines are bounded, the bytes and lines looked at are bounded,
 * and what the expression found is checked again before it names a file. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "language/language_private.h"

enum {
    LINE_MAX_BYTES = 4096, /* a longer one is passed over */
    SCAN_MAX_BYTES = 256 * 1024,
    SCAN_MAX_LINES = 4096,
    GROUPS_MAX = 16,
    STEM_MAX_BYTES = 128,
};

int pattern_compile(struct pattern *pattern, const char *text)
{
    int rc = regcomp(&pattern->regex, text, REG_EXTENDED);
    if (rc != 0)
        return rc == REG_ESPACE ? -ENOMEM : -EINVAL;
    pattern->set = true;
    return pattern->regex.re_nsub >= GROUPS_MAX ? -EINVAL : 0;
}

void pattern_fini(struct pattern *pattern)
{
    if (pattern->set)
        regfree(&pattern->regex);
    pattern->set = false;
}

/* The lines of a text that a pattern may see, less the indentation that the
 * first of them has: a source pasted from the middle of a page. */
struct lines {
    struct slice rest;
    struct slice indentation;
    unsigned count;
};

static struct lines lines_of(struct slice text)
{
    return (struct lines){.rest = {text.at, MIN(text.len, SCAN_MAX_BYTES)}};
}

static struct slice take_line(struct lines *lines)
{
    const char *end = memchr(lines->rest.at, '\n', lines->rest.len);
    struct slice line = {lines->rest.at, end ? (size_t)(end - lines->rest.at) : lines->rest.len};
    size_t taken = line.len + (end ? 1 : 0);
    lines->rest.at += taken;
    lines->rest.len -= taken;
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

static size_t leading_blanks(struct slice line)
{
    size_t len = 0;
    while (len < line.len && (line.at[len] == ' ' || line.at[len] == '\t'))
        len++;
    return len;
}

/* The next line that has anything in it. */
static bool lines_next(struct lines *lines, struct slice *ret_line)
{
    while (lines->rest.len > 0 && lines->count < SCAN_MAX_LINES) {
        struct slice line = take_line(lines);
        size_t blanks = leading_blanks(line);
        if (blanks == line.len || line.len > LINE_MAX_BYTES)
            continue;
        if (lines->count++ == 0)
            lines->indentation = (struct slice){line.at, blanks};
        size_t less = lines->indentation.len;
        if (blanks >= less && memcmp(line.at, lines->indentation.at, less) == 0)
            line = (struct slice){line.at + less, line.len - less};
        *ret_line = line;
        return true;
    }
    return false;
}

/* What the last group of the pattern caught in the line; .at NULL when none. */
static struct slice match(const struct pattern *pattern, struct slice line)
{
    char text[LINE_MAX_BYTES + 1]; /* with the NUL that regexec needs */
    regmatch_t groups[GROUPS_MAX];
    size_t last = pattern->regex.re_nsub;
    memcpy(text, line.at, line.len);
    text[line.len] = '\0';
    if (regexec(&pattern->regex, text, last + 1, groups, 0) != 0 || groups[last].rm_so < 0)
        return (struct slice){0};
    return (struct slice){line.at + groups[last].rm_so,
                          (size_t)(groups[last].rm_eo - groups[last].rm_so)};
}

struct slice pattern_find(const struct pattern *pattern, struct slice text)
{
    struct lines lines = lines_of(text);
    struct slice line;
    while (pattern->set && lines_next(&lines, &line)) {
        struct slice found = match(pattern, line);
        if (found.at)
            return found;
    }
    return (struct slice){0};
}

/* The last that `owner` finds up to the first line that matches `marker`. */
static struct slice find_owner(const struct pattern *owner, const struct pattern *marker,
                               struct slice text)
{
    struct lines lines = lines_of(text);
    struct slice found = {0};
    struct slice line;
    while (owner->set && lines_next(&lines, &line)) {
        struct slice here = match(owner, line);
        if (here.at)
            found = here;
        if (match(marker, line).at)
            return found;
    }
    return (struct slice){0};
}

/* The source is not to choose another folder, an option or a hidden file. */
static bool is_stem(struct slice stem)
{
    if (stem.len == 0 || stem.len > STEM_MAX_BYTES || isdigit((unsigned char)stem.at[0]))
        return false;
    for (size_t i = 0; i < stem.len; i++) {
        if (!isalnum((unsigned char)stem.at[i]) && stem.at[i] != '_' && stem.at[i] != '$')
            return false;
    }
    return true;
}

char *language_entry_file(const struct language *language, struct slice source)
{
    const struct language_entry *entry = language_entry_of(language);
    struct slice stem = pattern_find(&entry->entry_pattern, source);
    if (!stem.at)
        stem = find_owner(&entry->main_owner, &entry->main_pattern, source);
    if (!is_stem(stem))
        return strdup(language->source);
    char *name = NULL;
    return asprintf(&name, "%.*s%s", (int)stem.len, stem.at, strrchr(language->source, '.')) < 0
               ? NULL
               : name;
}

char *language_version_from_output(const struct language *language, struct slice output)
{
    struct slice version = pattern_find(&language_entry_of(language)->version_pattern, output);
    return version.len > 0 ? strndup(version.at, version.len) : NULL;
}
