/* SPDX-License-Identifier: MIT */
/* verb_run.c — `runnel run FILE`: one program, in a box of its own, with a
 * spawner of its own that ends with it. Needs no service. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "cli/file.h"
#include "cli/follow.h"
#include "cli/outputs.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "cli/wiring.h"
#include "codec/json_write.h"
#include "dialect/result_fields.h"
#include "engine/profile.h"

enum { KEEP_MS = 60000 }; /* a finished run, until we have told of it */

struct run_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    const char *language;
    const char *outputs;
    bool json;
    bool interactive;
    struct words env;
    struct words files;
    struct limits limits;
};

static int set_limit(void *target, const struct option *option, const char *value, struct err *err)
{
    struct run_options *options = target;
    const struct limit_info *info = limit_info((enum limit)option->which);
    char wanted[160];
    if (limit_parse((enum limit)option->which, value, &options->limits.value[option->which]) == 0)
        return 0;
    return err_set(
        err, ERR_INVALID, "--%s %.40s: write %s", info->option, value,
        limit_describe(info->unit, info->smallest, info->largest, wanted, sizeof wanted));
}

/* Of a run that is waited for; what a language's runtime needs may be more. */
static const char *limit_preset(const struct option *option, char *text, size_t size)
{
    uint64_t value = profile_limits(PROFILE_BATCH)->value[option->which];
    return value == 0
               ? "none"
               : limit_format(limit_info((enum limit)option->which)->unit, value, text, size);
}

static int add_env(void *target, const struct option *option, const char *value, struct err *err)
{
    struct run_options *options = target;
    if (value[0] == '=' || !strchr(value, '='))
        return option_refuse(err, option, value, "write NAME=VALUE");
    return words_add(&options->env, value, err);
}

static int add_file(void *target, const struct option *option, const char *value, struct err *err)
{
    struct run_options *options = target;
    (void)option;
    return words_add(&options->files, value, err);
}

#define VALUE_LIMIT_MS "TIME"
#define VALUE_LIMIT_MILLI "NUMBER"
#define VALUE_LIMIT_BYTES "SIZE"
#define VALUE_LIMIT_COUNT_OF "COUNT"
#define LIMIT_ROW(id, json, option, unit, scale, smallest, largest, help) \
    {option, 0, VALUE_##unit, help, set_limit, id, limit_preset},

/* clang-format off */
static const struct option rows[] = {
    {"language", 'l', "NAME", "the language (default: by the file's ending)", option_set_text, offsetof(struct run_options, language)},
    {"json", 0, NULL, "print one JSON object at the end: verdict, streams, usage, limits", option_set_switch, offsetof(struct run_options, json)},
    {"interactive", 'i', NULL, "a person is at it: the terminal is the program's, for five minutes", option_set_switch, offsetof(struct run_options, interactive)},
    {"env", 'e', "NAME=VALUE", "a variable for the program; may be repeated", add_env, 0},
    {"file", 'f', "PATH[=NAME]", "a further file for its folder; may be repeated", add_file, 0},
    {"outputs", 'o', "DIR", "put there what it leaves in outputs/, in place of nothing", option_set_text, offsetof(struct run_options, outputs)},
    LIMIT_TABLE(LIMIT_ROW)
    CONFIG_OPTION_ROWS,
    {0},
};
/* clang-format on */

struct loaded_file {
    char *name;
    struct buf content;
};

/* What one run of the verb holds. */
struct job {
    struct run_options options;
    struct wiring wiring;
    const struct language *language;
    const char *path;
    struct buf source;
    struct loaded_file *loaded; /* owns what files points at */
    struct run_file *files;
    size_t file_count;
    struct follow_text text;
    struct outputs *outputs; /* NULL: what it leaves is not wanted */
};

static void offer_names(struct nearest *nearest, const struct language *language)
{
    (void)nearest_offer(nearest, language->name);
    for (size_t i = 0; language->aliases && language->aliases[i]; i++)
        (void)nearest_offer(nearest, language->aliases[i]);
}

static int find_language(struct job *job, struct err *err)
{
    const char *name = job->options.language;
    const struct catalogue *catalogue = job->wiring.catalogue;
    job->language = name ? catalogue_find(catalogue, slice_of(name))
                         : catalogue_find_by_file(catalogue, job->path);
    if (job->language)
        return 0;
    if (!name && strcmp(job->path, "-") == 0)
        return err_set(err, ERR_UNKNOWN_LANGUAGE,
                       "a program from stdin has no ending that tells its language; name it with "
                       "--language");
    if (!name)
        return err_set(err, ERR_UNKNOWN_LANGUAGE,
                       "%s: its ending tells no language; name one with --language", job->path);
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        offer_names(&nearest, catalogue_at(catalogue, i));
    if (nearest.best)
        return err_set(err, ERR_UNKNOWN_LANGUAGE, "there is no language '%s'; did you mean '%s'?",
                       name, nearest.best);
    return err_set(err, ERR_UNKNOWN_LANGUAGE,
                   "there is no language '%s' ('runnel languages' lists them)", name);
}

/* "data/in.txt=in.txt" → in.txt in the program's folder; "in.txt" → in.txt. */
static int load_file(struct loaded_file *file, const char *spec, struct err *err)
{
    const char *equals = strrchr(spec, '=');
    const char *slash = strrchr(spec, '/');
    auto_free char *path = strdup(spec);
    if (!path)
        return err_sys(err, ENOMEM, "--file %s", spec);
    if (equals)
        path[equals - spec] = '\0';
    file->name = strdup(equals ? equals + 1 : slash ? slash + 1 : spec);
    if (!file->name)
        return err_sys(err, ENOMEM, "--file %s", spec);
    return file_load(path, &file->content, err);
}

static int load_files(struct job *job, struct err *err)
{
    size_t count = job->options.files.count;
    job->loaded = calloc(count + 1, sizeof *job->loaded);
    job->files = calloc(count + 1, sizeof *job->files);
    if (!job->loaded || !job->files)
        return err_sys(err, ENOMEM, "load the files");
    for (size_t i = 0; i < count; i++) {
        job->file_count = i + 1;
        if (load_file(&job->loaded[i], job->options.files.items[i], err) < 0)
            return -1;
        job->files[i] = (struct run_file){job->loaded[i].name, buf_slice(&job->loaded[i].content)};
    }
    return file_load(job->path, &job->source, err);
}

static void job_fini(struct job *job)
{
    for (size_t i = 0; i < job->file_count; i++) {
        free(job->loaded[i].name);
        buf_fini(&job->loaded[i].content);
    }
    free(job->loaded);
    free(job->files);
    buf_fini(&job->source);
    buf_fini(&job->text.out);
    buf_fini(&job->text.err);
    wiring_fini(&job->wiring);
    outputs_free(job->outputs);
    words_fini(&job->options.env);
    words_fini(&job->options.files);
    config_flags_fini(&job->options.config);
}

static int start_engine(struct job *job, struct err *err)
{
    struct engine_config config = {.concurrency = 1,
                                   .queue_length = 1,
                                   .keep_ms = KEEP_MS,
                                   .ceiling = job->wiring.config.ceiling};
    if (job->options.outputs) {
        job->outputs = outputs_new(job->options.outputs, err);
        if (!job->outputs)
            return -1;
        config.recorder = (struct recorder){outputs_keep, job->outputs};
    }
    if (wiring_start_spawner(&job->wiring, 1, err) < 0 ||
        wiring_make_executor(&job->wiring, err) < 0)
        return -1;
    return wiring_make_engine(&job->wiring, &config, err);
}

/* Values whose sign means "none" are null, so that nobody takes them for one. */
static void write_optional(struct json *json, const char *key, int number, bool there)
{
    if (there)
        json_i64(json, key, number);
    else
        json_nothing(json, key);
}

static int print_json(const struct job *job, const struct run *run, struct err *err)
{
    const struct run_result *result = run_result(run);
    struct buf body;
    buf_init(&body, SIZE_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "verdict", verdict_name(result->verdict));
    json_text(&json, "reason", result->reason);
    json_text(&json, "language", job->language->name);
    write_optional(&json, "exit_code", result->exit_code,
                   result->signal == 0 && result->exit_code >= 0);
    write_optional(&json, "signal", result->signal, result->signal != 0);
    json_slice(&json, "stdout", buf_slice(&job->text.out));
    json_slice(&json, "stderr", buf_slice(&job->text.err));
    result_fields_write(&json, run, job->wiring.isolation);
    if (job->outputs)
        outputs_write(job->outputs, &json);
    json_close_object(&json);
    struct slice text = buf_slice(&body);
    bool failed = body.failed || job->text.out.failed || job->text.err.failed;
    if (!failed)
        (void)(fwrite(text.at, 1, text.len, stdout) == text.len && fputc('\n', stdout));
    buf_fini(&body);
    return failed ? err_sys(err, ENOMEM, "the result") : 0;
}

/* What the program cannot have said itself. */
static void print_reason(const struct run_result *result)
{
    bool its_own = result->verdict == VERDICT_SUCCEEDED || result->verdict == VERDICT_FAILED ||
                   (result->verdict == VERDICT_COMPILE_FAILED && result->signal == 0);
    bool hit = result->hits.processes > 0 || result->hits.workspace > 0 ||
               result->hits.file_size > 0 || result->hits.open_files > 0;
    if (!its_own || (hit && result->verdict == VERDICT_FAILED))
        (void)fprintf(stderr, "runnel: %s: %s\n", verdict_name(result->verdict), result->reason);
}

/* The exit status. `unread`: who read its output has gone, and is not told why it ended. */
static int tell_end(const struct job *job, const struct run *run, bool unread, struct err *err)
{
    const struct run_result *result = run_result(run);
    if (job->options.json && print_json(job, run, err) < 0)
        return -1;
    if (!job->options.json && !unread)
        print_reason(result);
    if (job->outputs && !job->options.json)
        outputs_tell_refused(job->outputs);
    if (job->outputs && outputs_check(job->outputs, err) < 0)
        return -1;
    return unread ? EXIT_UNREAD
                  : verdict_exit_status(result->verdict, result->exit_code, result->signal);
}

static int run_job(struct job *job, const struct words *operands, struct err *err)
{
    bool source_is_stdin = strcmp(job->path, "-") == 0;
    bool terminal = job->options.interactive && !source_is_stdin && terminal_is_there();
    auto_free char *entry_file = language_entry_like(job->language, job->path);
    struct run_spec spec = {
        .language = job->language,
        .profile = job->options.interactive ? PROFILE_LIVE : PROFILE_BATCH,
        .source = buf_slice(&job->source),
        .entry_file = entry_file,
        .files = job->files,
        .file_count = job->file_count,
        .input_stays_open = !source_is_stdin,
        .args = operands->count > 1 ? operands->items + 1 : NULL,
        .env = words_list(&job->options.env),
        .limits = job->options.limits,
        .streaming = job->options.interactive,
        .tty = terminal,
        .folders = job->outputs ? outputs_folders : NULL,
        .artifacts = job->outputs ? outputs_artifacts : NULL,
        .recorded = job->outputs != NULL,
    };
    struct follow_spec follow = {
        .collect = job->options.json, .input = !source_is_stdin, .terminal = terminal};
    struct run *run = engine_submit(job->wiring.engine, &spec, err);
    if (!run)
        return -1;
    int status = follow_run(job->wiring.loop, run, &follow, &job->text, err);
    return status < 0 || !run_result(run) ? status : tell_end(job, run, status > 0, err);
}

static int check_options(const struct verb *verb, const struct job *job,
                         const struct words *operands, struct err *err)
{
    if (operands->count == 0 && !job->options.language)
        return err_set(err, ERR_INVALID, "which program? usage: runnel %s", verb->synopsis);
    if (job->options.json && job->options.interactive)
        return err_set(err, ERR_INVALID,
                       "--json keeps the whole output for one object, and "
                       "--interactive sets no end to it: choose one");
    return 0;
}

static int run_run(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct job job = {.path = "-"};
    struct words operands = {0};
    buf_init(&job.source, 0);
    buf_init(&job.text.out, SIZE_MAX);
    buf_init(&job.text.err, SIZE_MAX);
    int rc = verb_parse(verb, argc, argv, &job.options, &operands, err);
    if (rc == OPTIONS_DONE) {
        if (operands.count > 0)
            job.path = operands.items[0];
        rc = check_options(verb, &job, &operands, err);
        if (rc == 0)
            rc = wiring_load(&job.wiring, &job.options.config, false, err);
        if (rc == 0)
            rc = find_language(&job, err);
        if (rc == 0)
            rc = load_files(&job, err);
        if (rc == 0)
            rc = start_engine(&job, err);
        if (rc == 0)
            rc = run_job(&job, &operands, err);
    } else if (rc == OPTIONS_HELP) {
        rc = 0;
    }
    job_fini(&job);
    words_fini(&operands);
    return rc;
}

const struct verb verb_run = {
    .name = "run",
    .summary = "run one program here and now",
    .synopsis = "run [options] FILE [--] [ARGUMENT...]",
    .teaching =
        "examples:\n"
        "  runnel run hello.py\n"
        "  echo 21 | runnel run --language c double.c      stdin goes to the program\n"
        "  runnel run --memory 64M --timeout 2s hog.rb     limits\n"
        "  runnel run --json hello.py | jq .usage\n"
        "  runnel run --outputs plots plot.py              files that it leaves in outputs/\n"
        "  generate | runnel run --language python -       the program itself from stdin\n"
        "  runnel run grep.py -- -i word                   its arguments, behind --\n"
        "  runnel run -i game.py                           a terminal; Ctrl-C goes to it\n"
        "\n"
        "Output appears as it is made; what a compiler says goes to stderr. The exit\n"
        "status is the program's; 128+N when signal N ended it; 124 for a limit of time,\n"
        "125 for another limit, 126 when no box could be made, 130 when interrupted, and\n"
        "141 when nobody reads its output any more, which ends it.\n"
        "\n"
        "TIME is written 500ms, 10s or 5m, and SIZE 512K, 64M or 1G. In parentheses is the\n"
        "limit that holds without the option; a language may need more, and with -i the\n"
        "program has five minutes, and says as much as it likes.\n",
    .options = {.rows = rows, .hint = " (the program's own options stand behind --)"},
    .run = run_run,
};
