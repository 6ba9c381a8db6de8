/* SPDX-License-Identifier: MIT */
/* language_file.c — one language file, from text to entry.
 *
 * A new key is a row in `keys` with its reader, a member of struct language (or
 * of its entry) and a row in docs/LANGUAGES.md. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/nearest.h"
#include "base/parse.h"
#include "codec/ini_read.h"
#include "language/language_private.h"

enum { NAME_MAX_BYTES = 32, ENVIRONMENT_MAX = 32, HEAP_PERCENT_DEFAULT = 75 };

static const char *const nothing[] = {NULL};

struct reading {
    struct language_entry *entry;
    uint64_t seen; /* bit n: row n of `keys` was given */
    size_t compile_count;
    size_t environment_count;
    const char **environment;
};

struct key;
typedef int key_fn(struct reading *reading, const struct key *key, const struct ini_line *line,
                   struct err *err);

enum key_flag { REQUIRED = 1, REPEATS = 2, NEEDS_GROUP = 4 };

struct key {
    const char *name;
    key_fn *read;
    size_t offset; /* in struct language_entry; 0 when the reader knows */
    unsigned flags;
};

static int bad(const struct ini_line *line, const char *what, struct err *err)
{
    return err_set(err, ERR_CONFIG, "%s: %s: %s", line->place, line->key, what);
}

/* "toy.lang:7: unknown key 'colour'; did you mean 'color'?", or `where` all are told. */
static int unknown(const char *place, const char *what, const struct nearest *nearest,
                   const char *where, struct err *err)
{
    if (nearest->best)
        return err_set(err, ERR_CONFIG, "%s: unknown %s '%s'; did you mean '%s'?", place, what,
                       nearest->word, nearest->best);
    return err_set(err, ERR_CONFIG, "%s: unknown %s '%s' (%s)", place, what, nearest->word, where);
}

static int no_memory(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "out of memory while reading the language files");
}

static void *member(const struct reading *reading, const struct key *key)
{
    return (char *)reading->entry + key->offset;
}

static const char *keep_text(const struct reading *reading, const char *text)
{
    return language_entry_keep(reading->entry, strdup(text));
}

/* --- readers, one per kind of value ------------------------------------- */

static int read_text(struct reading *reading, const struct key *key, const struct ini_line *line,
                     struct err *err)
{
    const char *text = keep_text(reading, line->value);
    *(const char **)member(reading, key) = text;
    return text ? 0 : no_memory(err);
}

static int read_name(struct reading *reading, const struct key *key, const struct ini_line *line,
                     struct err *err)
{
    const char *text = line->value;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_+#.-") != strlen(text) ||
        !islower((unsigned char)text[0]) || strlen(text) > NAME_MAX_BYTES)
        return bad(line, "a name is a lower-case letter, then letters, digits and _+#.-", err);
    return read_text(reading, key, line, err);
}

static int read_source(struct reading *reading, const struct key *key, const struct ini_line *line,
                       struct err *err)
{
    const char *dot = strrchr(line->value, '.');
    if (!isalnum((unsigned char)line->value[0]) || strchr(line->value, '/') || !dot || !dot[1])
        return bad(line, "a plain file name with an ending, such as main.c, is needed", err);
    return read_text(reading, key, line, err);
}

static int read_path(struct reading *reading, const struct key *key, const struct ini_line *line,
                     struct err *err)
{
    if (line->value[0] != '/')
        return bad(line, "an absolute path is needed", err);
    return read_text(reading, key, line, err);
}

/* The words of a text: NULL-ended, one block. */
static const char **words_of(const struct reading *reading, const char *text)
{
    size_t pointers = (strlen(text) / 2 + 2) * sizeof(char *);
    size_t size = strlen(text) + 1;
    const char **words = language_entry_keep(reading->entry, calloc(1, pointers + size));
    if (!words)
        return NULL;
    char *rest = memcpy((char *)words + pointers, text, size);
    size_t count = 0;
    for (char *word = strtok_r(rest, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    return words;
}

static int read_words(struct reading *reading, const struct key *key, const struct ini_line *line,
                      struct err *err)
{
    const char **words = words_of(reading, line->value);
    *(const char *const **)member(reading, key) = words;
    return words ? 0 : no_memory(err);
}

static int read_endings(struct reading *reading, const struct key *key, const struct ini_line *line,
                        struct err *err)
{
    if (read_words(reading, key, line, err) < 0)
        return -1;
    for (const char *const *words = *(const char *const **)member(reading, key); *words; words++) {
        if (strpbrk(*words, "./"))
            return bad(line, "endings without the dot, such as py, are needed", err);
    }
    return 0;
}

static int read_requires(struct reading *reading, const struct key *key,
                         const struct ini_line *line, struct err *err)
{
    const char **paths = words_of(reading, line->value);
    if (!paths)
        return no_memory(err);
    for (size_t i = 0; paths[i]; i++) {
        if (paths[i][0] != '/')
            return bad(line, "absolute paths are needed", err);
    }
    return read_text(reading, key, line, err);
}

/* Which of them there are depends on the toolchain's version, hence the globs;
 * what is not there is left out. */
static int read_etc(struct reading *reading, const struct key *key, const struct ini_line *line,
                    struct err *err)
{
    const char **patterns = words_of(reading, line->value);
    if (!patterns)
        return no_memory(err);
    glob_t found = {0};
    for (size_t i = 0; patterns[i]; i++) {
        if (strncmp(patterns[i], "/etc/", 5) != 0 || strstr(patterns[i], "..")) {
            globfree(&found);
            return bad(line, "paths below /etc are needed", err);
        }
        int rc = glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, &found);
        if (rc != 0 && rc != GLOB_NOMATCH) {
            globfree(&found);
            return rc == GLOB_NOSPACE ? no_memory(err) : bad(line, "cannot be read", err);
        }
    }
    const char **paths = calloc(found.gl_pathc + 1, sizeof *paths);
    paths = language_entry_keep(reading->entry, paths);
    bool whole = paths != NULL;
    for (size_t i = 0; whole && i < found.gl_pathc; i++) {
        paths[i] = keep_text(reading, found.gl_pathv[i]);
        whole = paths[i] != NULL;
    }
    globfree(&found);
    *(const char *const **)member(reading, key) = paths;
    return whole ? 0 : no_memory(err);
}

static const char *const *template_of(const struct reading *reading, const struct ini_line *line,
                                      struct err *err)
{
    char **template = NULL;
    const char *wrong = NULL;
    int rc = template_split(line->value, &template, &wrong);
    if (rc == -EINVAL)
        (void)bad(line, wrong, err);
    else if (rc < 0 || !language_entry_keep(reading->entry, template))
        (void)no_memory(err);
    else
        return (const char *const *)template;
    return NULL;
}

static int read_command(struct reading *reading, const struct key *key, const struct ini_line *line,
                        struct err *err)
{
    const char *const *template = template_of(reading, line, err);
    *(const char *const **)member(reading, key) = template;
    return template ? 0 : -1;
}

static int read_compile(struct reading *reading, const struct key *key, const struct ini_line *line,
                        struct err *err)
{
    (void)key;
    struct language_entry *entry = reading->entry;
    if (reading->compile_count == COMPILE_COMMANDS_MAX)
        return bad(line, "too many of them", err);
    const char *const *template = template_of(reading, line, err);
    entry->compile[reading->compile_count++] = template;
    entry->language.compile = entry->compile;
    return template ? 0 : -1;
}

static int read_pattern(struct reading *reading, const struct key *key, const struct ini_line *line,
                        struct err *err)
{
    struct pattern *pattern = member(reading, key);
    int rc = pattern_compile(pattern, line->value);
    if (rc == -ENOMEM)
        return no_memory(err);
    if (rc < 0)
        return bad(line, "not an extended regular expression", err);
    if ((key->flags & NEEDS_GROUP) && pattern->regex.re_nsub == 0)
        return bad(line, "a (group) for what is to be found is needed", err);
    return 0;
}

static int read_switch(struct reading *reading, const struct key *key, const struct ini_line *line,
                       struct err *err)
{
    return parse_bool(line->value, member(reading, key)) < 0 ? bad(line, "yes or no", err) : 0;
}

static int read_number(struct reading *reading, const struct key *key, const struct ini_line *line,
                       struct err *err)
{
    return parse_u64(line->value, member(reading, key)) < 0
               ? bad(line, "a whole number is needed", err)
               : 0;
}

static int read_percent(struct reading *reading, const struct key *key, const struct ini_line *line,
                        struct err *err)
{
    uint64_t percent = 0;
    if (parse_u64(line->value, &percent) < 0 || percent < 1 || percent > 100)
        return bad(line, "1 to 100", err);
    *(unsigned *)member(reading, key) = (unsigned)percent;
    return 0;
}

#define AT(name) offsetof(struct language_entry, name)

/* clang-format off */
static const struct key keys[] = {
    {"name",            read_name,     AT(language.name),            REQUIRED},
    {"title",           read_text,     AT(language.title),           REQUIRED},
    {"aliases",         read_words,    AT(language.aliases),         0},
    {"order",           read_number,   AT(order),                    0},
    {"extensions",      read_endings,  AT(language.extensions),      REQUIRED},
    {"source",          read_source,   AT(language.source),          REQUIRED},
    {"entry_pattern",   read_pattern,  AT(entry_pattern),            NEEDS_GROUP},
    {"main_owner",      read_pattern,  AT(main_owner),               NEEDS_GROUP},
    {"main_pattern",    read_pattern,  AT(main_pattern),             0},
    {"compile",         read_compile,  0,                            REPEATS},
    {"execute",         read_command,  AT(language.execute),         REQUIRED},
    {"version_command", read_command,  AT(language.version_command), 0},
    {"version_pattern", read_pattern,  AT(version_pattern),          NEEDS_GROUP},
    {"requires",        read_requires, AT(language.requires),        REQUIRED},
    {"packages",        read_text,     AT(language.packages),        0},
    {"unavailable",     read_text,     AT(language.unavailable),     0},
    {"etc",             read_etc,      AT(language.etc),             0},
    {"rootfs",          read_path,     AT(language.rootfs),          0},
    {"whole_proc",      read_switch,   AT(language.whole_proc),      0},
    {"heap_percent",    read_percent,  AT(language.heap_percent),    0},
    {"grammar",         read_text,     AT(language.grammar),         0},
};
/* clang-format on */

static_assert(ARRAY_LEN(keys) <= 64, "reading.seen has a bit for each key");

static int read_key(struct reading *reading, const struct ini_line *line, struct err *err)
{
    struct nearest nearest = nearest_to(line->key);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        (void)nearest_offer(&nearest, keys[i].name);
        if (strcmp(keys[i].name, line->key) != 0)
            continue;
        if ((reading->seen >> i & 1) && !(keys[i].flags & REPEATS))
            return bad(line, "given twice", err);
        reading->seen |= (uint64_t)1 << i;
        if (line->value[0] == '\0')
            return bad(line, "a value is needed", err);
        return keys[i].read(reading, &keys[i], line, err);
    }
    return unknown(line->place, "key", &nearest, "docs/LANGUAGES.md has them all", err);
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
            return bad(line, "given twice", err);
        if (limit_parse((enum limit)i, line->value, &limits->value[i]) == 0)
            return 0;
        return err_set(
            err, ERR_CONFIG, "%s: %s must be %s, not '%.40s'", line->place, line->key,
            limit_describe(info->unit, info->smallest, info->largest, wanted, sizeof wanted),
            line->value);
    }
    return unknown(line->place, "limit", &nearest, "'runnel run --help' has them all", err);
}

static int read_limits(struct reading *reading, const struct ini_line *line, struct err *err)
{
    return read_limit(&reading->entry->language.minimum, line, err);
}

static int read_compile_limits(struct reading *reading, const struct ini_line *line,
                               struct err *err)
{
    return read_limit(&reading->entry->language.compile_minimum, line, err);
}

static int read_environment(struct reading *reading, const struct ini_line *line, struct err *err)
{
    size_t name_len = strlen(line->key);
    for (size_t i = 0; i < reading->environment_count; i++) {
        const char *known = reading->environment[i];
        if (strncmp(known, line->key, name_len) == 0 && known[name_len] == '=')
            return bad(line, "given twice", err);
    }
    if (reading->environment_count == ENVIRONMENT_MAX)
        return bad(line, "too many variables", err);
    char *text = NULL;
    if (asprintf(&text, "%s=%s", line->key, line->value) < 0)
        return no_memory(err);
    const char *kept = language_entry_keep(reading->entry, text);
    reading->environment[reading->environment_count++] = kept;
    return kept ? 0 : no_memory(err);
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
    return unknown(line->place, "section", &nearest, "docs/LANGUAGES.md has them all", err);
}

/* --- the whole file ------------------------------------------------------- */

static int check_whole(const struct reading *reading, const char *file_name, struct err *err)
{
    const struct language_entry *entry = reading->entry;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if ((keys[i].flags & REQUIRED) && !(reading->seen >> i & 1))
            return err_set(err, ERR_CONFIG, "%s: the key '%s' is missing", file_name, keys[i].name);
    }
    if (entry->main_owner.set != entry->main_pattern.set)
        return err_set(err, ERR_CONFIG, "%s: main_owner and main_pattern go together", file_name);
    if (entry->version_pattern.set != (entry->language.version_command != NULL))
        return err_set(err, ERR_CONFIG, "%s: version_command and version_pattern go together",
                       file_name);
    return 0;
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
    struct reading reading = {.entry = calloc(1, sizeof *reading.entry)};
    if (reading.entry) {
        set_defaults(reading.entry);
        reading.environment = language_entry_keep(
            reading.entry, calloc(ENVIRONMENT_MAX + 1, sizeof *reading.environment));
    }
    if (!reading.environment) {
        (void)no_memory(err);
        language_entry_free(reading.entry);
        return NULL;
    }
    reading.entry->language.environment = reading.environment;
    if (ini_read(file_name, text, on_line, &reading, err) < 0 ||
        check_whole(&reading, file_name, err) < 0) {
        language_entry_free(reading.entry);
        return NULL;
    }
    return reading.entry;
}
