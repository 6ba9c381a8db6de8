/* SPDX-License-Identifier: MIT */
/* runs_languages.c — everything about each language, for who offers a choice. */
#include <stdio.h>

#include "base/buf.h"
#include "codec/json_write.h"
#include "dialect/request_answer.h"
#include "dialect/result_fields.h"
#include "dialect/runs.h"
#include "dialect/runs_operations.h"
#include "language/language.h"

#define LIST_MAX MIB

/* clang-format off */
static const struct schema_field language_fields[] = {
    {"name",      SCHEMA_TEXT,  .required = true, .help = "for `language` of a run"},
    {"title",     SCHEMA_TEXT,  .required = true, .help = "for people"},
    {"aliases",   SCHEMA_TEXTS, .required = true, .help = "other names that are taken"},
    {"installed", SCHEMA_BOOL,  .required = true},
    {"version",   SCHEMA_TEXT,  .required = true, .nullable = true, .help = "null: not known yet"},
    {"grammar",   SCHEMA_TEXT,  .required = true, .nullable = true, .help = "of the editor"},
    {"source",    SCHEMA_TEXT,  .required = true, .help = "the name of the entry file"},
    {"extensions", SCHEMA_TEXTS, .required = true, .help = "of its files"},
    {"compiled",  SCHEMA_BOOL,  .required = true, .help = "a stage of its own comes first, with limits of its own"},
    {"limits",    SCHEMA_LIMITS_SET, .required = true, .help = "that a run has which asks for none and is waited for"},
    {"sample",    SCHEMA_TEXT,  .required = true, .nullable = true, .help = "a program that runs"},
    {"install",   SCHEMA_TEXT,  .required = true, .nullable = true, .help = "what installs it here"},
    {NULL},
};
static const struct schema language_schema = {"Language", language_fields, NULL};
static const struct schema_field list_fields[] = {
    {"languages", SCHEMA_OBJECTS, .required = true, .items = &language_schema},
    {NULL},
};
/* clang-format on */
const struct schema runs_languages_schema = {"LanguageList", list_fields, NULL};

static void write_install(struct json *json, const struct language *language)
{
    char text[512];
    if (language->installed || !language->packages) {
        json_nothing(json, "install");
        return;
    }
    (void)snprintf(text, sizeof text, "sudo apt-get install %s", language->packages);
    json_text(json, "install", text);
}

static void write_texts(struct json *json, const char *key, const char *const *texts)
{
    json_open_array(json, key);
    for (; texts && *texts; texts++)
        json_text(json, NULL, *texts);
    json_close_array(json);
}

static void write_language(struct json *json, const struct language *language,
                           const struct engine *engine)
{
    json_open_object(json, NULL);
    json_text(json, "name", language->name);
    json_text(json, "title", language->title);
    write_texts(json, "aliases", language->aliases);
    json_bool(json, "installed", language->installed);
    json_text(json, "version", language->version);
    json_text(json, "grammar", language->grammar);
    json_text(json, "source", language->source);
    write_texts(json, "extensions", language->extensions);
    json_bool(json, "compiled", language->compile != NULL);
    struct limits limits =
        engine_limits(engine, &(struct run_spec){.language = language, .profile = PROFILE_RUNS});
    result_limits_write(json, &limits, true);
    json_text(json, "sample", language->sample);
    write_install(json, language);
    json_close_object(json);
}

void runs_handle_languages(struct http_request *request, void *context)
{
    const struct runs *runs = context;
    runs->find_versions(runs->find_versions_context);
    auto_buf struct buf body;
    buf_init(&body, LIST_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_open_array(&json, "languages");
    for (size_t i = 0; i < catalogue_count(runs->catalogue); i++)
        write_language(&json, catalogue_at(runs->catalogue, i), runs->engine);
    json_close_array(&json);
    json_close_object(&json);
    http_reply_take(request, 200, ANSWER_JSON, &body);
}
