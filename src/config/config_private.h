/* SPDX-License-Identifier: MIT */
/* config_private.h — the table of keys, for the files of this module only.
 *
 * A new key is a new field of struct config and a new row; a new limit brings
 * its key along.
 */
#ifndef RUNNEL_CONFIG_CONFIG_PRIVATE_H
#define RUNNEL_CONFIG_CONFIG_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "config/config.h"

enum config_type {
    CONFIG_SWITCH,   /* bool */
    CONFIG_NUMBER,   /* uint64_t */
    CONFIG_BYTES,    /* uint64_t */
    CONFIG_DURATION, /* uint64_t, in ms */
    CONFIG_TEXT,     /* owned char *, NULL when empty */
    CONFIG_CHOICE,   /* owned char *, one of `choices` */
    CONFIG_LIST,     /* struct config_list */
    CONFIG_CEILING,  /* uint64_t, in the unit of `limit` */
};

struct config_key {
    const char *name;  /* "max_connections"; CONFIG_CEILING: the limit's option */
    const char *alias; /* a second environment name, from the services we stand in for */
    enum config_type type;
    enum limit limit; /* CONFIG_CEILING */
    size_t offset;    /* in struct config */
    uint64_t smallest;
    uint64_t largest;
    bool is_secret;      /* no message shows its value */
    const char *choices; /* CONFIG_CHOICE: "error, warn, info" */
    const char *preset;  /* the default, as it would be written; a ceiling's: config_preset */
    const char *value;   /* stands for the value in help; NULL: the type's own */
    const char *help;
};

extern const struct config_key config_keys[]; /* ends with a NULL name */

/* The three ways to write a key: max_memory, max-memory, RUNNEL_MAX_MEMORY. */
enum config_style { STYLE_KEY, STYLE_OPTION, STYLE_ENVIRONMENT, STYLE_COUNT };

#define CONFIG_NAME_ROOM 64
const char *config_key_name(const struct config_key *key, enum config_style style,
                            char name[CONFIG_NAME_ROOM]);
const struct config_key *config_find(const char *name, enum config_style style);

/* The default, as it would be written; NULL: none. A ceiling's is that of `serve`. */
const char *config_preset(const struct config_key *key);

/* The name nearest to a mistyped one; NULL when none is near. */
const char *config_nearest(const char *mistyped, enum config_style style,
                           char name[CONFIG_NAME_ROOM]);

/* "a time from 1 ms to 24 h, as in 500ms, 10s or 5m": what a value must be. */
const char *config_describe(const struct config_key *key, char *text, size_t size);
const char *config_value_word(const struct config_key *key); /* "TIME" */

/* Rising order. A list set in a higher layer replaces what lower ones put in. */
enum config_layer { LAYER_FILE, LAYER_ALIAS, LAYER_ENVIRONMENT, LAYER_COMMAND_LINE };

/* Of `item` of a list, else 0. An option's is "". */
void config_note_place(struct config *config, const struct config_key *key, size_t item,
                       const char *text);
void config_free_places(struct config *config);

/* `source`: where it is written; NULL: a default. */
int config_set_key(struct config *config, const struct config_key *key, const char *value,
                   enum config_layer layer, const char *source, struct err *err);

#endif
