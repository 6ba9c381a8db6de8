/* SPDX-License-Identifier: MIT */
/* language.h — languages are data: one file each, read once at start.
 *
 *     catalogue = catalogue_new();
 *     catalogue_load_builtin(catalogue, err);
 *     catalogue_load_dir(catalogue, "/etc/runnel/languages", err);
 *     language = catalogue_find(catalogue, slice_of("nodejs"));   any alias
 *
 * A file is INI (docs/LANGUAGES.md describes every key). A command is split at
 * blanks, with "double quotes" for an argument that has some; no shell ever
 * sees it. Placeholders inside an argument: {source} the entry file, {stem} the
 * entry file without its ending, {memory_mb} and {heap_mb} of the resulting
 * memory limit (such an argument is left out when there is no limit); an
 * argument that is exactly {files} or {args} becomes the other source files or
 * the request's arguments.
 */
#ifndef RUNNEL_LANGUAGE_LANGUAGE_H
#define RUNNEL_LANGUAGE_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

struct catalogue;

/* Comes out of a catalogue and nowhere else: more of it lies behind. */
struct language {
    const char *name;                   /* "python": lower case, the key on every wire */
    const char *title;                  /* "Python" */
    const char *const *aliases;         /* NULL-ended, without the name itself */
    const char *const *extensions;      /* "py": of its source files; NULL-ended */
    const char *source;                 /* entry file when no rule finds another: "main.py" */
    const char *const *const *compile;  /* argv templates, one stage each, in order; NULL-ended;
                                           NULL when nothing is compiled */
    const char *const *execute;         /* argv template */
    const char *const *version_command; /* NULL when there is none */
    const char *const *environment;     /* "NAME=value", NULL-ended */
    const char *const *etc;        /* what the toolchain reads below /etc, there now; NULL-ended */
    const char *rootfs;            /* NULL: the host's /usr */
    const char *requires;          /* files whose presence means installed, blank-separated */
    const char *packages;          /* Debian's, blank-separated: "python3"; NULL when none */
    const char *unavailable;       /* why no package can be named, NULL when one can */
    const char *grammar;           /* the page's editor grammar, else "text" */
    bool whole_proc;               /* the runtime reads /proc/cpuinfo and its like */
    unsigned heap_percent;         /* {heap_mb} as a share of the memory limit */
    struct limits minimum;         /* raises the profile's limits for `execute` */
    struct limits compile_minimum; /* raises the compile stage's */
    const char *sample;            /* a program that asks and answers; NULL when there is none */
    const char *samples;           /* directory with hello.*, stdin.*, error.* … NULL when none */
    bool installed;                /* all of `requires` were there at load */
    const char *version;           /* found by running version_command; NULL until known */
};

struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue *catalogue);

/* The languages that were built in; none of them has `samples`. */
int catalogue_load_builtin(struct catalogue *catalogue, struct err *err);
/* Reads every *.lang file of the directory, in name order; samples are looked
 * for in its samples/NAME. -1 with file:line for an unknown key, a bad value, a
 * missing key or a name taken twice: what is read later may not redefine. */
int catalogue_load_dir(struct catalogue *catalogue, const char *directory, struct err *err);
int catalogue_load_text(struct catalogue *catalogue, const char *file_name, struct slice text,
                        struct err *err);

size_t catalogue_count(const struct catalogue *catalogue);
/* In the order of the `order` key, then by name. Borrowed. */
const struct language *catalogue_at(const struct catalogue *catalogue, size_t index);

/* By name or alias, exactly (case matters). NULL when none. */
const struct language *catalogue_find(const struct catalogue *catalogue, struct slice name);
/* By the ending of a file name ("hello.py"). NULL when none. */
const struct language *catalogue_find_by_file(const struct catalogue *catalogue,
                                              const char *file_name);

/* Remembers the version text that the toolchain printed. */
void catalogue_set_version(struct catalogue *catalogue, const struct language *language,
                           const char *version);

/* Where programs run on other machines, what those have counts. */
void catalogue_set_installed(struct catalogue *catalogue, const struct language *language,
                             bool installed);

/* The version in what version_command printed. Owned by the caller; NULL when
 * there is none in it, or memory is short. */
char *language_version_from_output(const struct language *language, struct slice output);

/* Name of the entry file for this source: the language's rule (patterns over
 * its lines), else `source`. Owned by the caller; NULL when memory is short. */
char *language_entry_file(const struct language *language, struct slice source);

/* The entry file for a program that has a file name already: "main.mjs" for "x/y.mjs", since its
 * ending may mean something to the toolchain. Owned by the caller; NULL when its ending is that
 * of `source`, or none of the language's. */
char *language_entry_like(const struct language *language, const char *file_name);

/* What a command template is filled with. */
struct command_values {
    const char *entry_file;
    const char *const *files;        /* NULL-ended, may be NULL */
    const char *const *args;         /* NULL-ended, may be NULL */
    const char *const *compile_args; /* NULL-ended, may be NULL */
    uint64_t memory_bytes;
    unsigned heap_percent;
};

/* The argv for a template: NULL-ended, one block, free() it. NULL when memory
 * is short. */
char **language_command(const char *const *template, const struct command_values *values);

#endif
