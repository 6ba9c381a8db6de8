/* SPDX-License-Identifier: MIT */
/* wire_job.c — a job: what a front was asked for, whole, on the way to a worker. */
#include <stdlib.h>
#include <string.h>

#include "fleet/wire_private.h"
#include "language/language.h"

/* One row per field, so that none can be written and not read. */
struct field {
    const char *name;
    size_t at; /* in a run_spec */
    enum { FLAG, NUMBER, TEXT, TEXTS, BYTES } kind;
    bool contents; /* left out of a job that is only shown */
};

#define AT(member) offsetof(struct run_spec, member)
static const struct field fields[] = {
    {"entry_file", AT(entry_file), TEXT},
    {"artifacts", AT(artifacts), TEXT},
    {"folders", AT(folders), TEXTS},
    {"args", AT(args), TEXTS},
    {"compile_args", AT(compile_args), TEXTS},
    {"env", AT(env), TEXTS},
    {"streaming", AT(streaming), FLAG},
    {"tty", AT(tty), FLAG},
    {"input_stays_open", AT(input_stays_open), FLAG},
    {"ends_unattended", AT(ends_unattended), FLAG},
    {"passing", AT(passing), FLAG},
    {"recorded", AT(recorded), FLAG},
    {"unattended_ms", AT(unattended_ms), NUMBER},
    {"owner", AT(owner), NUMBER},
    {"tenant", AT(tenant), NUMBER},
    {"note", AT(note), BYTES},
    {"source", AT(source), BYTES, .contents = true},
    {"input", AT(input), BYTES, .contents = true},
};

bool job_is_batch(const struct run_spec *spec)
{
    return !spec->input_stays_open;
}

/* --- to text --- */

static void write_texts(struct json *json, const char *name, const char *const *texts)
{
    if (!texts)
        return;
    json_open_array(json, name);
    for (; *texts; texts++)
        wire_write_bytes(json, NULL, slice_of(*texts));
    json_close_array(json);
}

/* What is not there, or zero, need not be said. */
static void write_field(struct json *json, const struct field *field, const struct run_spec *spec)
{
    const void *place = (const char *)spec + field->at;
    const struct slice *bytes = place;
    switch (field->kind) {
    case FLAG:
        if (*(const bool *)place)
            json_bool(json, field->name, true);
        break;
    case NUMBER:
        if (*(const uint64_t *)place > 0)
            wire_write_u64(json, field->name, *(const uint64_t *)place);
        break;
    case TEXT:
        if (*(const char *const *)place)
            wire_write_bytes(json, field->name, slice_of(*(const char *const *)place));
        break;
    case TEXTS:
        write_texts(json, field->name, *(const char *const *const *)place);
        break;
    case BYTES:
        if (bytes->len > 0 || field->contents)
            wire_write_bytes(json, field->name, *bytes);
        break;
    }
}

/* In the units of their names; what is no whole number of these is rounded up. */
static void write_limits(struct json *json, const struct limits *limits)
{
    json_open_object(json, "limits");
    for (enum limit i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info(i);
        uint64_t value = limits->value[i];
        if (value == 0)
            continue;
        if (info->unit == LIMIT_MILLI)
            json_milli(json, info->json_name, value);
        else
            json_u64(json, info->json_name, (value + info->scale - 1) / info->scale);
    }
    json_close_object(json);
}

static void write_files(struct json *json, const struct run_spec *spec)
{
    json_open_array(json, "files");
    for (size_t i = 0; i < spec->file_count; i++) {
        json_open_object(json, NULL);
        wire_write_bytes(json, "path", slice_of(spec->files[i].path));
        wire_write_bytes(json, "content", spec->files[i].content);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_header(struct json *json, const struct job_header *header)
{
    json_text(json, "id", header->id);
    json_text(json, "front", header->front);
    wire_write_u64(json, "submitted_ms", header->submitted_ms);
    json_text(json, "lane", lane_name(header->lane));
    if (header->aside)
        json_bool(json, "aside", true);
}

static uint64_t contents_bytes(const struct run_spec *spec)
{
    uint64_t bytes = spec->source.len + spec->input.len;
    for (size_t i = 0; i < spec->file_count; i++)
        bytes += spec->files[i].content.len;
    return bytes;
}

int job_encode(const struct job_header *header, const struct run_spec *spec, bool contents,
               struct buf *text, struct err *err)
{
    struct json json = json_start(text);
    if (contents && contents_bytes(spec) > JOB_FILES_MAX_BYTES)
        return err_set(err, ERR_TOO_LARGE,
                       "source, files and input are larger than %llu MiB together, and more does "
                       "not go to another machine",
                       JOB_FILES_MAX_BYTES / MIB);
    json_open_object(&json, NULL);
    wire_write_version(&json);
    write_header(&json, header);
    json_text(&json, "language", spec->language->name);
    json_text(&json, "profile", profile_name(spec->profile));
    write_limits(&json, &spec->limits);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (contents || !fields[i].contents)
            write_field(&json, &fields[i], spec);
    }
    if (contents && spec->file_count > 0)
        write_files(&json, spec);
    json_close_object(&json);
    if (text->failed)
        return err_set(err, ERR_TOO_LARGE, "the job does not fit a message");
    return 0;
}

/* --- from text --- */

static int read_texts(const json_t *tree, const char *name, struct wire_space *space,
                      const char *const **ret_texts, struct err *err)
{
    const json_t *array;
    int found = wire_read_array(tree, name, &array, err);
    if (found <= 0)
        return found;
    size_t count = json_array_size(array);
    const char **texts = wire_space_take(space, count + 1, sizeof *texts, err);
    if (!texts)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (wire_take_text(json_array_get(array, i), name, space, &texts[i], err) < 0)
            return -1;
    }
    texts[count] = NULL;
    *ret_texts = texts;
    return 1;
}

static int read_field(const struct field *field, const json_t *tree, struct wire_space *space,
                      struct run_spec *spec, struct err *err)
{
    void *place = (char *)spec + field->at;
    switch (field->kind) {
    case FLAG:
        return json_read_bool(tree, field->name, place, err);
    case NUMBER:
        return wire_read_u64(tree, field->name, UINT64_MAX, place, err);
    case TEXT:
        return wire_read_text(tree, field->name, space, place, err);
    case TEXTS:
        return read_texts(tree, field->name, space, place, err);
    case BYTES:
        break;
    }
    return wire_read_bytes(tree, field->name, space, place, err);
}

static int read_files(const json_t *tree, struct wire_space *space, struct run_spec *spec,
                      struct err *err)
{
    const json_t *array;
    int found = wire_read_array(tree, "files", &array, err);
    if (found <= 0)
        return found;
    size_t count = json_array_size(array);
    struct run_file *files = wire_space_take(space, count + 1, sizeof *files, err);
    if (!files)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        files[i] = (struct run_file){.content = {"", 0}};
        int path = wire_read_text(item, "path", space, &files[i].path, err);
        if (path < 0 || wire_read_bytes(item, "content", space, &files[i].content, err) < 0)
            return -1;
        if (path == 0)
            return err_field(err, "files", "file %zu has no path", i + 1);
    }
    spec->files = files;
    spec->file_count = count;
    return 1;
}

/* The engine takes folders as its own dialects name them: "outputs/", "a/b/". */
static bool is_plain_folder(const char *path)
{
    size_t len = strlen(path);
    size_t part = 0;
    for (size_t i = 0; i < len; i += part + 1) {
        part = strcspn(path + i, "/");
        if (part == 0 || path[i] == '.' || path[i] == '-')
            return false;
    }
    return len > 0 && len < 256;
}

static int check_folders(const struct run_spec *spec, struct err *err)
{
    for (size_t i = 0; spec->folders && spec->folders[i]; i++) {
        const char *folder = spec->folders[i];
        if (!is_plain_folder(folder) || folder[strlen(folder) - 1] != '/')
            return err_field(err, "folders", "folder %zu is none of the workspace", i + 1);
    }
    if (spec->artifacts && !is_plain_folder(spec->artifacts))
        return err_field(err, "artifacts", "it is no folder of the workspace");
    return 0;
}

static int read_header(const json_t *tree, struct job_header *header, struct err *err)
{
    const char *lanes[LANES + 1] = {0};
    unsigned lane = LANE_NORMAL;
    for (enum lane i = 0; i < LANES; i++)
        lanes[i] = lane_name(i);
    int id = wire_read_name(tree, "id", header->id, sizeof header->id, err);
    if (id < 0 || wire_read_name(tree, "front", header->front, sizeof header->front, err) < 0 ||
        wire_read_u64(tree, "submitted_ms", UINT64_MAX, &header->submitted_ms, err) < 0 ||
        wire_read_word(tree, "lane", lanes, &lane, err) < 0 ||
        json_read_bool(tree, "aside", &header->aside, err) < 0)
        return -1;
    if (id == 0)
        return err_field(err, "id", "id is missing");
    header->lane = (enum lane)lane;
    return 0;
}

static int read_language(const json_t *tree, const struct catalogue *catalogue,
                         const struct language **ret_language, struct err *err)
{
    char name[64] = "";
    if (wire_read_name(tree, "language", name, sizeof name, err) < 0)
        return -1;
    *ret_language = catalogue_find(catalogue, slice_of(name));
    if (!*ret_language)
        return err_field(err, "language", "there is no language '%s' here", name);
    return 0;
}

static int read_profile(const json_t *tree, enum profile *ret_profile, struct err *err)
{
    const char *names[PROFILE_COUNT] = {0}; /* the last one, of compilers, is no run's */
    unsigned profile = 0;
    for (enum profile i = 0; i < PROFILE_COMPILE; i++)
        names[i] = profile_name(i);
    int found = wire_read_word(tree, "profile", names, &profile, err);
    if (found == 0)
        return err_field(err, "profile", "profile is missing");
    *ret_profile = (enum profile)profile;
    return found;
}
_Static_assert(PROFILE_COMPILE == PROFILE_COUNT - 1, "the names end where the compilers' is");

static int read_spec(const json_t *tree, struct wire_space *space, struct run_spec *spec,
                     struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (read_field(&fields[i], tree, space, spec, err) < 0)
            return -1;
    }
    if (read_files(tree, space, spec, err) < 0 ||
        json_read_limits(tree, "limits", &spec->limits, err) < 0)
        return -1;
    return check_folders(spec, err);
}

static void *make_space(const json_t *tree, size_t text_len, struct wire_space *space,
                        struct err *err)
{
    size_t size = wire_array_size(tree, "files", sizeof(struct run_file));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (fields[i].kind == TEXTS)
            size += wire_array_size(tree, fields[i].name, sizeof(char *));
    }
    return wire_space_make(space, size, text_len, err);
}

static int read_job(const json_t *tree, const struct catalogue *catalogue, struct wire_space *space,
                    struct job *job, struct err *err)
{
    struct run_spec *spec = &job->spec;
    if (read_header(tree, &job->header, err) < 0 ||
        read_language(tree, catalogue, &spec->language, err) < 0 ||
        read_profile(tree, &spec->profile, err) < 0 || read_spec(tree, space, spec, err) < 0)
        return -1;
    spec->id = json_string_value(json_object_get(tree, "id"));
    spec->lane = job->header.lane;
    job->has_contents = spec->source.at != NULL;
    return 0;
}

int job_decode(struct slice text, const struct catalogue *catalogue, struct job *ret_job,
               struct err *err)
{
    struct job job = {0};
    struct wire_space space;
    if (!text.at) /* the broker's connection has let it pass by */
        return err_set(err, ERR_TOO_LARGE, "not a job: it is longer than %d bytes", JOB_MAX_BYTES);
    job.tree = wire_read_object(text, JOB_MAX_BYTES, err);
    if (job.tree)
        job.arrays = make_space(job.tree, text.len, &space, err);
    if (!job.arrays || read_job(job.tree, catalogue, &space, &job, err) < 0) {
        job_fini(&job);
        return err_wrap(err, "not a job");
    }
    *ret_job = job;
    return 0;
}

int job_summarize(struct slice text, struct job_summary *ret_summary, struct err *err)
{
    struct job_summary summary = {0};
    auto_json json_t *tree = wire_read_object(text, JOB_MAX_BYTES, err);
    if (!tree || read_header(tree, &summary.header, err) < 0 ||
        wire_read_name(tree, "language", summary.language, sizeof summary.language, err) < 0)
        return err_wrap(err, "not a job");
    *ret_summary = summary;
    return 0;
}

/* Nobody waits for it: it gets no more input, and no client's leaving ends it. */
static int renew(json_t *tree, const char *id, uint64_t submitted_ms, bool contents)
{
    static const char *const past[] = {"aside", "input_stays_open", "ends_unattended"};
    if (json_object_set_new(tree, "id", json_string(id)) < 0 ||
        json_object_set_new(tree, "submitted_ms", json_integer((json_int_t)submitted_ms)) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(past); i++)
        (void)json_object_del(tree, past[i]);
    for (size_t i = 0; !contents && i < ARRAY_LEN(fields); i++) {
        if (fields[i].contents)
            (void)json_object_del(tree, fields[i].name);
    }
    if (!contents)
        (void)json_object_del(tree, "files");
    return 0;
}

int job_renew(struct slice text, const char *id, uint64_t submitted_ms, bool contents,
              struct buf *renewed, struct err *err)
{
    struct job_header header = {0};
    auto_json json_t *tree = wire_read_object(text, JOB_MAX_BYTES, err);
    if (!tree || read_header(tree, &header, err) < 0)
        return err_wrap(err, "not a job");
    auto_free char *written =
        renew(tree, id, submitted_ms, contents) < 0 ? NULL : json_dumps(tree, JSON_COMPACT);
    if (written)
        buf_add_text(renewed, written);
    if (!written || renewed->failed)
        return err_set(err, ERR_INTERNAL, "out of memory");
    return 0;
}

void job_fini(struct job *job)
{
    json_decref(job->tree);
    free(job->arrays);
    *job = (struct job){0};
}
