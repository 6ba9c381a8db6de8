/* SPDX-License-Identifier: MIT */
/* verb.h — what `runnel` can be told to do. A new verb is a new row in verb.c's
 * table and a file of its own. */
#ifndef RUNNEL_CLI_VERB_H
#define RUNNEL_CLI_VERB_H

#include <signal.h>
#include <stdbool.h>

#include "cli/options.h"

/* As of who is ended by SIGPIPE: what we print has no reader any more, and nothing need be said. */
enum { EXIT_UNREAD = 128 + SIGPIPE };

struct verb {
    const char *name;
    const char *summary;  /* for the list of verbs */
    const char *synopsis; /* behind "usage: runnel " */
    const char *teaching; /* examples, and what else to know */
    struct option_table options;
    /* argv[0] is the verb. Returns the exit status, or -1 and `err`. */
    int (*run)(const struct verb *verb, int argc, char **argv, struct err *err);
    bool hidden;
};

extern const struct verb verb_run;
extern const struct verb verb_serve;
extern const struct verb verb_worker;
extern const struct verb verb_key;
extern const struct verb verb_languages;
extern const struct verb verb_workers;
extern const struct verb verb_jobs;
extern const struct verb verb_doctor;
extern const struct verb verb_selftest;
extern const struct verb verb_help;
extern const struct verb verb_version;

/* The table, in the order in which help shows it; NULL-ended. */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *name, struct err *err);

/* Parses a verb's arguments (argv[0] is the verb). OPTIONS_HELP: help was
 * printed, there is nothing left to do. */
int verb_parse(const struct verb *verb, int argc, char **argv, void *target,
               struct words *ret_operands, struct err *err);
/* The same for a verb that takes options only. */
int verb_parse_alone(const struct verb *verb, int argc, char **argv, void *target, struct err *err);
void verb_print_help(const struct verb *verb, FILE *out);

/* Parses `options`, which begin with a struct config_flags, acts with what else was said, and
 * releases both. The exit status, or -1. */
typedef int verb_act_fn(const void *options, const struct words *operands, struct err *err);
int verb_act(const struct verb *verb, int argc, char **argv, void *options, verb_act_fn *act,
             struct err *err);

/* Sets the bool at target + option->which; the `set` of a plain switch. */
int option_set_switch(void *target, const struct option *option, const char *value,
                      struct err *err);
/* Sets the const char * at target + option->which. */
int option_set_text(void *target, const struct option *option, const char *value, struct err *err);

#endif
