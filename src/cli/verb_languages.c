/* SPDX-License-Identifier: MIT */
/* verb_languages.c — `runnel languages`: what can be run here, in which version,
 * and how to get the rest. */
#include <string.h>

#include "cli/verb.h"
#include "cli/versions.h"
#include "cli/wiring.h"
#include "codec/json_write.h"

struct languages_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    bool json;
};

/* clang-format off */
static const struct option rows[] = {
    {"json", 0, NULL, "as a JSON list", option_set_switch, offsetof(struct languages_options, json)},
    CONFIG_OPTION_ROWS,
    {0},
};
/* clang-format on */

enum { ASKED_AT_ONCE = 4 };

static void print_aliases(const struct language *language)
{
    for (size_t i = 0; language->aliases && language->aliases[i]; i++)
        (void)printf("%s%s", i > 0 ? " " : "", language->aliases[i]);
}

static void print_text(const struct catalogue *catalogue)
{
    (void)printf("%-12s %-10s %s\n", "LANGUAGE", "VERSION", "ALSO");
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct language *language = catalogue_at(catalogue, i);
        if (!language->installed)
            continue;
        (void)printf("%-12s %-10s ", language->name, language->version ? language->version : "?");
        print_aliases(language);
        (void)printf("\n");
    }
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct language *language = catalogue_at(catalogue, i);
        if (language->installed)
            continue;
        if (language->packages)
            (void)printf("%-12s not installed: apt-get install %s\n", language->name,
                         language->packages);
        else
            (void)printf("%-12s not installed: %s\n", language->name,
                         language->unavailable ? language->unavailable : language->requires);
    }
}

static void write_language(struct json *json, const struct language *language)
{
    json_open_object(json, NULL);
    json_text(json, "name", language->name);
    json_text(json, "title", language->title);
    json_bool(json, "installed", language->installed);
    json_text(json, "version", language->version);
    json_open_array(json, "aliases");
    for (size_t i = 0; language->aliases && language->aliases[i]; i++)
        json_text(json, NULL, language->aliases[i]);
    json_close_array(json);
    json_text(json, "packages", language->packages);
    json_text(json, "unavailable", language->unavailable);
    json_close_object(json);
}

static int print_json(const struct catalogue *catalogue, struct err *err)
{
    struct buf body;
    buf_init(&body, SIZE_MAX);
    struct json json = json_start(&body);
    json_open_array(&json, NULL);
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        write_language(&json, catalogue_at(catalogue, i));
    json_close_array(&json);
    bool failed = body.failed;
    if (!failed)
        (void)printf("%.*s\n", (int)buf_slice(&body).len, buf_slice(&body).at);
    buf_fini(&body);
    return failed ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

static int list(const struct languages_options *options, struct wiring *wiring, struct err *err)
{
    struct err no_boxes = {0};
    if (wiring_load(wiring, &options->config, false, err) < 0)
        return -1;
    /* Where no box can be made the list is as good, only without versions. */
    if (wiring_start_spawner(wiring, ASKED_AT_ONCE, &no_boxes) == 0) {
        if (wiring_make_executor(wiring, err) < 0 ||
            versions_find(wiring->loop, wiring->executor, wiring->catalogue,
                          &wiring->config.ceiling, ASKED_AT_ONCE, err) < 0)
            return -1;
    } else {
        (void)fprintf(stderr, "runnel: versions are not known: %s\n", no_boxes.text);
    }
    if (options->json)
        return print_json(wiring->catalogue, err);
    print_text(wiring->catalogue);
    return 0;
}

static int run_languages(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct languages_options options = {0};
    struct wiring wiring = {.socket = -1};
    int rc = verb_parse_alone(verb, argc, argv, &options, err);
    if (rc == OPTIONS_DONE)
        rc = list(&options, &wiring, err);
    else if (rc == OPTIONS_HELP)
        rc = 0;
    wiring_fini(&wiring);
    config_flags_fini(&options.config);
    return rc;
}

const struct verb verb_languages = {
    .name = "languages",
    .summary = "what can be run here, and how to get the rest",
    .synopsis = "languages [--json]",
    .teaching = "examples:\n"
                "  runnel languages\n"
                "  runnel languages --languages-dirs=DIR     with language files of your own\n"
                "\n"
                "Versions are those that the toolchains print, asked in a box.\n",
    .options = {.rows = rows},
    .run = run_languages,
};
