/* SPDX-License-Identifier: MIT */
/* language_file.c — one language file, from text to entry: its sections, and what holds
 * where it says nothing. Its keys are language_keys.c's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "codec/ini_read.h"
#include "language/language_private.h"

enum { ENVIRONMENT_MAX = 32, HEAP_PERCENT_DEFAULT = 75 };

static const char *const nothing[] = {NULL};

struct reading {
    struct language_keys keys;
    size_t environment_count;
    const char **environment;
};

int language_bad_line(const struct ini_line *line, const char *what, struct err *err)
{
    return err_set(err, ERR_CONFIG, "%s: %s: %s", line->place, line->key, what);
}

int language_unknown(const char *place, const char *what, const struct nearest *nearest,
                     const char *where, struct err *err)
{
    if (nearest->best)
        return err_set(err, ERR_CONFIG, "%s: unknown %s '%s'; did you mean '%s'?", place, what,
                       nearest->word, nearest->best);
    return err_set(err, ERR_CONFIG, "%s: unknown %s '%s' (%s)", place, what, nearest->word, where);
}

int language_no_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory while reading the language files");
}

/* --- sections ------------------------------------------------------------- */

static int read_limit(struct limits *limits, const struct ini_line *line, struct err *err)
{
    struct nearest nearest = nearest_to(line->key);
    for (unsigned i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info((enum limit)i);
        char wanted[160];
        (void)nearest_offer(&nearest, info->option);
        if (strcmp(info->option, line->key) != 0)
            continue;
        if (limits->value[i] != 0)
            return language_bad_line(line, "given twice", err);
        if (limit_parse((enum limit)i, line->value, &limits->value[i]) == 0)
            return 0;
        return err_set(
            err, ERR_CONFIG, "%s: %s must be %s, not '%.40s'", line->place, line->key,
            limit_describe(info->unit, info->smallest, info->largest, wanted, sizeof wanted),
            line->value);
    }
    return language_unknown(line->place, "limit", &nearest, "'runnel run --help' has them all",
                            err);
}

static int read_key(struct reading *reading, const struct ini_line *line, struct err *err)
{
    return language_keys_read(&reading->keys, line, err);
}

static int read_limits(struct reading *reading, const struct ini_line *line, struct err *err)
{
    return read_limit(&reading->keys.entry->language.minimum, line, err);
}

static int read_compile_limits(struct reading *reading, const struct ini_line *line,
                               struct err *err)
{
    return read_limit(&reading->keys.entry->language.compile_minimum, line, err);
}

static int read_environment(struct reading *reading, const struct ini_line *line, struct err *err)
{
    size_t name_len = strlen(line->key);
    for (size_t i = 0; i < reading->environment_count; i++) {
        const char *known = reading->environment[i];
        if (strncmp(known, line->key, name_len) == 0 && known[name_len] == '=')
            return language_bad_line(line, "given twice", err);
    }
    if (reading->environment_count == ENVIRONMENT_MAX)
        return language_bad_line(line, "too many variables", err);
    char *text = NULL;
    if (asprintf(&text, "%s=%s", line->key, line->value) < 0)
        return language_no_memory(err);
    const char *kept = language_entry_keep(reading->keys.entry, text);
    reading->environment[reading->environment_count++] = kept;
    return kept ? 0 : language_no_memory(err);
}

static const struct {
    const char *name;
    int (*read)(struct reading *reading, const struct ini_line *line, struct err *err);
} sections[] = {
    {"", read_key},
    {"limits", read_limits},
    {"compile-limits", read_compile_limits},
    {"environment", read_environment},
};

static int on_line(void *context, const struct ini_line *line, struct err *err)
{
    struct nearest nearest = nearest_to(line->section);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        (void)nearest_offer(&nearest, sections[i].name);
        if (strcmp(sections[i].name, line->section) == 0)
            return line->key ? sections[i].read(context, line, err) : 0;
    }
    return language_unknown(line->place, "section", &nearest, "docs/LANGUAGES.md has them all",
                            err);
}

static void set_defaults(struct language_entry *entry)
{
    entry->order = UINT64_MAX;
    entry->language.aliases = nothing;
    entry->language.environment = nothing;
    entry->language.etc = nothing;
    entry->language.grammar = "text";
    entry->language.heap_percent = HEAP_PERCENT_DEFAULT;
}

struct language_entry *language_entry_read(const char *file_name, struct slice text,
                                           struct err *err)
{
    struct reading reading = {.keys.entry = calloc(1, sizeof(struct language_entry))};
    struct language_entry *entry = reading.keys.entry;
    if (entry) {
        set_defaults(entry);
        reading.environment =
            language_entry_keep(entry, calloc(ENVIRONMENT_MAX + 1, sizeof *reading.environment));
    }
    if (!reading.environment) {
        (void)language_no_memory(err);
        language_entry_free(entry);
        return NULL;
    }
    entry->language.environment = reading.environment;
    if (ini_read(file_name, text, on_line, &reading, err) < 0 ||
        language_keys_check(&reading.keys, file_name, err) < 0) {
        language_entry_free(entry);
        return NULL;
    }
    return entry;
}
