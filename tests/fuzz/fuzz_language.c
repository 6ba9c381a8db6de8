/* SPDX-License-Identifier: MIT */
/* A language file and, behind a line of "---", a program: a file that is taken makes whole
 * commands; and no program names its entry file by more than a stem, in any language. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "language/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct catalogue *builtin;

static void set_up(void)
{
    struct err err;
    builtin = catalogue_new();
    int rc = builtin ? catalogue_load_builtin(builtin, &err) : -1;
    assert(rc == 0);
}

static void check_command(const char *const *template, const char *entry_file)
{
    static const char *const args[] = {"a b", "$(id)", NULL};
    struct command_values values = {
        .entry_file = entry_file, .args = args, .memory_bytes = 64 * MIB, .heap_percent = 50};
    char **command = language_command(template, &values);
    assert(command && command[0]);
    free(command);
}

static void check_program(const struct language *language, struct slice source)
{
    char *entry_file = language_entry_file(language, source);
    assert(entry_file && entry_file[0] && !strchr(entry_file, '/') && entry_file[0] != '-');
    check_command(language->execute, entry_file);
    for (size_t i = 0; language->compile && language->compile[i]; i++)
        check_command(language->compile[i], entry_file);
    free(entry_file);
    free(language_version_from_output(language, source));
}

static void check_all(const struct catalogue *catalogue, struct slice source)
{
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        check_program(catalogue_at(catalogue, i), source);
}

/* Expressions are compiled by libc, which takes hours for some: they are the operator's. */
static bool has_expression(struct slice file)
{
    return memmem(file.at, file.len, "pattern", strlen("pattern")) ||
           memmem(file.at, file.len, "owner", strlen("owner"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct err err = {0};
    const char *at = (const char *)bytes;
    const char *line = size > 0 ? memmem(at, size, "\n---\n", 5) : NULL;
    struct slice file = {at, line ? (size_t)(line - at) : size};
    struct slice source = line ? (struct slice){line + 5, size - file.len - 5} : file;
    if (!builtin)
        set_up();
    if (size == 0)
        return 0;
    check_all(builtin, source);
    if (has_expression(file))
        return 0;
    struct catalogue *catalogue = catalogue_new();
    assert(catalogue);
    if (catalogue_load_text(catalogue, "fuzzed.lang", file, &err) == 0)
        check_all(catalogue, source);
    else
        assert(strstr(err.text, "fuzzed.lang"));
    catalogue_free(catalogue);
    return 0;
}
