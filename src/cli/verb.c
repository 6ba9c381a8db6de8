/* SPDX-License-Identifier: MIT */
/* verb.c — the table of verbs, and what all of them share. */
#include "cli/verb.h"

#include <string.h>

#include "base/nearest.h"
#include "cli/configure.h"

const struct verb *const verbs[] = {
    &verb_run,       &verb_serve,  &verb_worker,   &verb_workers, &verb_jobs,    &verb_key,
    &verb_languages, &verb_doctor, &verb_selftest, &verb_help,    &verb_version, NULL,
};

const struct verb *verb_find(const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; verbs[i]; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
        if (!verbs[i]->hidden)
            (void)nearest_offer(&nearest, verbs[i]->name);
    }
    if (nearest.best)
        (void)err_set(err, ERR_INVALID, "%s: there is no such verb; did you mean '%s'?", name,
                      nearest.best);
    else
        (void)err_set(err, ERR_INVALID, "%s: there is no such verb ('runnel help' lists them)",
                      name);
    return NULL;
}

int verb_parse(const struct verb *verb, int argc, char **argv, void *target,
               struct words *ret_operands, struct err *err)
{
    int rc = options_parse(&verb->options, argc - 1, argv + 1, target, ret_operands, err);
    if (rc == OPTIONS_HELP)
        verb_print_help(verb, stdout);
    return rc;
}

int verb_parse_alone(const struct verb *verb, int argc, char **argv, void *target, struct err *err)
{
    struct words operands = {0};
    int rc = verb_parse(verb, argc, argv, target, &operands, err);
    if (rc == OPTIONS_DONE && operands.count > 0)
        rc = err_set(err, ERR_INVALID, "%s: 'runnel %s' takes options only", operands.items[0],
                     verb->name);
    words_fini(&operands);
    return rc;
}

int verb_act(const struct verb *verb, int argc, char **argv, void *options, verb_act_fn *act,
             struct err *err)
{
    struct words operands = {0};
    int rc = verb_parse(verb, argc, argv, options, &operands, err);
    if (rc == OPTIONS_DONE)
        rc = act(options, &operands, err);
    else if (rc == OPTIONS_HELP)
        rc = 0;
    words_fini(&operands);
    config_flags_fini(options);
    return rc;
}

void verb_print_help(const struct verb *verb, FILE *out)
{
    (void)fprintf(out, "runnel %s: %s\n\nusage: runnel %s\n\n%s", verb->name, verb->summary,
                  verb->synopsis, verb->teaching);
    if (verb->options.rows[0].name) {
        (void)fputs("\noptions:\n", out);
        options_print(verb->options.rows, out);
    }
    (void)fputs("  -h, --help                   this text\n", out);
    if (verb->options.print_keys)
        verb->options.print_keys(out);
}

int option_set_switch(void *target, const struct option *option, const char *value, struct err *err)
{
    (void)value, (void)err;
    *(bool *)((char *)target + option->which) = true;
    return 0;
}

int option_set_text(void *target, const struct option *option, const char *value, struct err *err)
{
    (void)err;
    *(const char **)((char *)target + option->which) = value;
    return 0;
}
