/* SPDX-License-Identifier: MIT */
/* language_keys.c — the keys of a language file, and what each may be given.
 *
 * A new key is a row in `keys` with its reader, a member of struct language (or
 * of its entry) and a row in docs/LANGUAGES.md. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "codec/ini_read.h"
#include "language/language_private.h"

enum { NAME_MAX_BYTES = 32 };

struct key;
typedef int key_fn(struct language_keys *given, const struct key *key, const struct ini_line *line,
                   struct err *err);

enum key_flag { REQUIRED = 1, REPEATS = 2, NEEDS_GROUP = 4 };

struct key {
    const char *name;
    key_fn *read;
    size_t offset; /* in struct language_entry; 0 when the reader knows */
    unsigned flags;
};

static void *member(const struct language_keys *given, const struct key *key)
{
    return (char *)given->entry + key->offset;
}

static const char *keep_text(const struct language_keys *given, const char *text)
{
    return language_entry_keep(given->entry, strdup(text));
}

/* --- readers, one per kind of value ------------------------------------- */

static int read_text(struct language_keys *given, const struct key *key,
                     const struct ini_line *line, struct err *err)
{
    const char *text = keep_text(given, line->value);
    *(const char **)member(given, key) = text;
    return text ? 0 : language_no_memory(err);
}

static int read_name(struct language_keys *given, const struct key *key,
                     const struct ini_line *line, struct err *err)
{
    const char *text = line->value;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_+#.-") != strlen(text) ||
        !islower((unsigned char)text[0]) || strlen(text) > NAME_MAX_BYTES)
        return language_bad_line(
            line, "a name is a lower-case letter, then letters, digits and _+#.-", err);
    return read_text(given, key, line, err);
}

static int read_source(struct language_keys *given, const struct key *key,
                       const struct ini_line *line, struct err *err)
{
    const char *dot = strrchr(line->value, '.');
    if (!isalnum((unsigned char)line->value[0]) || strchr(line->value, '/') || !dot || !dot[1])
        return language_bad_line(
            line, "a plain file name with an ending, such as main.c, is needed", err);
    return read_text(given, key, line, err);
}

static int read_path(struct language_keys *given, const struct key *key,
                     const struct ini_line *line, struct err *err)
{
    if (line->value[0] != '/')
        return language_bad_line(line, "an absolute path is needed", err);
    return read_text(given, key, line, err);
}

/* The words of a text: NULL-ended, one block. */
static const char **words_of(const struct language_keys *given, const char *text)
{
    size_t pointers = (strlen(text) / 2 + 2) * sizeof(char *);
    size_t size = strlen(text) + 1;
    const char **words = language_entry_keep(given->entry, calloc(1, pointers + size));
    if (!words)
        return NULL;
    char *rest = memcpy((char *)words + pointers, text, size);
    size_t count = 0;
    for (char *word = strtok_r(rest, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    return words;
}

static int read_words(struct language_keys *given, const struct key *key,
                      const struct ini_line *line, struct err *err)
{
    const char **words = words_of(given, line->value);
    *(const char *const **)member(given, key) = words;
    return words ? 0 : language_no_memory(err);
}

static int read_endings(struct language_keys *given, const struct key *key,
                        const struct ini_line *line, struct err *err)
{
    if (read_words(given, key, line, err) < 0)
        return -1;
    for (const char *const *words = *(const char *const **)member(given, key); *words; words++) {
        if (strpbrk(*words, "./"))
            return language_bad_line(line, "endings without the dot, such as py, are needed", err);
    }
    return 0;
}

static int read_requires(struct language_keys *given, const struct key *key,
                         const struct ini_line *line, struct err *err)
{
    const char **paths = words_of(given, line->value);
    if (!paths)
        return language_no_memory(err);
    for (size_t i = 0; paths[i]; i++) {
        if (paths[i][0] != '/')
            return language_bad_line(line, "absolute paths are needed", err);
    }
    return read_text(given, key, line, err);
}

/* Which of them there are depends on the toolchain's version, hence the globs;
 * what is not there is left out. */
static int read_etc(struct language_keys *given, const struct key *key, const struct ini_line *line,
                    struct err *err)
{
    const char **patterns = words_of(given, line->value);
    if (!patterns)
        return language_no_memory(err);
    glob_t found = {0};
    for (size_t i = 0; patterns[i]; i++) {
        if (strncmp(patterns[i], "/etc/", 5) != 0 || strstr(patterns[i], "..")) {
            globfree(&found);
            return language_bad_line(line, "paths below /etc are needed", err);
        }
        int rc = glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, &found);
        if (rc != 0 && rc != GLOB_NOMATCH) {
            globfree(&found);
            return rc == GLOB_NOSPACE ? language_no_memory(err)
                                      : language_bad_line(line, "cannot be read", err);
        }
    }
    const char **paths = calloc(found.gl_pathc + 1, sizeof *paths);
    paths = language_entry_keep(given->entry, paths);
    bool whole = paths != NULL;
    for (size_t i = 0; whole && i < found.gl_pathc; i++) {
        paths[i] = keep_text(given, found.gl_pathv[i]);
        whole = paths[i] != NULL;
    }
    globfree(&found);
    *(const char *const **)member(given, key) = paths;
    return whole ? 0 : language_no_memory(err);
}

static const char *const *template_of(const struct language_keys *given,
                                      const struct ini_line *line, struct err *err)
{
    char **template = NULL;
    const char *wrong = NULL;
    int rc = template_split(line->value, &template, &wrong);
    if (rc == -EINVAL)
        (void)language_bad_line(line, wrong, err);
    else if (rc < 0 || !language_entry_keep(given->entry, template))
        (void)language_no_memory(err);
    else
        return (const char *const *)template;
    return NULL;
}

static int read_command(struct language_keys *given, const struct key *key,
                        const struct ini_line *line, struct err *err)
{
    const char *const *template = template_of(given, line, err);
    *(const char *const **)member(given, key) = template;
    return template ? 0 : -1;
}

static int read_compile(struct language_keys *given, const struct key *key,
                        const struct ini_line *line, struct err *err)
{
    (void)key;
    struct language_entry *entry = given->entry;
    if (given->compile_count == COMPILE_COMMANDS_MAX)
        return language_bad_line(line, "too many of them", err);
    const char *const *template = template_of(given, line, err);
    entry->compile[given->compile_count++] = template;
    entry->language.compile = entry->compile;
    return template ? 0 : -1;
}

static int read_pattern(struct language_keys *given, const struct key *key,
                        const struct ini_line *line, struct err *err)
{
    struct pattern *pattern = member(given, key);
    int rc = pattern_compile(pattern, line->value);
    if (rc == -ENOMEM)
        return language_no_memory(err);
    if (rc < 0)
        return language_bad_line(line, "not an extended regular expression", err);
    if ((key->flags & NEEDS_GROUP) && pattern->regex.re_nsub == 0)
        return language_bad_line(line, "a (group) for what is to be found is needed", err);
    return 0;
}

static int read_switch(struct language_keys *given, const struct key *key,
                       const struct ini_line *line, struct err *err)
{
    return parse_bool(line->value, member(given, key)) < 0
               ? language_bad_line(line, "yes or no", err)
               : 0;
}

static int read_number(struct language_keys *given, const struct key *key,
                       const struct ini_line *line, struct err *err)
{
    return parse_u64(line->value, member(given, key)) < 0
               ? language_bad_line(line, "a whole number is needed", err)
               : 0;
}

static int read_percent(struct language_keys *given, const struct key *key,
                        const struct ini_line *line, struct err *err)
{
    uint64_t percent = 0;
    if (parse_u64(line->value, &percent) < 0 || percent < 1 || percent > 100)
        return language_bad_line(line, "1 to 100", err);
    *(unsigned *)member(given, key) = (unsigned)percent;
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

static_assert(ARRAY_LEN(keys) <= 64, "language_keys.seen has a bit for each key");

int language_keys_read(struct language_keys *given, const struct ini_line *line, struct err *err)
{
    struct nearest nearest = nearest_to(line->key);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        (void)nearest_offer(&nearest, keys[i].name);
        if (strcmp(keys[i].name, line->key) != 0)
            continue;
        if ((given->seen >> i & 1) && !(keys[i].flags & REPEATS))
            return language_bad_line(line, "given twice", err);
        given->seen |= (uint64_t)1 << i;
        if (line->value[0] == '\0')
            return language_bad_line(line, "a value is needed", err);
        return keys[i].read(given, &keys[i], line, err);
    }
    return language_unknown(line->place, "key", &nearest, "docs/LANGUAGES.md has them all", err);
}

int language_keys_check(const struct language_keys *given, const char *file_name, struct err *err)
{
    const struct language_entry *entry = given->entry;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if ((keys[i].flags & REQUIRED) && !(given->seen >> i & 1))
            return err_set(err, ERR_CONFIG, "%s: the key '%s' is missing", file_name, keys[i].name);
    }
    if (entry->main_owner.set != entry->main_pattern.set)
        return err_set(err, ERR_CONFIG, "%s: main_owner and main_pattern go together", file_name);
    if (entry->version_pattern.set != (entry->language.version_command != NULL))
        return err_set(err, ERR_CONFIG, "%s: version_command and version_pattern go together",
                       file_name);
    return 0;
}
