/* SPDX-License-Identifier: MIT */
/* verb_worker.c — `runnel worker`, twice in one life, as `runnel serve` is. */
#include "cli/process.h"
#include "cli/verb.h"
#include "cli/worker.h"

struct worker_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
};

/* clang-format off */
static const struct option rows[] = {
    {"config", 'c', "FILE", "configuration file (default: /etc/runnel/runnel.conf)", option_set_text, offsetof(struct config_flags, file)},
    {0},
};
/* clang-format on */

static int run_worker(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct worker_options options = {0};
    struct wiring wiring = {.socket = -1};
    int socket = sandbox_inherited_socket();
    int rc = verb_parse_alone(verb, argc, argv, &options, err);
    if (rc == OPTIONS_DONE) {
        rc = wiring_load(&wiring, &options.config, true, err);
        if (rc == 0)
            rc = worker_check(&wiring.config, err);
        if (rc == 0)
            rc = socket < 0 ? process_become_spawner(&wiring, argc, argv, err)
                            : worker(&wiring, socket, err);
        if (rc < 0)
            config_blame(&wiring.config, err);
    } else if (rc == OPTIONS_HELP) {
        rc = 0;
    }
    wiring_fini(&wiring);
    config_flags_fini(&options.config);
    return rc;
}

const struct verb verb_worker = {
    .name = "worker",
    .summary = "run programs for services on other machines",
    .synopsis = "worker --broker URL --stream URL [options]",
    .teaching =
        "examples:\n"
        "  sudo runnel worker --broker amqp://runnel:secret@mq/ --stream redis://cache\n"
        "  sudo runnel worker --config /etc/runnel/worker.conf --concurrency 8\n"
        "\n"
        "Takes the jobs of all 'runnel serve --broker …' that name the same RabbitMQ and\n"
        "Redis, as many at once as it has slots. Passwords are better kept in a file or in\n"
        "the environment (RUNNEL_BROKER=amqp://…) than in a command line.\n"
        "SIGTERM takes no new jobs, lets those that run end, gives back what has not\n"
        "begun, and exits with 0.\n",
    .options = {.rows = rows,
                .is_key = config_is_option,
                .set_key = option_set_config,
                .refuse_key = option_refuse_config,
                .print_keys = config_print_options},
    .run = run_worker,
};
