/* SPDX-License-Identifier: MIT */
/* A submission with whatever a client may have named, on its way into the engine. A line each:
 *
 *     f PATH=CONTENT   a file          e NAME=VALUE   a variable       s TEXT   the source
 *     n NAME           the entry file  a, c TEXT      an argument, one for the compiler
 *     o FOLDER         that is there, as "outputs/"   t        a terminal
 *     w BYTES          the workspace   i NUMBER       … and its inodes
 *
 * What is refused names its field. What is taken is a copy, stays in the workspace, and gives no
 * orders to a loader or an interpreter. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "engine/run_plan.h"
#include "lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { LIST_MAX = 300 }; /* more than the engine takes of anything */

struct texts {
    const char *items[LIST_MAX + 1];
    size_t count;
};

static struct catalogue *catalogue;
static const struct language *language;
static struct world {
    struct run_spec spec;
    struct limits limits;
    struct run_file files[LIST_MAX];
    struct texts args;
    struct texts compile_args;
    struct texts env;
    struct texts folders;
} world;

/* ---- the submission ---- */

static void add_text(struct texts *texts, const char *text)
{
    if (texts->count < LIST_MAX)
        texts->items[texts->count++] = text;
}

static void add_file(char *line)
{
    struct run_spec *spec = &world.spec;
    char *content = line + strcspn(line, "=");
    if (*content)
        *content++ = '\0';
    if (spec->file_count < LIST_MAX)
        world.files[spec->file_count++] = (struct run_file){line, slice_of(content)};
}

static void take_line(char *line)
{
    char letter = line[0];
    char *rest = letter ? line + 1 : line;
    rest += *rest == ' ';
    if (letter == 'f')
        add_file(rest);
    else if (letter == 'e')
        add_text(&world.env, rest);
    else if (letter == 'a')
        add_text(&world.args, rest);
    else if (letter == 'c')
        add_text(&world.compile_args, rest);
    else if (letter == 'o')
        add_text(&world.folders, rest);
    else if (letter == 's')
        world.spec.source = slice_of(rest);
    else if (letter == 'n')
        world.spec.entry_file = rest;
    else if (letter == 't')
        world.spec.tty = true;
    else if (letter == 'w' || letter == 'i')
        (void)parse_u64(rest, &world.limits.value[letter == 'w' ? LIMIT_WORKSPACE : LIMIT_INODES]);
}

/* As the dialects give them: of ours, below each other or not. */
static bool has_our_folders(void)
{
    for (size_t i = 0; i < world.folders.count; i++) {
        const char *folder = world.folders.items[i];
        size_t len = strlen(folder);
        if (len < 2 || folder[len - 1] != '/' ||
            strspn(folder, "abcdefghijklmnopqrstuvwxyz") + 1 != len)
            return false;
    }
    return true;
}

static void begin(void)
{
    world = (struct world){.spec = {.language = language, .source = slice_of("")}};
    world.spec.files = world.files;
    world.spec.args = world.args.items;
    world.spec.compile_args = world.compile_args.items;
    world.spec.env = world.env.items;
    world.spec.folders = world.folders.items;
}

/* ---- what is taken ---- */

static bool is_inside(const char *path)
{
    if (path[0] == '/' || path[0] == '-' || path[0] == '\0' || strlen(path) > 255)
        return false;
    for (const char *at = path; *at; at++) {
        bool begins = at == path || at[-1] == '/';
        size_t part = strcspn(at, "/");
        if (iscntrl((unsigned char)*at) || (begins && part == 0) ||
            (begins && strspn(at, ".") == part && part <= 2))
            return false;
    }
    return path[strlen(path) - 1] != '/';
}

/* Neither the same, nor one the other's folder. */
static bool are_apart(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return !((*a == '\0' || *a == '/') && (*b == '\0' || *b == '/'));
}

static void check_files(const struct run_plan *plan)
{
    const struct run_spec *spec = &world.spec;
    assert(plan->file_count == spec->file_count + 1 + world.folders.count);
    assert(slice_equal(plan->files[0].content, spec->source));
    for (size_t i = 0; i <= spec->file_count; i++) {
        assert(is_inside(plan->files[i].path));
        for (size_t j = 0; j < i; j++)
            assert(are_apart(plan->files[i].path, plan->files[j].path));
    }
    for (size_t i = 0; i < spec->file_count; i++)
        assert(slice_equal(plan->files[i + 1].content, spec->files[i].content));
    for (size_t i = 0; plan->sources[i]; i++)
        assert(i < spec->file_count);
}

static void check_copy(const char *const *copy, const struct texts *of)
{
    for (size_t i = 0; i < of->count; i++)
        assert(copy[i] != of->items[i] && strcmp(copy[i], of->items[i]) == 0);
    assert(!copy[of->count]);
}

/* No name twice, and none that a loader obeys. */
static void check_env(const char *const *env)
{
    static const char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    bool has_path = false;
    for (size_t i = 0; env[i]; i++) {
        size_t name = strcspn(env[i], "=");
        assert(name > 0 && env[i][name] == '=' && !isdigit((unsigned char)env[i][0]));
        assert(strncmp(env[i], "LD_", 3) != 0 && strncmp(env[i], "BASH_ENV=", 9) != 0);
        has_path = has_path || strcmp(env[i], path) == 0;
        for (size_t j = 0; j < i; j++)
            assert(strncmp(env[i], env[j], name + 1) != 0);
    }
    assert(has_path);
}

static void check_plan(const struct run_plan *plan)
{
    check_files(plan);
    check_copy(plan->args, &world.args);
    check_copy(plan->compile_args, &world.compile_args);
    check_env(plan->env);
    check_env(plan->compile_env);
    for (size_t i = 0; i < world.env.count; i++)
        assert(strlen(world.env.items[i]) < (size_t)64 * 1024);
    assert(world.env.count <= 64 && world.args.count <= 256 && world.spec.file_count <= 256);
}

/* ---- one input ---- */

static void set_up(void)
{
    struct err err = {0};
    catalogue = catalogue_new();
    int rc = catalogue ? catalogue_load_builtin(catalogue, &err) : -1;
    assert(rc == 0);
    language = catalogue_find(catalogue, slice_of("java")); /* names its entry file by a rule */
    assert(language);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size);
    char *rest = text;
    struct run_plan plan;
    struct err err = {0};
    if (!language)
        set_up();
    begin();
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        take_line(line);
    if (!has_our_folders()) {
        free(text);
        return 0;
    }
    if (run_plan_init(&plan, &world.spec, &world.limits, &err) == 0) {
        check_plan(&plan);
        run_plan_drop_contents(&plan);
        run_plan_fini(&plan);
    } else {
        assert(err.text[0] && (err.code == ERR_TOO_LARGE || err.field[0]));
    }
    free(text);
    return 0;
}
