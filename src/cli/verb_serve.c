/* SPDX-License-Identifier: MIT */
/* verb_serve.c — `runnel serve`, twice in one life: first it reads everything
 * that can be wrong and becomes the spawner; then the spawner starts it again,
 * as the front, which gives up root, binds, gives up the rest, and serves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "cli/process.h"
#include "cli/serve.h"
#include "cli/storage.h"
#include "cli/verb.h"

struct serve_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
};

/* clang-format off */
static const struct option rows[] = {
    {"config", 'c', "FILE", "configuration file (default: /etc/runnel/runnel.conf)", option_set_text, offsetof(struct config_flags, file)},
    {0},
};
/* clang-format on */

/* Without keys there may be no public address. Where only what cannot be read has the answer, that
 * is the trouble, and no key to be made would cure it. */
static int read_listeners(const struct config *config, struct listeners *ret_listeners,
                          struct err *err)
{
    struct err unread;
    int has_keys = storage_has_keys(config, &unread);
    if (listeners_read(config, serve_dialects, has_keys > 0, ret_listeners, err) == 0)
        return 0;
    if (has_keys < 0 && listeners_read(config, serve_dialects, true, ret_listeners, NULL) == 0)
        *err = unread;
    return -1;
}

/* The front looks for it in the same place; but where the spawner is root of a user namespace, the
 * front is, too, and would take root's. */
static int tell_front_storage(const struct config *config, struct err *err)
{
    char path[STORAGE_PATH_SIZE];
    if (config->storage_dir)
        return 0;
    if (storage_find(config, path, err) < 0)
        return -1;
    return setenv("RUNNEL_STORAGE_DIR", path, 1) < 0 ? err_sys(err, errno, "serve") : 0;
}

static int run_serve(const struct verb *verb, int argc, char **argv, struct err *err)
{
    struct serve_options options = {0};
    struct wiring wiring = {.socket = -1};
    struct listeners listeners;
    int socket = sandbox_inherited_socket();
    int rc = verb_parse_alone(verb, argc, argv, &options, err);
    if (rc == OPTIONS_DONE) {
        rc = wiring_load(&wiring, &options.config, true, err);
        if (rc == 0)
            rc = read_listeners(&wiring.config, &listeners, err);
        if (rc == 0 && socket < 0)
            rc = tell_front_storage(&wiring.config, err);
        wiring.front_uid = rc == 0 && socket < 0 ? storage_owner(&wiring.config) : 0;
        if (rc == 0)
            rc = socket < 0 ? process_become_spawner(&wiring, argc, argv, err)
                            : serve(&wiring, socket, &listeners, err);
        if (rc < 0)
            config_blame(&wiring.config, err);
    } else if (rc == OPTIONS_HELP) {
        rc = 0;
    }
    wiring_fini(&wiring);
    config_flags_fini(&options.config);
    return rc;
}

const struct verb verb_serve = {
    .name = "serve",
    .summary = "run programs over HTTP",
    .synopsis = "serve [options]",
    .teaching = "examples:\n"
                "  sudo runnel serve                         on http://localhost:8080\n"
                "  sudo runnel serve --port 3000\n"
                "  sudo runnel serve --listen 127.0.0.1:80 --max-memory 1G\n"
                "  curl -s localhost:8080/execute -H 'content-type: application/json' \\\n"
                "       -d '{\"language\":\"python\",\"code\":\"print(6*7)\"}'\n"
                "\n"
                "Each key of the configuration is an option, too (docs/CONFIG.md): the file is\n"
                "read first, then the environment (RUNNEL_MAX_MEMORY=1G), then options.\n"
                "SIGTERM takes no new runs, lets those that run end, and exits with 0.\n",
    .options = {.rows = rows,
                .is_key = config_is_option,
                .set_key = option_set_config,
                .refuse_key = option_refuse_config,
                .print_keys = config_print_options},
    .run = run_serve,
};
