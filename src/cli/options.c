/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <string.h>

#include "base/nearest.h"

/* A walk over the arguments. */
struct walk {
    const struct option_table *table;
    void *target;
    char *const *argv;
    int argc;
    int at; /* the next argument to look at */
    struct err *err;
};

int option_refuse(struct err *err, const struct option *option, const char *value, const char *why)
{
    return err_set(err, ERR_INVALID, "--%s %s: %s", option->name, value, why);
}

/* `inline_value`: what stood behind '=' or the letter, NULL when nothing did. */
static int apply(struct walk *walk, const struct option *option, option_fn *set,
                 const char *inline_value)
{
    const char *value = inline_value;
    if (!option->value) {
        if (inline_value)
            return option_refuse(walk->err, option, inline_value, "this option takes no value");
        return set(walk->target, option, NULL, walk->err);
    }
    if (!value) {
        if (walk->at == walk->argc)
            return err_set(walk->err, ERR_INVALID, "--%s: a value is missing (%s)", option->name,
                           option->value);
        value = walk->argv[walk->at++];
    }
    return set(walk->target, option, value, walk->err);
}

static int refuse_unknown(const struct walk *walk, const char *dashes, const char *name)
{
    const char *hint = walk->table->hint;
    bool is_word = strlen(name) > 1; /* of a letter nobody can say what it was meant to be */
    struct nearest nearest = nearest_to(name);
    for (const struct option *row = walk->table->rows; row->name; row++)
        (void)nearest_offer(&nearest, row->name);
    if (nearest.best && is_word)
        return err_set(walk->err, ERR_INVALID,
                       "%s%s: there is no such option; did you mean --%s?%s", dashes, name,
                       nearest.best, hint ? hint : "");
    if (walk->table->refuse_key && is_word)
        return walk->table->refuse_key(name, walk->err);
    return err_set(walk->err, ERR_INVALID, "%s%s: there is no such option%s", dashes, name,
                   hint ? hint : " (--help shows them)");
}

static int parse_long(struct walk *walk, const char *text)
{
    char name[64];
    size_t len = strcspn(text, "=");
    const char *value = text[len] == '=' ? text + len + 1 : NULL;
    if (len >= sizeof name)
        return refuse_unknown(walk, "--", text);
    memcpy(name, text, len);
    name[len] = '\0';
    if (strcmp(name, "help") == 0)
        return OPTIONS_HELP;
    for (const struct option *row = walk->table->rows; row->name; row++) {
        if (strcmp(row->name, name) == 0)
            return apply(walk, row, row->set, value);
    }
    bool wants_value = false;
    if (walk->table->is_key && walk->table->is_key(name, &wants_value)) {
        struct option key = {.name = name, .value = wants_value ? "VALUE" : NULL};
        /* A switch of another table may be set either way: --compat=no. */
        if (!wants_value && value)
            return walk->table->set_key(walk->target, &key, value, walk->err);
        return apply(walk, &key, walk->table->set_key, value);
    }
    return refuse_unknown(walk, "--", name);
}

/* "-iv" is "-i -v"; the rest behind a letter that wants a value is its value. */
static int parse_letters(struct walk *walk, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        const struct option *row = walk->table->rows;
        if (*letters == 'h')
            return OPTIONS_HELP;
        while (row->name && row->letter != *letters)
            row++;
        if (!row->name)
            return refuse_unknown(walk, "-", (const char[]){*letters, '\0'});
        if (row->value)
            return apply(walk, row, row->set, letters[1] != '\0' ? letters + 1 : NULL);
        if (row->set(walk->target, row, NULL, walk->err) < 0)
            return -1;
    }
    return OPTIONS_DONE;
}

int options_parse(const struct option_table *table, int argc, char *const *argv, void *target,
                  struct words *ret_operands, struct err *err)
{
    struct walk walk = {table, target, argv, argc, 0, err};
    int rc = OPTIONS_DONE;
    bool operands_only = false;
    while (rc == OPTIONS_DONE && walk.at < argc) {
        const char *text = argv[walk.at++];
        if (operands_only || text[0] != '-' || text[1] == '\0')
            rc = words_add(ret_operands, text, err);
        else if (text[1] != '-')
            rc = parse_letters(&walk, text + 1);
        else if (text[2] != '\0')
            rc = parse_long(&walk, text + 2);
        else
            operands_only = true;
    }
    return rc;
}

void options_print(const struct option *rows, FILE *out)
{
    for (; rows->name; rows++) {
        char left[64];
        char letter[] = {'-', rows->letter, ',', '\0'};
        (void)snprintf(left, sizeof left, "%s --%s %s", rows->letter ? letter : "   ", rows->name,
                       rows->value ? rows->value : "");
        (void)fprintf(out, "  %-28s %s", left, rows->help);
        if (rows->preset)
            (void)fprintf(out, " (%s)", rows->preset(rows, left, sizeof left));
        (void)fputc('\n', out);
    }
}
