/* SPDX-License-Identifier: MIT */
/* catalogue.c — all languages, by name, alias, file ending and order. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "codec/ini_read.h"
#include "language/language_private.h"

extern const struct embedded_file builtin_languages[];
extern const struct embedded_file builtin_samples[];

enum { LANGUAGES_MAX = 256 };

struct catalogue {
    struct language_entry *entries[LANGUAGES_MAX]; /* sorted */
    size_t count;
};

struct catalogue *catalogue_new(void)
{
    return calloc(1, sizeof(struct catalogue));
}

void catalogue_free(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    for (size_t i = 0; i < catalogue->count; i++)
        language_entry_free(catalogue->entries[i]);
    free(catalogue);
}

size_t catalogue_count(const struct catalogue *catalogue)
{
    return catalogue->count;
}

const struct language *catalogue_at(const struct catalogue *catalogue, size_t index)
{
    return &catalogue->entries[index]->language;
}

static bool has_word(const char *const *words, struct slice word)
{
    for (; words && *words; words++) {
        if (slice_is(word, *words))
            return true;
    }
    return false;
}

const struct language *catalogue_find(const struct catalogue *catalogue, struct slice name)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct language *language = &catalogue->entries[i]->language;
        if (slice_is(name, language->name) || has_word(language->aliases, name))
            return language;
    }
    return NULL;
}

/* "py"; NULL when there is none. */
static const char *ending_of(const char *file_name)
{
    const char *slash = strrchr(file_name, '/');
    const char *dot = strrchr(slash ? slash : file_name, '.');
    return dot ? dot + 1 : NULL;
}

const struct language *catalogue_find_by_file(const struct catalogue *catalogue,
                                              const char *file_name)
{
    const char *ending = ending_of(file_name);
    for (size_t i = 0; ending && i < catalogue->count; i++) {
        const struct language *language = &catalogue->entries[i]->language;
        if (has_word(language->extensions, slice_of(ending)))
            return language;
    }
    return NULL;
}

char *language_entry_like(const struct language *language, const char *file_name)
{
    const char *ending = ending_of(file_name);
    const char *usual = ending_of(language->source);
    char *name = NULL;
    if (!ending || strcmp(ending, usual) == 0 ||
        !has_word(language->extensions, slice_of(ending)) ||
        asprintf(&name, "%.*s%s", (int)(usual - language->source), language->source, ending) < 0)
        return NULL;
    return name;
}

void catalogue_set_installed(struct catalogue *catalogue, const struct language *language,
                             bool installed)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        if (&catalogue->entries[i]->language == language)
            catalogue->entries[i]->language.installed = installed;
    }
}

void catalogue_set_version(struct catalogue *catalogue, const struct language *language,
                           const char *version)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        struct language_entry *entry = catalogue->entries[i];
        char *copy = &entry->language == language ? strdup(version) : NULL;
        if (!copy)
            continue;
        free(entry->version);
        entry->version = copy;
        entry->language.version = copy;
    }
}

/* --- loading -------------------------------------------------------------- */

static bool comes_before(const struct language_entry *a, const struct language_entry *b)
{
    if (a->order != b->order)
        return a->order < b->order;
    return strcmp(a->language.name, b->language.name) < 0;
}

static int check_name(const struct catalogue *catalogue, const char *file_name, const char *name,
                      struct err *err)
{
    const struct language *owner = catalogue_find(catalogue, slice_of(name));
    if (!owner)
        return 0;
    return err_set(err, ERR_CONFIG, "%s: the name '%s' is taken by %s", file_name, name,
                   owner->title);
}

static bool is_installed(const struct language *language)
{
    const char *root = language->rootfs ? language->rootfs : "";
    const char *path = language->requires;
    for (size_t len; *path; path += len) {
        char whole[PATH_MAX];
        path += strspn(path, " \t");
        len = strcspn(path, " \t");
        int room = snprintf(whole, sizeof whole, "%s%.*s", root, (int)len, path);
        if (room >= (int)sizeof whole || access(whole, F_OK) < 0)
            return false;
    }
    return true;
}

static int check_room(const struct catalogue *catalogue, const char *file_name,
                      const struct language *language, struct err *err)
{
    if (catalogue->count == LANGUAGES_MAX)
        return err_set(err, ERR_CONFIG, "%s: there are %d languages already", file_name,
                       LANGUAGES_MAX);
    if (check_name(catalogue, file_name, language->name, err) < 0)
        return -1;
    for (size_t i = 0; language->aliases[i]; i++) {
        if (check_name(catalogue, file_name, language->aliases[i], err) < 0)
            return -1;
    }
    return 0;
}

/* Takes the entry. */
static int add(struct catalogue *catalogue, const char *file_name, struct language_entry *entry,
               struct err *err)
{
    if (check_room(catalogue, file_name, &entry->language, err) < 0) {
        language_entry_free(entry);
        return -1;
    }
    entry->language.installed = is_installed(&entry->language);
    struct language_entry **entries = catalogue->entries;
    size_t place = catalogue->count++;
    for (; place > 0 && comes_before(entry, entries[place - 1]); place--)
        entries[place] = entries[place - 1];
    entries[place] = entry;
    return 0;
}

int catalogue_load_text(struct catalogue *catalogue, const char *file_name, struct slice text,
                        struct err *err)
{
    struct language_entry *entry = language_entry_read(file_name, text, err);
    return entry ? add(catalogue, file_name, entry, err) : -1;
}

/* Samples are told apart by their endings: "stdin.py". */
static void find_builtin_sample(struct language *language)
{
    for (const struct embedded_file *file = builtin_samples; file->name; file++) {
        const char *dot = strrchr(file->name, '.');
        if (dot && language->extensions && strcmp(dot + 1, language->extensions[0]) == 0)
            language->sample = file->text;
    }
}

int catalogue_load_builtin(struct catalogue *catalogue, struct err *err)
{
    for (const struct embedded_file *file = builtin_languages; file->name; file++) {
        struct slice text = {file->text, file->len};
        if (catalogue_load_text(catalogue, file->name, text, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < catalogue->count; i++)
        find_builtin_sample(&catalogue->entries[i]->language);
    return 0;
}

/* The folder samples/NAME beside the file, when there is one. */
static int find_samples(struct language_entry *entry, const char *directory, struct err *err)
{
    char *path = NULL;
    struct stat status;
    if (asprintf(&path, "%s/samples/%s", directory, entry->language.name) < 0 ||
        !language_entry_keep(entry, path))
        return err_set(err, ERR_INTERNAL, "out of memory for languages");
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        entry->language.samples = path;
    return 0;
}

static int load_file(struct catalogue *catalogue, const char *directory, const char *name,
                     struct err *err)
{
    auto_buf struct buf text = {0};
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
        return err_set(err, ERR_CONFIG, "%s/%s: the path is too long", directory, name);
    if (ini_load(path, &text, err) < 0)
        return -1;
    struct language_entry *entry = language_entry_read(path, buf_slice(&text), err);
    if (!entry)
        return -1;
    if (find_samples(entry, directory, err) < 0) {
        language_entry_free(entry);
        return -1;
    }
    return add(catalogue, path, entry, err);
}

static int is_language_file(const struct dirent *item)
{
    static const char ending[] = ".lang";
    size_t len = strlen(item->d_name);
    return item->d_name[0] != '.' && len > strlen(ending) &&
           strcmp(item->d_name + len - strlen(ending), ending) == 0;
}

/* In the bytes' order, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int catalogue_load_dir(struct catalogue *catalogue, const char *directory, struct err *err)
{
    struct dirent **items = NULL;
    int count = scandir(directory, &items, is_language_file, by_name);
    if (count < 0)
        return err_config(err, "languages_dirs", "languages_dirs: cannot read '%s': %s", directory,
                          strerror(errno));
    int rc = 0;
    for (int i = 0; i < count; i++) {
        if (rc == 0)
            rc = load_file(catalogue, directory, items[i]->d_name, err);
        free(items[i]);
    }
    free(items);
    return rc;
}
