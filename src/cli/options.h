/* SPDX-License-Identifier: MIT */
/* options.h — command line options from rows.
 *
 * "--name value", "--name=value", "-n value", "-nvalue"; options and operands
 * may be mixed, and "--" ends the options. "--help" and "-h" are known to every
 * table. A row's `set` is handed the caller's target, so that parsing keeps no
 * state of its own.
 */
#ifndef RUNNEL_CLI_OPTIONS_H
#define RUNNEL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/words.h"

struct option;
/* value: NULL for a switch. */
typedef int option_fn(void *target, const struct option *option, const char *value,
                      struct err *err);

struct option {
    const char *name;  /* without the dashes */
    char letter;       /* 0: no short form */
    const char *value; /* what to call it in --help; NULL: a switch */
    const char *help;
    option_fn *set;
    size_t which; /* for a `set` that serves several rows */
    /* The default, where `help` does not say it: for --help. May be NULL. */
    const char *(*preset)(const struct option *option, char *text, size_t size);
};

struct option_table {
    const struct option *rows; /* ended by a row of zeros */
    /* Options that another table knows, asked when no row fits; NULL: none. */
    bool (*is_key)(const char *name, bool *ret_wants_value);
    option_fn *set_key;            /* gets a row made for the occasion */
    void (*print_keys)(FILE *out); /* lists them for --help */
    /* Says what was meant by one that is unknown, when no row is near; may be NULL. */
    int (*refuse_key)(const char *name, struct err *err);
    const char *hint; /* said of an unknown option: " (…)"; may be NULL */
};

enum { OPTIONS_DONE = 0, OPTIONS_HELP = 1 };

/* Parses argv[0] … argv[argc - 1]. OPTIONS_DONE, OPTIONS_HELP when help was
 * asked for (the rest is unread), or -1 (ERR_INVALID). Operands are borrowed
 * from argv; the list is the caller's. */
int options_parse(const struct option_table *table, int argc, char *const *argv, void *target,
                  struct words *ret_operands, struct err *err);

/* One line each: "  -l, --language NAME   …". */
void options_print(const struct option *rows, FILE *out);

/* "--memory 64Q: not a size (try 64M)": the shape of every complaint. */
int option_refuse(struct err *err, const struct option *option, const char *value, const char *why);

#endif
