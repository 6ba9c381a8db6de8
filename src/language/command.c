/* SPDX-License-Identifier: MIT */
/* command.c — command templates: split when a language file is read, filled for
 * each run. An argument stays one argument whatever is filled in. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "language/language_private.h"

enum placeholder { SOURCE, STEM, MEMORY_MB, HEAP_MB, FILES, ARGS, COMPILE_ARGS, PLACEHOLDER_COUNT };

static const struct {
    const char *text;
    bool list; /* stands alone, for any number of arguments */
} placeholders[] = {
    [SOURCE] = {"{source}", false},
    [STEM] = {"{stem}", false},
    [MEMORY_MB] = {"{memory_mb}", false},
    [HEAP_MB] = {"{heap_mb}", false},
    [FILES] = {"{files}", true},
    [ARGS] = {"{args}", true},
    [COMPILE_ARGS] = {"{compile_args}", true},
};

static_assert(ARRAY_LEN(placeholders) == PLACEHOLDER_COUNT, "the last placeholder has no row");

static enum placeholder placeholder_at(const char *text)
{
    for (size_t i = 0; i < PLACEHOLDER_COUNT; i++) {
        if (strncmp(text, placeholders[i].text, strlen(placeholders[i].text)) == 0)
            return (enum placeholder)i;
    }
    return PLACEHOLDER_COUNT;
}

/* Other braces are the program's own. */
static bool looks_like_placeholder(const char *brace)
{
    size_t len = strspn(brace + 1, "abcdefghijklmnopqrstuvwxyz_");
    return len > 0 && brace[1 + len] == '}';
}

static const char *argument_error(const char *argument)
{
    for (const char *brace = strchr(argument, '{'); brace; brace = strchr(brace + 1, '{')) {
        enum placeholder which = placeholder_at(brace);
        if (which == PLACEHOLDER_COUNT) {
            if (looks_like_placeholder(brace))
                return "an unknown {placeholder} (docs/LANGUAGES.md has them all)";
            continue;
        }
        if (placeholders[which].list && strcmp(argument, placeholders[which].text) != 0)
            return "{files}, {args} or {compile_args} beside other text in one argument";
    }
    return NULL;
}

/* Copies the argument at *text without its quotes to `to`; moves *text behind
 * it. False when a quote stays open. */
static bool take_argument(const char **text, char *to)
{
    const char *at = *text;
    bool quoted = false;
    for (; *at && (quoted || (*at != ' ' && *at != '\t')); at++) {
        if (*at == '"')
            quoted = !quoted;
        else
            *to++ = *at;
    }
    *to = '\0';
    *text = at;
    return !quoted;
}

static const char *split_into(const char *text, char **argv, char *bytes)
{
    size_t count = 0;
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
        argv[count++] = bytes;
        if (!take_argument(&text, bytes))
            return "a \" that is not closed";
        const char *wrong = argument_error(bytes);
        if (wrong)
            return wrong;
        bytes += strlen(bytes) + 1;
    }
    if (count == 0)
        return "no command";
    if (argv[0][0] == '{')
        return "a placeholder for the program's own name";
    /* Nothing is looked for in a PATH. */
    return strchr(argv[0], '/') ? NULL : "the program's own name must be a path: /usr/bin/… or ./…";
}

int template_split(const char *text, char ***ret_template, const char **ret_wrong)
{
    /* Every other byte is a blank at worst; each argument gets a NUL. */
    size_t arguments_max = strlen(text) / 2 + 1;
    size_t pointers = (arguments_max + 1) * sizeof(char *);
    char **argv = calloc(1, pointers + strlen(text) + 1);
    if (!argv)
        return -ENOMEM;
    const char *wrong = split_into(text, argv, (char *)argv + pointers);
    if (wrong) {
        free(argv);
        *ret_wrong = wrong;
        return -EINVAL;
    }
    *ret_template = argv;
    return 0;
}

/* Filled twice by the same code: once to measure, with no block, once for real. */
struct filling {
    const struct command_values *values;
    char **argv; /* NULL while measuring */
    char *bytes;
    size_t argument_count;
    size_t byte_count;
};

static void put(struct filling *filling, const char *bytes, size_t len)
{
    if (filling->argv)
        memcpy(filling->bytes + filling->byte_count, bytes, len);
    filling->byte_count += len;
}

static void start_argument(struct filling *filling)
{
    if (filling->argv)
        filling->argv[filling->argument_count] = filling->bytes + filling->byte_count;
    filling->argument_count++;
}

static void put_list(struct filling *filling, const char *const *list)
{
    for (; list && *list; list++) {
        start_argument(filling);
        put(filling, *list, strlen(*list) + 1);
    }
}

static size_t stem_length(const char *file_name)
{
    const char *slash = strrchr(file_name, '/');
    const char *dot = strrchr(slash ? slash : file_name, '.');
    return dot ? (size_t)(dot - file_name) : strlen(file_name);
}

static void put_mebibytes(struct filling *filling, uint64_t bytes)
{
    char number[24];
    int len = snprintf(number, sizeof number, "%llu", (unsigned long long)MAX(bytes / MIB, 1));
    put(filling, number, (size_t)len);
}

static void put_value(struct filling *filling, enum placeholder which)
{
    const struct command_values *values = filling->values;
    if (which == SOURCE)
        put(filling, values->entry_file, strlen(values->entry_file));
    else if (which == STEM)
        put(filling, values->entry_file, stem_length(values->entry_file));
    else if (which == MEMORY_MB)
        put_mebibytes(filling, values->memory_bytes);
    else if (which == HEAP_MB)
        put_mebibytes(filling, values->memory_bytes * values->heap_percent / 100);
}

static bool speaks_of_memory(const char *argument)
{
    return strstr(argument, placeholders[MEMORY_MB].text) ||
           strstr(argument, placeholders[HEAP_MB].text);
}

static void fill_argument(struct filling *filling, const char *argument)
{
    start_argument(filling);
    while (*argument) {
        enum placeholder which = placeholder_at(argument);
        if (which == PLACEHOLDER_COUNT) {
            put(filling, argument++, 1);
            continue;
        }
        put_value(filling, which);
        argument += strlen(placeholders[which].text);
    }
    put(filling, "", 1);
}

static void fill(struct filling *filling, const char *const *template)
{
    for (; *template; template ++) {
        enum placeholder which = placeholder_at(*template);
        if (which == FILES)
            put_list(filling, filling->values->files);
        else if (which == ARGS)
            put_list(filling, filling->values->args);
        else if (which == COMPILE_ARGS)
            put_list(filling, filling->values->compile_args);
        else if (filling->values->memory_bytes > 0 || !speaks_of_memory(*template))
            fill_argument(filling, *template);
    }
}

char **language_command(const char *const *template, const struct command_values *values)
{
    struct filling filling = {.values = values};
    fill(&filling, template);
    size_t pointers = (filling.argument_count + 1) * sizeof(char *);
    char **argv = malloc(pointers + filling.byte_count);
    if (!argv)
        return NULL;
    filling = (struct filling){.values = values, .argv = argv, .bytes = (char *)argv + pointers};
    fill(&filling, template);
    argv[filling.argument_count] = NULL;
    return argv;
}
