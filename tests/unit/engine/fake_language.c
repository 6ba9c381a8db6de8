/* SPDX-License-Identifier: MIT */
/* fake_language.c — the two helpers of language.h that the engine calls, as
 * simply as they can be: {source}, {files} and {args} as whole arguments. */
#include <stdlib.h>
#include <string.h>

#include "language/language.h"

char *language_entry_file(const struct language *language, struct slice source)
{
    (void)source;
    return strdup(language->source);
}

static size_t copy_all(char **argv, size_t at, const char *const *texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        argv[at++] = (char *)texts[i];
    return at;
}

char **language_command(const char *const *template, const struct command_values *values)
{
    char **argv = calloc(1024, sizeof(char *));
    size_t at = 0;
    for (size_t i = 0; argv && template[i]; i++) {
        if (strcmp(template[i], "{source}") == 0)
            argv[at++] = (char *)values->entry_file;
        else if (strcmp(template[i], "{files}") == 0)
            at = copy_all(argv, at, values->files);
        else if (strcmp(template[i], "{args}") == 0)
            at = copy_all(argv, at, values->args);
        else
            argv[at++] = (char *)template[i];
    }
    return argv;
}
