/* SPDX-License-Identifier: MIT */
/* run_plan.c — a submission, checked and copied: nothing of the client's stays
 * borrowed. Paths and names are checked here for a good answer; the spawner
 * checks again what matters to it. */
#include "engine/run_plan.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/util.h"
#include "codec/utf8.h"

enum {
    FILES_MAX = 256,
    PATH_BYTES_MAX = 255,
    ARGS_MAX = 256,
    ENV_MAX = 64,
    /* Names of files, arguments and environment together: they travel in one
     * message to the spawner and end on the program's first stack. */
    TEXTS_BYTES_MAX = 64 * 1024,
    PAGE = 4096, /* what a tmpfs rounds files to */
};

/* What every program finds; a language and then the request replace by name. */
static const char *const usual_env[] = {
    "HOME=/work", "TMPDIR=/tmp", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", NULL,
};

/* Of a terminal, which every emulator of today understands. */
static const char terminal_env[] = "TERM=xterm-256color";

/* Variables through which a loader or an interpreter takes orders before the
 * program's first line. The last of a name's `*` stands for any ending. */
static const char *const forbidden_env[] = {
    "LD_*",     "GLIBC_TUNABLES", "PATH",       "PYTHON*",   "NODE_OPTIONS",     "NODE_PATH",
    "JAVA_*",   "_JAVA_OPTIONS",  "JDK_*",      "CLASSPATH", "BASH_ENV",         "ENV",
    "RUBYOPT",  "RUBYLIB",        "PERL5*",     "PHPRC",     "PHP_INI_SCAN_DIR", "MONO_*",
    "MALLOC_*", "LOCPATH",        "GCONV_PATH", "IFS",
};

static size_t count_of(const char *const *texts)
{
    size_t count = 0;
    while (texts && texts[count])
        count++;
    return count;
}

/* With their NULs. */
static size_t bytes_of(const char *const *texts)
{
    size_t bytes = 0;
    while (texts && *texts)
        bytes += strlen(*texts++) + 1;
    return bytes;
}

static bool name_is(const char *pattern, struct slice name)
{
    size_t len = strlen(pattern);
    if (pattern[len - 1] == '*')
        return name.len >= len - 1 && memcmp(pattern, name.at, len - 1) == 0;
    return slice_is(name, pattern);
}

static struct slice env_name(const char *entry)
{
    return (struct slice){entry, strcspn(entry, "=")};
}

static int check_env_entry(const char *entry, struct err *err)
{
    struct slice name = env_name(entry);
    bool valid = name.len > 0 && entry[name.len] == '=' && !isdigit((unsigned char)name.at[0]);
    for (size_t i = 0; i < name.len; i++)
        valid = valid && (name.at[i] == '_' || (isascii(name.at[i]) && isalnum(name.at[i])));
    if (!valid)
        return err_field(err, "env", "not a name for an environment variable");
    for (size_t i = 0; i < ARRAY_LEN(forbidden_env); i++) {
        if (name_is(forbidden_env[i], name))
            return err_field(err, "env", "%.*s may not be set", (int)name.len, name.at);
    }
    return 0;
}

static int check_texts(const struct run_spec *spec, struct err *err)
{
    size_t bytes = 0;
    if (count_of(spec->args) > ARGS_MAX)
        return err_field(err, "args", "more than %d arguments", ARGS_MAX);
    if (count_of(spec->compile_args) > ARGS_MAX)
        return err_field(err, "compile_args", "more than %d arguments", ARGS_MAX);
    if (count_of(spec->env) > ENV_MAX)
        return err_field(err, "env", "more than %d variables", ENV_MAX);
    bytes += bytes_of(spec->args) + bytes_of(spec->compile_args);
    for (size_t i = 0; spec->env && spec->env[i]; i++) {
        if (check_env_entry(spec->env[i], err) < 0)
            return -1;
        bytes += strlen(spec->env[i]) + 1;
    }
    for (size_t i = 0; i < spec->file_count; i++)
        bytes += strlen(spec->files[i].path) + 1;
    if (bytes > TEXTS_BYTES_MAX)
        return err_field(err, "args", "arguments, environment and file names are longer than %d",
                         TEXTS_BYTES_MAX);
    return 0;
}

/* Relative, plain, inside the workspace, and not to be taken for an option by a
 * compiler that gets it as an argument. */
static bool is_plain_path(const char *path)
{
    size_t len = strlen(path);
    if (len == 0 || len > PATH_BYTES_MAX || path[0] == '-')
        return false;
    for (const char *at = path; *at; at++) {
        if (iscntrl((unsigned char)*at))
            return false;
    }
    while (true) {
        size_t part = strcspn(path, "/");
        if (part == 0 || (part == 1 && path[0] == '.') ||
            (part == 2 && strncmp(path, "..", 2) == 0))
            return false;
        if (path[part] == '\0')
            return true;
        path += part + 1;
    }
}

/* One path, or one of them a folder on the other's way. */
static bool collide(const char *a, const char *b)
{
    size_t len = MIN(strlen(a), strlen(b));
    return strncmp(a, b, len) == 0 && (a[len] == '\0' || a[len] == '/') &&
           (b[len] == '\0' || b[len] == '/');
}

/* A file may stand in a folder of ours, not in its place. */
static bool takes_folder(const char *path, const char *const *folders)
{
    size_t len = strlen(path);
    for (; folders && *folders; folders++) {
        if (strncmp(*folders, path, len) == 0 && (*folders)[len] == '/')
            return true;
    }
    return false;
}

static int check_files(const struct run_spec *spec, const char *entry_file, struct err *err)
{
    char shown[80];
    if (!is_plain_path(entry_file))
        return err_field(err, "entry_file",
                         "the program's name '%s' is no path inside the workspace: write plain "
                         "names, as in src/main.py",
                         utf8_for_people(shown, sizeof shown, slice_of(entry_file)));
    if (takes_folder(entry_file, spec->folders))
        return err_field(err, "entry_file", "the name of the program's file is taken");
    if (spec->file_count > FILES_MAX)
        return err_field(err, "files", "more than %d files", FILES_MAX);
    for (size_t i = 0; i < spec->file_count; i++) {
        const char *path = spec->files[i].path;
        if (!is_plain_path(path))
            return err_field(err, "files",
                             "file %zu: '%s' is no path inside the workspace: write plain names, "
                             "as in data/in.txt",
                             i + 1, utf8_for_people(shown, sizeof shown, slice_of(path)));
        bool taken = collide(path, entry_file) || takes_folder(path, spec->folders);
        for (size_t j = 0; j < i; j++)
            taken = taken || collide(path, spec->files[j].path);
        if (taken)
            return err_field(err, "files", "file %zu: the name '%s' is taken", i + 1,
                             utf8_for_people(shown, sizeof shown, slice_of(path)));
    }
    return 0;
}

static uint64_t folders_of(const char *path)
{
    uint64_t folders = 0;
    for (; *path; path++)
        folders += *path == '/';
    return folders;
}

/* Otherwise filling the workspace would fail, and that would be our failure. */
static int check_fit(const struct run_plan *plan, const struct limits *limits, struct err *err)
{
    uint64_t bytes = 0;
    uint64_t inodes = 1; /* the workspace itself */
    for (size_t i = 0; i < plan->file_count; i++) {
        bytes += (plan->files[i].content.len + PAGE - 1) / PAGE * PAGE;
        inodes += 1 + folders_of(plan->files[i].path);
    }
    uint64_t room = limits->value[LIMIT_WORKSPACE];
    uint64_t inode_room = limits->value[LIMIT_INODES];
    if ((room == 0 || bytes <= room) && (inode_room == 0 || inodes <= inode_room))
        return 0;
    return err_set(err, ERR_TOO_LARGE, "the files do not fit the workspace");
}

/* Hands out pieces of a block that was measured first. */
struct packer {
    char *at;
    size_t left;
};

static void *pack(struct packer *packer, const void *bytes, size_t len)
{
    void *place = packer->at;
    assert(len <= packer->left);
    if (len > 0)
        memcpy(place, bytes, len);
    packer->at += len;
    packer->left -= len;
    return place;
}

static const char *pack_text(struct packer *packer, const char *text)
{
    return pack(packer, text, strlen(text) + 1);
}

static bool is_source(const struct language *language, const char *path)
{
    const char *ending = strrchr(path, '.');
    if (!ending)
        return false;
    for (size_t i = 0; language->extensions && language->extensions[i]; i++) {
        if (strcmp(language->extensions[i], ending + 1) == 0)
            return true;
    }
    return false;
}

/* Appends to a list with room enough, or replaces what has the same name. */
static void set_env(const char **list, const char *entry)
{
    struct slice name = env_name(entry);
    while (*list && !slice_equal(env_name(*list), name))
        list++;
    *list = entry;
}

static void fill_env(struct run_plan *plan, const struct run_spec *spec, struct packer *texts)
{
    for (size_t i = 0; usual_env[i]; i++) {
        set_env(plan->compile_env, usual_env[i]);
        set_env(plan->env, usual_env[i]);
    }
    if (spec->tty)
        set_env(plan->env, terminal_env);
    for (size_t i = 0; spec->language->environment && spec->language->environment[i]; i++) {
        set_env(plan->compile_env, spec->language->environment[i]);
        set_env(plan->env, spec->language->environment[i]);
    }
    /* The request's own is for its program, not for our toolchain. */
    for (size_t i = 0; spec->env && spec->env[i]; i++)
        set_env(plan->env, pack_text(texts, spec->env[i]));
}

static void fill(struct run_plan *plan, const struct run_spec *spec, const char *entry_file,
                 struct packer *texts, struct packer *contents)
{
    plan->entry_file = pack_text(texts, entry_file);
    plan->files[plan->file_count++] = (struct workspace_file){
        plan->entry_file,
        {pack(contents, spec->source.at, spec->source.len), spec->source.len},
    };
    size_t sources = 0;
    for (size_t i = 0; i < spec->file_count; i++) {
        const struct run_file *file = &spec->files[i];
        const char *path = pack_text(texts, file->path);
        plan->files[plan->file_count++] = (struct workspace_file){
            path,
            {pack(contents, file->content.at, file->content.len), file->content.len},
        };
        if (is_source(spec->language, path))
            plan->sources[sources++] = path;
    }
    if (spec->artifacts)
        plan->artifacts = pack_text(texts, spec->artifacts);
    for (size_t i = 0; spec->folders && spec->folders[i]; i++)
        plan->files[plan->file_count++].path = pack_text(texts, spec->folders[i]);
    for (size_t i = 0; spec->args && spec->args[i]; i++)
        plan->args[i] = pack_text(texts, spec->args[i]);
    for (size_t i = 0; spec->compile_args && spec->compile_args[i]; i++)
        plan->compile_args[i] = pack_text(texts, spec->compile_args[i]);
    fill_env(plan, spec, texts);
}

static int make(struct run_plan *plan, const struct run_spec *spec, const char *entry_file)
{
    size_t env_room = ARRAY_LEN(usual_env) + 1 /* TERM */ + count_of(spec->language->environment);
    size_t args_room = count_of(spec->args) + 1;
    size_t compile_args_room = count_of(spec->compile_args) + 1;
    size_t texts = strlen(entry_file) + 1;
    size_t contents = spec->source.len;
    for (size_t i = 0; i < spec->file_count; i++) {
        texts += strlen(spec->files[i].path) + 1;
        contents += spec->files[i].content.len;
    }
    texts += bytes_of(spec->args) + bytes_of(spec->compile_args) + bytes_of(spec->env) +
             bytes_of(spec->folders) + (spec->artifacts ? strlen(spec->artifacts) + 1 : 0);
    size_t pointers = (spec->file_count + 1) + args_room + compile_args_room + env_room +
                      (env_room + count_of(spec->env));
    size_t files = (spec->file_count + 1 + count_of(spec->folders)) * sizeof *plan->files;

    plan->contents = malloc(contents + 1);
    plan->block = calloc(1, files + pointers * sizeof(char *) + texts);
    plan->bytes = contents + files + pointers * sizeof(char *) + texts;
    if (!plan->contents || !plan->block)
        return -ENOMEM;
    plan->files = plan->block;
    plan->sources = (const char **)((char *)plan->block + files);
    plan->args = plan->sources + spec->file_count + 1;
    plan->compile_args = plan->args + args_room;
    plan->compile_env = plan->compile_args + compile_args_room;
    plan->env = plan->compile_env + env_room;
    fill(plan, spec, entry_file, &(struct packer){(char *)(plan->sources + pointers), texts},
         &(struct packer){plan->contents, contents});
    return 0;
}

int run_plan_init(struct run_plan *plan, const struct run_spec *spec, const struct limits *limits,
                  struct err *err)
{
    *plan = (struct run_plan){0};
    auto_free char *by_rule = NULL;
    const char *entry_file = spec->entry_file;
    if (!entry_file) {
        by_rule = language_entry_file(spec->language, spec->source);
        if (!by_rule)
            return err_sys(err, ENOMEM, "cannot take the run");
        entry_file = by_rule;
    }
    if (check_texts(spec, err) < 0 || check_files(spec, entry_file, err) < 0)
        return -1;
    if (make(plan, spec, entry_file) < 0) {
        run_plan_fini(plan);
        return err_sys(err, ENOMEM, "cannot take the run");
    }
    if (check_fit(plan, limits, err) < 0) {
        run_plan_fini(plan);
        return -1;
    }
    return 0;
}

void run_plan_drop_contents(struct run_plan *plan)
{
    free(plan->contents);
    plan->contents = NULL;
    plan->file_count = 0;
}

void run_plan_fini(struct run_plan *plan)
{
    free(plan->contents);
    free(plan->block);
    *plan = (struct run_plan){0};
}
