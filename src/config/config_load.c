/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "codec/ini_read.h"
#include "codec/utf8.h"
#include "config/config_private.h"

static int unknown(const char *place, const char *what, const char *mistyped,
                   enum config_style style, struct err *err)
{
    char shown[CONFIG_NAME_ROOM];
    char name[CONFIG_NAME_ROOM];
    const char *nearest = config_nearest(mistyped, style, name);
    return err_set(err, ERR_CONFIG, "%s%s '%s'%s%s%s", place, what,
                   utf8_for_people(shown, sizeof shown, slice_of(mistyped)),
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int on_line(void *context, const struct ini_line *line, struct err *err)
{
    if (!line->key)
        return err_set(err, ERR_CONFIG, "%s: there are no [sections] in this file", line->place);
    const struct config_key *key = config_find(line->key, STYLE_KEY);
    if (!key) {
        char place[400];
        (void)snprintf(place, sizeof place, "%s: ", line->place);
        return unknown(place, "unknown key", line->key, STYLE_KEY, err);
    }
    return config_set_key(context, key, line->value, LAYER_FILE, line->place, err);
}

int config_load_file(struct config *config, const char *path, struct err *err)
{
    auto_buf struct buf text = {0};
    if (ini_load(path, &text, err) < 0)
        return -1;
    return ini_read(path, buf_slice(&text), on_line, config, err);
}

static const struct config_key *find_alias(const char *name)
{
    for (const struct config_key *key = config_keys; key->name; key++) {
        if (key->alias && strcmp(key->alias, name) == 0)
            return key;
    }
    return NULL;
}

/* One layer of the environment: "NAME=value". */
static int load_variable(struct config *config, const char *variable, enum config_layer layer,
                         struct err *err)
{
    static const char prefix[] = "RUNNEL_";
    const char *equals = strchr(variable, '=');
    if (!equals || equals[1] == '\0')
        return 0; /* empty is unset: compose files pass on what may not be there */
    char name[CONFIG_NAME_ROOM];
    int len = snprintf(name, sizeof name, "%.*s", (int)MIN(equals - variable, CONFIG_NAME_ROOM),
                       variable);
    bool ours = strncmp(variable, prefix, strlen(prefix)) == 0;
    if (layer == LAYER_ALIAS || !ours) {
        const struct config_key *key = layer == LAYER_ALIAS ? find_alias(name) : NULL;
        return key ? config_set_key(config, key, equals + 1, layer, name, err) : 0;
    }
    /* Between our own processes; and the name of the file, which was read before. */
    if (strcmp(name, "RUNNEL_SPAWNER") == 0 || strcmp(name, "RUNNEL_CONFIG") == 0)
        return 0;
    const struct config_key *key = config_find(name, STYLE_ENVIRONMENT);
    if (!key || len >= CONFIG_NAME_ROOM)
        return unknown("", "unknown environment variable", name, STYLE_ENVIRONMENT, err);
    return config_set_key(config, key, equals + 1, layer, name, err);
}

int config_load_environment(struct config *config, char *const *environment, struct err *err)
{
    /* Twice, so that our own names win in whatever order they stand. */
    static const enum config_layer layers[] = {LAYER_ALIAS, LAYER_ENVIRONMENT};
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        for (char *const *variable = environment; *variable; variable++) {
            if (load_variable(config, *variable, layers[i], err) < 0)
                return -1;
        }
    }
    return 0;
}
