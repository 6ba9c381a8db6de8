/* SPDX-License-Identifier: MIT */
/* verb_jobs.c — `runnel jobs`: what Redis and the broker know of a fleet's runs, whichever
 * front took them. */
#include "cli/verb_jobs.h"

#include <string.h>

#include "cli/verb.h"
#include "fleet/names.h"

/* clang-format off */
static const struct option rows[] = {
    {"all", 'a', NULL, "list: those that have ended, too", option_set_switch, offsetof(struct jobs_options, all)},
    {"json", 0, NULL, "as JSON", option_set_switch, offsetof(struct jobs_options, json)},
    {"broker", 0, "URL", "dead: RabbitMQ of the fleet, as amqp://user:password@host:5672/", option_set_config, 0},
    FLEET_OPTION_ROWS,
    {0},
};
/* clang-format on */

static const struct action {
    const char *words[2];
    bool has_id;
    bool needs_broker;
    jobs_action *act;
} actions[] = {
    {{"list"}, false, false, jobs_list},
    {{"show"}, true, false, jobs_show},
    {{"cancel"}, true, false, jobs_cancel},
    {{"dead", "show"}, true, true, jobs_dead_show},
    {{"dead", "replay"}, true, true, jobs_dead_replay},
    {{"dead"}, false, true, jobs_dead_list},
};

/* As they go into names of keys and onto terminals. */
static bool is_id(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return len > 0 && len < RUN_ID_SIZE;
}

static bool fits(const struct action *action, const struct words *operands)
{
    size_t used = action->words[1] ? 2 : 1;
    if (operands->count != used + action->has_id)
        return false;
    for (size_t i = 0; i < used; i++) {
        if (strcmp(operands->items[i], action->words[i]) != 0)
            return false;
    }
    return true;
}

static const struct action *find_action(const struct words *operands, const char **ret_id,
                                        struct err *err)
{
    *ret_id = operands->count > 0 ? operands->items[operands->count - 1] : "";
    if (operands->count == 0)
        return &actions[0];
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!fits(&actions[i], operands))
            continue;
        if (!actions[i].has_id || is_id(*ret_id))
            return &actions[i];
        (void)err_set(err, ERR_INVALID, "that is no job's id");
        return NULL;
    }
    (void)err_set(err, ERR_INVALID,
                  "write 'runnel jobs' with one of: list, show ID, cancel ID, dead, dead show ID, "
                  "dead replay ID");
    return NULL;
}

static int open_and_act(const void *target, const struct words *operands, struct err *err)
{
    const struct jobs_options *options = target;
    struct fleet_link link = {0};
    const char *id = NULL;
    const struct action *action = find_action(operands, &id, err);
    if (!action)
        return -1;
    int rc = fleet_link_open(&link, &options->config, err);
    if (rc == 0 && action->needs_broker)
        rc = fleet_link_open_broker(&link, err);
    if (rc == 0)
        rc = action->act(&link, options, id, err);
    fleet_link_close(&link);
    return rc;
}

static int run_jobs(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct jobs_options options = {0};
    return verb_act(verb, argc, argv, &options, open_and_act, err);
}

const struct verb verb_jobs = {
    .name = "jobs",
    .summary = "a fleet's runs: list, look at, cancel, and what became of dead ones",
    .synopsis =
        "jobs [list] [--all] | jobs show ID | jobs cancel ID | jobs dead [show ID | replay ID]",
    .teaching =
        "examples:\n"
        "  runnel jobs --stream redis://cache:6379\n"
        "  runnel jobs --all --json\n"
        "  runnel jobs cancel 0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a\n"
        "  runnel jobs dead --stream redis://cache --broker amqp://user:password@mq/\n"
        "  runnel jobs dead show 0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a      why it is dead\n"
        "  runnel jobs dead replay 0b9d5b5e-7c1f-4f0e-9d0a-1f2e3d4c5b6a\n"
        "\n"
        "Ended jobs are known for ten minutes. A dead job ended its worker twice, or was no\n"
        "job at all; it has its result, so a replay is a new one, with an id of its own.\n",
    .options = {.rows = rows},
    .run = run_jobs,
};
