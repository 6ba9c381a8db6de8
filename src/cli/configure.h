/* SPDX-License-Identifier: MIT */
/* configure.h — the configuration of one process: file, environment, flags.
 *
 * Flags are the strongest and come first, so they are kept while options are
 * parsed and applied at the end. The target of a verb that takes configuration
 * begins with a struct config_flags.
 */
#ifndef RUNNEL_CLI_CONFIGURE_H
#define RUNNEL_CLI_CONFIGURE_H

#include "base/err.h"
#include "cli/options.h"
#include "config/config.h"

struct config_flag {
    char *key; /* owned: "listen" */
    const char *value;
};

struct config_flags {
    const char *file; /* --config */
    struct config_flag *items;
    size_t count;
};

void config_flags_fini(struct config_flags *flags);

/* `set` of a row whose name is a key of the configuration. */
int option_set_config(void *target, const struct option *option, const char *value,
                      struct err *err);

/* Of a name that is no key: names the nearest one. Returns -1. */
int option_refuse_config(const char *name, struct err *err);

/* The keys that matter to every verb that makes boxes. */
/* clang-format off */
#define CONFIG_OPTION_ROWS \
    {"config", 'c', "FILE", "configuration file (default: /etc/runnel/runnel.conf)", option_set_text, offsetof(struct config_flags, file)}, \
    {"allow-missing", 0, "LAYERS", "do without these layers of isolation ('runnel doctor' names them)", option_set_config, 0}, \
    {"cgroup-root", 0, "DIR", "cgroup to make the boxes' groups in (default: our own)", option_set_config, 0}, \
    {"languages-dirs", 0, "DIR", "read further language files from here", option_set_config, 0}
/* clang-format on */

/* Fills `config` (already initialised) in rising order of force. */
int configure(struct config *config, const struct config_flags *flags, struct err *err);

#endif
