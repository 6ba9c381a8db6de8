/* SPDX-License-Identifier: MIT */
/* verb_help.c — `runnel help` and `runnel version`. */
#include <stdio.h>
#include <string.h>

#include "cli/verb.h"

struct help_options {
    bool json;
};

static const struct option json_rows[] = {
    {"json", 0, NULL, "as one JSON object", option_set_switch, offsetof(struct help_options, json)},
    {0},
};

static void print_overview(void)
{
    (void)fputs("runnel runs programs that nobody trusts, each in a sandbox of its own.\n\n"
                "usage: runnel VERB [options]\n\nverbs:\n",
                stdout);
    for (size_t i = 0; verbs[i]; i++) {
        if (!verbs[i]->hidden)
            (void)printf("  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    }
    (void)fputs("\nexamples:\n"
                "  runnel run hello.py                 run a program, see what it prints\n"
                "  echo 21 | runnel run double.c       its input is ours\n"
                "  runnel serve                        the same over HTTP, on localhost:8080\n"
                "  runnel doctor                       what this machine can enforce\n\n"
                "'runnel VERB --help' tells more of each.\n",
                stdout);
}

static int run_help(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct help_options options = {0};
    struct words operands = {0};
    int rc = verb_parse(verb, argc, argv, &options, &operands, err);
    if (rc == OPTIONS_DONE && operands.count == 0) {
        print_overview();
    } else if (rc == OPTIONS_DONE && operands.count > 1) {
        rc = err_set(err, ERR_INVALID, "%s: 'runnel help' tells of one verb", operands.items[1]);
    } else if (rc == OPTIONS_DONE) {
        const struct verb *asked = verb_find(operands.items[0], err);
        if (asked)
            verb_print_help(asked, stdout);
        rc = asked ? 0 : -1;
    }
    words_fini(&operands);
    return rc < 0 ? -1 : 0;
}

const struct verb verb_help = {
    .name = "help",
    .summary = "what runnel can do, or how one verb is used",
    .synopsis = "help [VERB]",
    .teaching = "examples:\n"
                "  runnel help\n"
                "  runnel help run\n",
    .options = {.rows = &json_rows[1]},
    .run = run_help,
};

static int run_version(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct help_options options = {0};
    int rc = verb_parse_alone(verb, argc, argv, &options, err);
    if (rc == OPTIONS_DONE)
        (void)printf(options.json ? "{\"name\":\"runnel\",\"version\":\"%s\"}\n" : "runnel %s\n",
                     RUNNEL_VERSION);
    return rc < 0 ? -1 : 0;
}

const struct verb verb_version = {
    .name = "version",
    .summary = "which version this is",
    .synopsis = "version [--json]",
    .teaching = "examples:\n"
                "  runnel version\n"
                "  runnel --version\n",
    .options = {.rows = json_rows},
    .run = run_version,
};
