/* SPDX-License-Identifier: MIT */
/* foreign_job.c — a job of the code-execution form, both ways. Its producers are many and
 * none is ours: what they leave out has a default, what they add is passed over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "fleet/foreign.h"
#include "language/language.h"

#define MS_PER_S 1000ULL
static const char default_entry[] = "main.py"; /* theirs, for every language */
static const char default_workspace[] = "default";

/* --- to text --- */

/* What is read back is all behind the first comma, as it stands. */
static void write_url(struct json *json, const struct run_spec *spec)
{
    auto_buf struct buf url;
    const char *entry = spec->entry_file ? spec->entry_file : default_entry;
    buf_init(&url, FOREIGN_JOB_MAX_BYTES);
    buf_add_format(&url, "data:text/plain;filename=%s,",
                   strchr(entry, ',') ? default_entry : entry);
    buf_add_slice(&url, spec->source);
    json_slice(json, "url", buf_slice(&url));
    json->buf->failed = json->buf->failed || url.failed;
}

static void write_wishes(struct json *json, const struct foreign_job *job)
{
    const struct limits *limits = &job->spec.limits;
    if (job->dependencies) {
        json_open_array(json, "dependencies");
        for (const char *const *name = job->dependencies; *name; name++)
            json_text(json, NULL, *name);
        json_close_array(json);
    }
    if (limits->value[LIMIT_WALL] > 0)
        json_u64(json, "timeout", (limits->value[LIMIT_WALL] + MS_PER_S - 1) / MS_PER_S);
    if (limits->value[LIMIT_MEMORY] > 0)
        json_u64(json, "memory_limit", (limits->value[LIMIT_MEMORY] + MIB - 1) / MIB);
}

int foreign_job_encode(const struct foreign_job *job, struct buf *text, struct err *err)
{
    struct json json = json_start(text);
    json_open_object(&json, NULL);
    json_text(&json, "job_id", job->id);
    json_text(&json, "workspace_id", job->workspace_id ? job->workspace_id : default_workspace);
    json_text(&json, "language", foreign_language(job->spec.language));
    write_url(&json, &job->spec);
    if (job->spec.entry_file)
        json_text(&json, "entry_point", job->spec.entry_file);
    write_wishes(&json, job);
    json_close_object(&json);
    if (text->failed)
        return err_set(err, ERR_TOO_LARGE, "the job does not fit a message");
    return 0;
}

struct amqp_message foreign_job_message(const struct fleet_key *key, const char *id,
                                        struct slice body, uint64_t unix_ms)
{
    return (struct amqp_message){
        .exchange = FOREIGN_JOBS_EXCHANGE,
        .key = key->text,
        .body = body,
        .message_id = id,
        .timestamp = unix_ms,
        .persistent = true,
    };
}

/* --- from text --- */

/* The ids of runs are names in Redis, in logs and on terminals. */
static bool is_good_id(const char *id)
{
    size_t len = strlen(id);
    for (size_t i = 0; i < len; i++) {
        if (id[i] <= ' ' || id[i] > '~')
            return false;
    }
    return len > 0 && len < RUN_ID_SIZE;
}

static int read_names(struct foreign_job *job, struct err *err)
{
    const char *id = json_whole_text(json_object_get(job->tree, "job_id"));
    const char *workspace = json_whole_text(json_object_get(job->tree, "workspace_id"));
    if (!id || !is_good_id(id))
        return err_field(err, "job_id",
                         "job_id must have from 1 to %d characters that print, and no blanks",
                         RUN_ID_SIZE - 1);
    job->id = job->spec.id = id;
    job->workspace_id = workspace ? workspace : default_workspace;
    return 0;
}

static int read_url(struct slice url, struct slice *ret_source, struct err *err)
{
    static const char scheme[] = "data:";
    const char *comma = url.len > 0 ? memchr(url.at, ',', url.len) : NULL;
    if (url.len < sizeof scheme - 1 || memcmp(url.at, scheme, sizeof scheme - 1) != 0 || !comma)
        return err_field(err, "url", "url must be of the form data:TYPE,SOURCE");
    comma++;
    *ret_source = (struct slice){comma, url.len - (size_t)(comma - url.at)};
    return 0;
}

static int read_source(const json_t *tree, struct run_spec *spec, struct err *err)
{
    struct slice url = {0};
    const json_t *entry = json_object_get(tree, "entry_point");
    int has_source = json_read_text(tree, "source_code", &spec->source, err);
    if (has_source < 0)
        return -1;
    if (entry && !json_is_null(entry) && !json_whole_text(entry))
        return err_field(err, "entry_point", "entry_point must be a text without U+0000");
    if (json_string_length(entry) > 0)
        spec->entry_file = json_string_value(entry);
    if (has_source > 0)
        return 0;
    int has_url = json_read_text(tree, "url", &url, err);
    if (has_url == 0)
        return err_field(err, "source_code", "source_code or url must be there");
    return has_url < 0 ? -1 : read_url(url, &spec->source, err);
}

/* 0 asks for nothing, as what is absent. */
static int read_limit(const json_t *tree, const char *field, enum limit limit, uint64_t scale,
                      struct limits *limits, struct err *err)
{
    const struct limit_info *info = limit_info(limit);
    uint64_t number = 0;
    if (json_read_u64(tree, field, &number, err) < 0)
        return -1;
    if (number == 0)
        return 0;
    if (__builtin_mul_overflow(number, scale, &number) || number < info->smallest ||
        number > info->largest)
        return err_field(err, field, "%s must be from %llu to %llu", field,
                         (unsigned long long)((info->smallest + scale - 1) / scale),
                         (unsigned long long)(info->largest / scale));
    limits->value[limit] = number;
    return 0;
}

static int read_dependencies(struct foreign_job *job, struct err *err)
{
    const json_t *list = json_object_get(job->tree, "dependencies");
    size_t count = json_array_size(list);
    if (list && !json_is_null(list) && !json_is_array(list))
        return err_field(err, "dependencies", "dependencies must be an array of texts");
    if (count == 0)
        return 0;
    const char **names = calloc(count + 1, sizeof *names);
    job->arrays = names;
    if (!names)
        return err_sys(err, errno, "dependencies");
    for (size_t i = 0; i < count; i++) {
        names[i] = json_whole_text(json_array_get(list, i));
        if (!names[i])
            return err_field(err, "dependencies", "dependencies must be an array of texts");
    }
    job->dependencies = names;
    return 0;
}

static int read_language(const json_t *tree, const struct catalogue *catalogue,
                         const struct language **ret_language, struct err *err)
{
    struct slice name = {0};
    int found = json_read_text(tree, "language", &name, err);
    if (found == 0)
        return err_field(err, "language", "language is missing");
    if (found < 0)
        return -1;
    *ret_language = catalogue_find(catalogue, name);
    if (!*ret_language)
        return err_set(err, ERR_UNKNOWN_LANGUAGE, "Unsupported language: %.60s", name.at);
    return 0;
}

static int read_job(const struct catalogue *catalogue, struct foreign_job *job, struct err *err)
{
    struct run_spec *spec = &job->spec;
    *spec = (struct run_spec){
        .profile = PROFILE_JOBS,
        .lane = LANE_NORMAL,
        .limits.value[LIMIT_WALL] = FOREIGN_TIMEOUT_S * MS_PER_S,
        .recorded = true,
    };
    if (read_names(job, err) < 0 || read_language(job->tree, catalogue, &spec->language, err) < 0 ||
        read_source(job->tree, spec, err) < 0 ||
        read_limit(job->tree, "timeout", LIMIT_WALL, MS_PER_S, &spec->limits, err) < 0 ||
        read_limit(job->tree, "memory_limit", LIMIT_MEMORY, MIB, &spec->limits, err) < 0)
        return -1;
    return read_dependencies(job, err);
}

int foreign_job_decode(struct slice text, const struct catalogue *catalogue,
                       struct foreign_job *ret_job, struct err *err)
{
    *ret_job = (struct foreign_job){0};
    if (!text.at || text.len > FOREIGN_JOB_MAX_BYTES)
        return err_set(err, ERR_TOO_LARGE, "not a job: it is longer than %d bytes",
                       FOREIGN_JOB_MAX_BYTES);
    ret_job->tree = json_read_lenient_object(text, err); /* whose id is read, is answered */
    if (!ret_job->tree || read_job(catalogue, ret_job, err) < 0)
        return err_wrap(err, "not a job");
    return 0;
}

void foreign_job_fini(struct foreign_job *job)
{
    json_decref(job->tree);
    free(job->arrays);
    *job = (struct foreign_job){0};
}
