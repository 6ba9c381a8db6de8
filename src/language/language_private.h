/* SPDX-License-Identifier: MIT */
/* language_private.h — what a catalogue keeps behind each language. */
#ifndef RUNNEL_LANGUAGE_LANGUAGE_PRIVATE_H
#define RUNNEL_LANGUAGE_LANGUAGE_PRIVATE_H

#include <regex.h>

#include "base/util.h"
#include "language/language.h"

enum { COMPILE_COMMANDS_MAX = COMMANDS_MAX - 1 };

/* A POSIX extended expression that is tried on one line after the other; its
 * last group (without one, the whole match) is what it finds. */
struct pattern {
    regex_t regex;
    bool set;
};

struct language_entry {
    struct language language;
    uint64_t order; /* UINT64_MAX: after those that have one */
    const char *const *compile[COMPILE_COMMANDS_MAX + 1];
    struct pattern entry_pattern;   /* names the entry file */
    struct pattern main_owner;      /* else the last of these up to … */
    struct pattern main_pattern;    /* … the first line that matches this */
    struct pattern version_pattern; /* the version in what version_command prints */
    char *version;
    void **kept; /* every block that `language` points into */
    size_t kept_count;
};

static inline struct language_entry *language_entry_of(const struct language *language)
{
    return CONTAINER_OF(language, struct language_entry, language);
}

/* --- a file: language_file.c --- */

/* Reads a file's text; the caller frees the entry. NULL with file:line. */
struct language_entry *language_entry_read(const char *file_name, struct slice text,
                                           struct err *err);
void language_entry_free(struct language_entry *entry);

/* Takes `block` into the entry's care; frees it and returns NULL when it is
 * NULL or memory is short. */
void *language_entry_keep(struct language_entry *entry, void *block);

struct ini_line;
struct nearest;
/* -1 with the line's place and key, and what is wrong with its value. */
int language_bad_line(const struct ini_line *line, const char *what, struct err *err);
int language_no_memory(struct err *err); /* -1 */
/* -1: "toy.lang:7: unknown key 'colour'; did you mean 'color'?", or `where` all are told. */
int language_unknown(const char *place, const char *what, const struct nearest *nearest,
                     const char *where, struct err *err);

/* --- its keys: language_keys.c --- */

struct language_keys {
    struct language_entry *entry; /* borrowed; what is given goes into it */
    uint64_t seen;                /* bit n: the table's row n was given */
    size_t compile_count;
};

int language_keys_read(struct language_keys *given, const struct ini_line *line, struct err *err);
/* Is what must be given there, and what goes together? */
int language_keys_check(const struct language_keys *given, const char *file_name, struct err *err);

/* --- what their values are made of: command.c, pattern.c --- */

/* The argv template in a command's text: NULL-ended, one block, free() it.
 * -EINVAL with *ret_wrong, a static text, or -ENOMEM. */
int template_split(const char *text, char ***ret_template, const char **ret_wrong);

/* 0, -EINVAL (not an expression, or too many groups) or -ENOMEM. */
int pattern_compile(struct pattern *pattern, const char *text);
void pattern_fini(struct pattern *pattern);
/* What the pattern finds in a text's lines: the first, else .at is NULL. */
struct slice pattern_find(const struct pattern *pattern, struct slice text);

#endif
