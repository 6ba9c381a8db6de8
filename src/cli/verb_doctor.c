/* SPDX-License-Identifier: MIT */
/* verb_doctor.c — `runnel doctor`: what this host can enforce, layer by layer,
 * found by running real boxes, and what to do about the rest. */
#include <string.h>

#include "cli/verb.h"
#include "cli/wiring.h"
#include "codec/json_write.h"

struct doctor_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    bool json;
};

/* clang-format off */
static const struct option rows[] = {
    {"json", 0, NULL, "as one JSON object", option_set_switch, offsetof(struct doctor_options, json)},
    CONFIG_OPTION_ROWS,
    {0},
};
/* clang-format on */

static const char *const status_words[] = {[LAYER_UNTRIED] = "untried",
                                           [LAYER_MISSING] = "missing",
                                           [LAYER_WEAKER] = "weaker",
                                           [LAYER_HOLDS] = "holds"};

static void print_text(const struct wiring *wiring, const char *refusal)
{
    for (int i = 0; i < LAYER_COUNT; i++) {
        const char *detail = wiring->report.layer[i].detail;
        enum layer_status status = wiring->report.layer[i].status;
        (void)printf("%-12s %-8s %s%s%s%s\n", layer_name((enum layer)i), status_words[status],
                     layer_purpose((enum layer)i), *detail ? " (" : "", detail, *detail ? ")" : "");
        if (status == LAYER_MISSING || status == LAYER_WEAKER)
            (void)printf("%-12s %-8s remedy: %s\n", "", "", layer_remedy((enum layer)i));
    }
    (void)printf("\nisolation: %s%s\n", wiring->isolation,
                 wiring->report.privileged ? "" : ", without privilege");
    if (refusal)
        (void)printf("runnel will not run anything here: %s\n", refusal);
    else
        (void)printf("runnel can run programs here\n");
}

static int print_json(const struct wiring *wiring, const char *refusal, struct err *err)
{
    struct buf body;
    buf_init(&body, SIZE_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "isolation", wiring->isolation);
    json_bool(&json, "privileged", wiring->report.privileged);
    json_bool(&json, "usable", refusal == NULL);
    json_text(&json, "refusal", refusal);
    json_open_array(&json, "layers");
    for (int i = 0; i < LAYER_COUNT; i++) {
        json_open_object(&json, NULL);
        json_text(&json, "name", layer_name((enum layer)i));
        json_text(&json, "status", status_words[wiring->report.layer[i].status]);
        json_text(&json, "purpose", layer_purpose((enum layer)i));
        json_text(&json, "detail", wiring->report.layer[i].detail);
        json_text(&json, "remedy", layer_remedy((enum layer)i));
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    bool failed = body.failed;
    if (!failed)
        (void)printf("%.*s\n", (int)buf_slice(&body).len, buf_slice(&body).at);
    buf_fini(&body);
    return failed ? err_set(err, ERR_INTERNAL, "out of memory") : 0;
}

static int examine(const struct doctor_options *options, struct wiring *wiring, struct err *err)
{
    if (wiring_load(wiring, &options->config, false, err) < 0)
        return -1;
    struct err refusal = {0};
    int rc = wiring_start_spawner(wiring, 1, &refusal);
    if (rc < 0 && refusal.code != ERR_UNAVAILABLE) {
        *err = refusal;
        return -1;
    }
    const char *why = rc < 0 ? refusal.text : NULL;
    if (options->json && print_json(wiring, why, err) < 0)
        return -1;
    if (!options->json)
        print_text(wiring, why);
    return rc < 0 ? err_exit_status(ERR_UNAVAILABLE) : 0;
}

static int run_doctor(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct doctor_options options = {0};
    struct wiring wiring = {.socket = -1};
    int rc = verb_parse_alone(verb, argc, argv, &options, err);
    if (rc == OPTIONS_DONE)
        rc = examine(&options, &wiring, err);
    else if (rc == OPTIONS_HELP)
        rc = 0;
    wiring_fini(&wiring);
    config_flags_fini(&options.config);
    return rc;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .summary = "what this machine can enforce, and what it lacks",
    .synopsis = "doctor [--json] [--allow-missing LAYERS]",
    .teaching = "examples:\n"
                "  sudo runnel doctor                        as root: the full level\n"
                "  runnel doctor --allow-missing=cgroup      would it do without cgroups?\n"
                "\n"
                "Each layer is tried by a real box that looks at itself. The exit status is 0\n"
                "when programs can be run here, and 69 when not.\n",
    .options = {.rows = rows},
    .run = run_doctor,
};
