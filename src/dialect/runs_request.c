/* SPDX-License-Identifier: MIT */
#include "dialect/runs_request.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/request_fields.h"
#include "dialect/result_output.h"
#include "dialect/runs.h"
#include "language/language.h"
#include "store/store.h"
#include "webhook/webhook.h"

#define GRACE_MAX_MS 600000

/* Where a program finds what was uploaded, and leaves what it wants kept. */
static const char inputs_folder[] = "inputs/";
static const char *const folders[] = {"inputs/", "outputs/", "tmp/", NULL};
static const char artifacts_folder[] = "outputs";
static const char temporary_env[] = "TMPDIR=/work/tmp";

static const char *const encodings[] = {"utf-8", "base64", NULL};
const char *const runs_priorities[] = {"high", "normal", "low", NULL};
static const char *const disconnects[] = {"kill", "continue", NULL};

/* clang-format off */
#define FILE_AT(member) SCHEMA_AT(struct runs_request_file, member)
static const struct schema_field file_fields[] = {
    {"path",     SCHEMA_TEXT, FILE_AT(path), .required = true, .largest = 255,
     .help = "where the program finds it: below inputs/ with an id, else as it stands"},
    {"id",       SCHEMA_TEXT, FILE_AT(id), .largest = 39, .help = "of an uploaded file"},
    {"content",  SCHEMA_TEXT, FILE_AT(content), .help = "the file itself, when there is no id"},
    {"encoding", SCHEMA_TEXT, FILE_AT(encoding), .choices = encodings, .help = "of content"},
    {NULL},
};
static const struct schema file_schema = {"RunFile", file_fields, NULL};

#define AT(member) SCHEMA_AT(struct runs_request, member)
static const struct schema_field request_fields[] = {
    {"language",      SCHEMA_TEXT, AT(language), .required = true, .largest = 100,
     .help = "a name or an alias, as GET /v1/languages lists them"},
    {"code",          SCHEMA_TEXT, AT(code), .largest = RUNS_CODE_MAX, .told = true,
     .help = "the program; may be left out when files hold it"},
    {"files",         SCHEMA_OBJECTS, AT(files), .largest = 256, .items = &file_schema,
     .item_size = sizeof(struct runs_request_file), .help = "more files, uploaded or inline"},
    {"entrypoint",    SCHEMA_TEXT, AT(entrypoint), .largest = 255,
     .help = "the file to start; without it, by the language's rule"},
    {"stdin",         SCHEMA_TEXT, AT(input), .help = "what the program reads"},
    {"args",          SCHEMA_TEXTS, AT(args), .largest = 256, .help = "for the program"},
    {"compile_args",  SCHEMA_TEXTS, AT(compile_args), .largest = 256, .help = "for the compiler"},
    {"env",           SCHEMA_ENV, AT(env), .largest = 63, .help = "for the program"},
    {"limits",        SCHEMA_LIMITS, AT(limits), .help = "instead of the defaults"},
    {"tty",           SCHEMA_BOOL, AT(tty), .help = "a terminal instead of pipes"},
    {"columns",       SCHEMA_NUMBER, AT(columns), .largest = RUNS_TERMINAL_SIDE_MAX, .help = "of the terminal"},
    {"rows",          SCHEMA_NUMBER, AT(rows), .largest = RUNS_TERMINAL_SIDE_MAX, .help = "of the terminal"},
    {"on_disconnect", SCHEMA_TEXT, AT(on_disconnect), .choices = disconnects,
     .help = "what becomes of a run that is not waited for when its last client leaves"},
    {"disconnect_grace_ms", SCHEMA_NUMBER, AT(grace_ms), .largest = GRACE_MAX_MS,
     .help = "how long it may stay away; 0 is 30 s"},
    {"priority",      SCHEMA_TEXT, AT(priority), .choices = runs_priorities,
     .help = "of those that wait for a slot, who goes first; without it, normal"},
    {"metadata",      SCHEMA_PAIRS, AT(metadata), .largest = STORE_METADATA_MAX,
     .help = "kept with the run, returned, and a filter of GET /v1/runs"},
    {"webhook_url",   SCHEMA_TEXT, AT(webhook_url), .largest = 2048,
     .help = "gets the record by POST when the run has ended"},
    {NULL},
};
/* clang-format on */
const struct schema runs_request_schema = {"RunRequest", request_fields, "A run that is wanted."};

/* Of runs that are waited for, as clients of services of this form know them. */
static int check_maxima(const struct limits *limits, struct err *err)
{
    static const uint64_t maxima[LIMIT_KINDS] = {
        [LIMIT_WALL] = 10000,     [LIMIT_MEMORY] = 512 * MIB,        [LIMIT_CPU_TIME] = 20000,
        [LIMIT_OUTPUT] = 2 * MIB, [LIMIT_ARTIFACT_BYTES] = 20 * MIB, [LIMIT_ARTIFACT_FILES] = 10,
    };
    for (enum limit i = 0; i < LIMIT_KINDS; i++) {
        char field[64];
        const char *name = limit_info(i)->json_name;
        if (maxima[i] == 0 || limits->value[i] <= maxima[i])
            continue;
        (void)snprintf(field, sizeof field, "limits.%s", name);
        return err_field(err, field, "%s exceeds maximum", name);
    }
    return 0;
}

/* 0 of them is a wish that the table of limits cannot say. */
static bool take_zero(json_t *body, const char *name)
{
    json_t *limits = json_object_get(body, "limits");
    const json_t *value = json_object_get(limits, name);
    bool zero = json_is_integer(value) && json_integer_value(value) == 0;
    if (zero)
        (void)json_object_del(limits, name);
    return zero;
}

static int decode(struct runs_request_file *file, struct err *err)
{
    struct base64_decode_ctx base64;
    size_t len = BASE64_DECODE_LENGTH(file->content.len);
    file->decoded = malloc(len + 1);
    if (!file->decoded)
        return err_sys(err, errno, "files");
    base64_decode_init(&base64);
    if (!base64_decode_update(&base64, &len, (uint8_t *)file->decoded, file->content.len,
                              file->content.at) ||
        !base64_decode_final(&base64))
        return err_field(err, "files", "the content of %.100s is not base64", file->path.at);
    file->content = (struct slice){file->decoded, len};
    return 0;
}

static bool leaves_folder(const char *path)
{
    if (*path == '/' || strchr(path, '\\'))
        return true;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return true;
    }
    return false;
}

static int check_files(struct runs_request *request, struct err *err)
{
    struct runs_request_file *files = request->files.items;
    size_t uploads = 0;
    for (size_t i = 0; i < request->files.count; i++) {
        if (leaves_folder(files[i].path.at))
            return err_field(err, "files", "invalid file path: %.200s", files[i].path.at);
        if (files[i].id.at && files[i].content.at)
            return err_field(err, "files", "file %zu has an id and content: which is it?", i + 1);
        if (!files[i].id.at && !files[i].content.at)
            return err_field(err, "files", "file %zu needs an id or content", i + 1);
        if (slice_is(files[i].encoding, "base64") && decode(&files[i], err) < 0)
            return -1;
        uploads += files[i].id.at != NULL;
    }
    if (uploads > RUNS_UPLOADS_MAX)
        return err_field(err, "files", "more than %d uploaded files", RUNS_UPLOADS_MAX);
    return 0;
}

static int check_rest(const struct runs *runs, const struct runs_request *request, bool waits,
                      struct err *err)
{
    if (request->code.len == 0 && request->files.count == 0)
        return err_field(err, "code", "code is required");
    if (request->code.len > RUNS_CODE_MAX)
        return err_field(err, "code", "code exceeds 200 KiB");
    if (waits && check_maxima(&request->limits, err) < 0)
        return -1;
    if (!request->webhook_url.at)
        return 0;
    if (!runs->hooks)
        return err_field(err, "webhook_url", "there are no webhooks on this server: %s",
                         runs->why_no_hooks);
    return webhook_check_url(request->webhook_url.at, err);
}

static int refuse_language(struct err *err)
{
    (void)err_field(err, "language", "unsupported language");
    if (err)
        err->code = ERR_UNKNOWN_LANGUAGE;
    return -1;
}

int runs_request_read(const struct runs *runs, json_t *body, bool waits,
                      struct runs_request *request, struct err *err)
{
    *request = (struct runs_request){.waits = waits};
    bool no_files = take_zero(body, "max_artifact_files");
    bool no_bytes = take_zero(body, "max_artifact_bytes");
    request->no_artifacts = no_files || no_bytes;
    if (schema_read(request_fields, body, request, err) < 0)
        return -1;
    if (request->language.len == 0)
        return err_field(err, "language", "language is required");
    if (!catalogue_find(runs->catalogue, request->language))
        return refuse_language(err);
    if (check_rest(runs, request, waits, err) < 0)
        return -1;
    return check_files(request, err);
}

void runs_request_fini(struct runs_request *request)
{
    struct runs_request_file *files = request->files.items;
    for (size_t i = 0; i < request->files.count; i++)
        free(files[i].decoded);
    schema_fini(request_fields, request);
}

/* --- the run --- */

/* Everything that a spec borrows and the request does not have, in one block. */
struct block {
    size_t file_count;
    struct run_file *files;
    const char **env;
    char *names; /* of uploads: inputs/<path> */
};

static struct block *block_new(const struct runs_request *request)
{
    const struct runs_request_file *files = request->files.items;
    size_t names = 1;
    size_t env_count = 0;
    while (request->env && request->env[env_count])
        env_count++;
    for (size_t i = 0; i < request->files.count; i++)
        names += sizeof inputs_folder + files[i].path.len;
    size_t file_bytes = (request->files.count + 1) * sizeof(struct run_file);
    size_t env_bytes = (env_count + 2) * sizeof(char *);
    struct block *block = calloc(1, sizeof *block + file_bytes + env_bytes + names);
    if (!block)
        return NULL;
    block->files = (struct run_file *)(block + 1);
    block->env = (const char **)((char *)block->files + file_bytes);
    block->names = (char *)block->env + env_bytes;
    /* The first of a name is replaced by a later one: the request's own wins. */
    block->env[0] = temporary_env;
    for (size_t i = 0; i < env_count; i++)
        block->env[1 + i] = request->env[i];
    return block;
}

static void fill_files(struct block *block, const struct runs_request *request,
                       const struct slice *uploads)
{
    const struct runs_request_file *files = request->files.items;
    char *name = block->names;
    for (size_t i = 0; i < request->files.count; i++) {
        struct run_file *file = &block->files[block->file_count++];
        *file = (struct run_file){files[i].path.at, files[i].content};
        if (!files[i].id.at)
            continue;
        file->path = name;
        name += sprintf(name, "%s%s", inputs_folder, files[i].path.at) + 1;
        file->content = *uploads++;
    }
}

static bool has_extension(const struct language *language, const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && language->extensions && language->extensions[i]; i++) {
        if (strcmp(language->extensions[i], dot + 1) == 0)
            return true;
    }
    return false;
}

/* The file that is the program when there is no code: what entrypoint names, else the
 * one that the language would call so, else the first with one of its endings. */
static const struct run_file *find_entry(const struct block *block,
                                         const struct runs_request *request,
                                         const struct language *language)
{
    const struct run_file *found = NULL;
    for (size_t i = 0; i < block->file_count; i++) {
        const struct run_file *file = &block->files[i];
        if (request->entrypoint.at) {
            if (strcmp(file->path, request->entrypoint.at) == 0)
                return file;
            continue;
        }
        if (strcmp(file->path, language->source) == 0)
            return file;
        if (!found && has_extension(language, file->path))
            found = file;
    }
    return found;
}

static int take_entry(struct block *block, const struct runs_request *request,
                      struct run_spec *spec, struct err *err)
{
    spec->source = request->code;
    spec->entry_file = request->entrypoint.at;
    if (request->code.len > 0)
        return 0;
    const struct run_file *entry = find_entry(block, request, spec->language);
    if (!entry && request->entrypoint.at)
        return err_field(err, "entrypoint", "none of files has the path %.200s",
                         request->entrypoint.at);
    if (!entry)
        return err_field(err, "code", "code is required: none of files is a %s program",
                         spec->language->title);
    spec->source = entry->content;
    spec->entry_file = entry->path;
    size_t at = (size_t)(entry - block->files);
    block->file_count--;
    memmove(&block->files[at], &block->files[at + 1],
            (block->file_count - at) * sizeof *block->files);
    return 0;
}

enum lane runs_lane_of(const struct runs_request *request)
{
    for (enum lane lane = 0; lane < LANES; lane++) {
        if (slice_is(request->priority, lane_name(lane)))
            return lane;
    }
    return LANE_NORMAL;
}

int runs_request_spec(const struct runs *runs, const struct runs_request *request,
                      const struct slice *uploads, struct run_spec *spec, void **ret_block,
                      struct err *err)
{
    const struct language *language = NULL;
    bool continues = slice_is(request->on_disconnect, "continue");
    if (request_find_language(runs->catalogue, request->language, &language, err) < 0)
        return -1;
    struct block *block = block_new(request);
    *ret_block = block;
    if (!block)
        return err_sys(err, errno, "run");
    fill_files(block, request, uploads);
    *spec = (struct run_spec){
        .language = language,
        .profile = request->waits && !request->tty ? PROFILE_RUNS : PROFILE_LIVE,
        .input = request->input,
        .input_stays_open = !request->waits,
        .args = request->args,
        .compile_args = request->compile_args,
        .env = block->env,
        .limits = request->limits,
        .streaming = !request->waits,
        .tty = request->tty,
        .lane = runs_lane_of(request),
        .ends_unattended = !request->waits && !continues,
        .unattended_ms = request->grace_ms,
        .folders = folders,
        .artifacts = request->no_artifacts ? NULL : artifacts_folder,
        .recorded = true,
    };
    if (take_entry(block, request, spec, err) < 0)
        return -1;
    spec->files = block->files;
    spec->file_count = block->file_count;
    return 0;
}
