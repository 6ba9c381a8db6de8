/* SPDX-License-Identifier: MIT */
#include "cli/configure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Never one from the current directory: `sudo runnel run` in a stranger's
 * folder must not obey it. */
static const char default_file[] = "/etc/runnel/runnel.conf";

int option_set_config(void *target, const struct option *option, const char *value, struct err *err)
{
    struct config_flags *flags = target;
    auto_free char *key = strdup(option->name);
    struct config_flag *items = reallocarray(flags->items, flags->count + 1, sizeof *items);
    if (items)
        flags->items = items;
    if (!items || !key)
        return err_sys(err, ENOMEM, "--%s", option->name);
    flags->items[flags->count++] = (struct config_flag){take_ptr(&key), value ? value : "yes"};
    return 0;
}

int option_refuse_config(const char *name, struct err *err)
{
    struct config nothing = {0};
    char source[80];
    if (snprintf(source, sizeof source, "--%.70s", name) < 0)
        source[0] = '\0';
    (void)config_set(&nothing, name, NULL, source, err);
    if (err)
        err->code = ERR_INVALID; /* of the command line, not of a configuration */
    return -1;
}

void config_flags_fini(struct config_flags *flags)
{
    for (size_t i = 0; i < flags->count; i++)
        free(flags->items[i].key);
    free(flags->items);
    *flags = (struct config_flags){0};
}

static int load_file(struct config *config, const struct config_flags *flags, struct err *err)
{
    const char *file = flags->file ? flags->file : getenv("RUNNEL_CONFIG");
    if (file)
        return config_load_file(config, file, err);
    if (access(default_file, F_OK) < 0)
        return 0;
    if (access(default_file, R_OK) < 0)
        return err_set(err, ERR_CONFIG,
                       "cannot read %s: %s; name another with --config (/dev/null is an empty one)",
                       default_file, strerror(errno));
    return config_load_file(config, default_file, err);
}

int configure(struct config *config, const struct config_flags *flags, struct err *err)
{
    if (load_file(config, flags, err) < 0 || config_load_environment(config, environ, err) < 0)
        return -1;
    for (size_t i = 0; i < flags->count; i++) {
        char source[80];
        if (snprintf(source, sizeof source, "--%s", flags->items[i].key) < 0)
            source[0] = '\0';
        if (config_set(config, flags->items[i].key, flags->items[i].value, source, err) < 0)
            return -1;
    }
    return 0;
}
