/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/slice.h"
#include "base/util.h"
#include "codec/utf8.h"
#include "config/config_private.h"

static void *field_of(struct config *config, const struct config_key *key)
{
    return (char *)config + key->offset;
}

static void empty_list(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

void config_fini(struct config *config)
{
    int saved = errno;
    for (const struct config_key *key = config_keys; key->name; key++) {
        if (key->type == CONFIG_LIST)
            empty_list(field_of(config, key));
        else if (key->type == CONFIG_TEXT || key->type == CONFIG_CHOICE)
            free(*(char **)field_of(config, key));
    }
    config_free_places(config);
    *config = (struct config){0};
    errno = saved;
}

static int add_item(struct config_list *list, struct slice item)
{
    char **items = reallocarray(list->items, list->count + 1, sizeof *items);
    if (!items)
        return -ENOMEM;
    list->items = items;
    items[list->count] = strndup(item.at, item.len);
    if (!items[list->count])
        return -ENOMEM;
    list->count++;
    return 0;
}

/* "a, b,,c" → a b c */
static int add_items(struct config_list *list, const char *text)
{
    static const char blanks[] = " \t";
    while (*text) {
        text += strspn(text, blanks);
        size_t len = strcspn(text, ",");
        const char *following = text + len + (text[len] == ',');
        while (len > 0 && strchr(blanks, text[len - 1]))
            len--;
        if (len > 0 && add_item(list, (struct slice){text, len}) < 0)
            return -ENOMEM;
        text = following;
    }
    return 0;
}

static int set_list(struct config_list *list, const char *value, enum config_layer layer)
{
    if ((int)layer > list->layer)
        empty_list(list);
    list->layer = (int)layer;
    return add_items(list, value);
}

static int set_text(char **field, const char *value)
{
    char *copy = *value ? strdup(value) : NULL;
    if (*value && !copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

/* `choices` are separated by ", ". */
static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);
    if (len == 0 || strpbrk(value, ", "))
        return false;
    for (const char *at = choices; (at = strstr(at, value)); at += len) {
        bool starts = at == choices || at[-1] == ' ';
        if (starts && (at[len] == ',' || at[len] == '\0'))
            return true;
    }
    return false;
}

static int set_number(uint64_t *field, const struct config_key *key, const char *value,
                      int (*parse)(const char *, uint64_t *))
{
    uint64_t number;
    int rc = parse(value, &number);
    if (rc < 0)
        return rc;
    if (number < key->smallest || number > key->largest)
        return -ERANGE;
    *field = number;
    return 0;
}

/* -EINVAL and -ERANGE: not what config_describe says. */
static int set_field(struct config *config, const struct config_key *key, const char *value,
                     enum config_layer layer)
{
    void *field = field_of(config, key);
    switch (key->type) {
    case CONFIG_SWITCH:
        return parse_bool(value, field);
    case CONFIG_NUMBER:
        return set_number(field, key, value, parse_u64);
    case CONFIG_BYTES:
        return set_number(field, key, value, parse_bytes);
    case CONFIG_DURATION:
        return set_number(field, key, value, parse_duration_ms);
    case CONFIG_CEILING:
        if (strcmp(value, "none") == 0) {
            *(uint64_t *)field = 0;
            return 0;
        }
        return limit_parse(key->limit, value, field);
    case CONFIG_CHOICE:
        return is_choice(key->choices, value) ? set_text(field, value) : -EINVAL;
    case CONFIG_TEXT:
        return set_text(field, value);
    case CONFIG_LIST:
        return set_list(field, value, layer);
    }
    return -EINVAL;
}

/* Of a list, when it is set in this way. */
static size_t items_that_stay(struct config *config, const struct config_key *key,
                              enum config_layer layer)
{
    if (key->type != CONFIG_LIST)
        return 0;
    const struct config_list *list = field_of(config, key);
    return (int)layer > list->layer ? 0 : list->count;
}

static int set_presets(struct config *config, bool ceilings, struct err *err)
{
    for (const struct config_key *key = config_keys; key->name; key++) {
        const char *preset = config_preset(key);
        if (!preset || (key->type == CONFIG_CEILING) != ceilings)
            continue;
        int rc = set_field(config, key, preset, LAYER_FILE);
        if (rc == -ENOMEM)
            return err_set(err, ERR_INTERNAL, "the default of %s: out of memory", key->name);
        if (rc < 0)
            abort(); /* a bad row */
    }
    return 0;
}

int config_init(struct config *config, struct err *err)
{
    *config = (struct config){0};
    return set_presets(config, false, err);
}

int config_set_ceilings(struct config *config, struct err *err)
{
    return set_presets(config, true, err);
}

/* Called when it is set: the items from `first` on are new. */
static void note_places(struct config *config, const struct config_key *key, size_t first,
                        enum config_layer layer, const char *source)
{
    const char *place = layer == LAYER_COMMAND_LINE ? "" : source;
    size_t count =
        key->type == CONFIG_LIST ? ((struct config_list *)field_of(config, key))->count : 1;
    for (size_t i = first; i < count; i++)
        config_note_place(config, key, i, place);
}

int config_set_key(struct config *config, const struct config_key *key, const char *value,
                   enum config_layer layer, const char *source, struct err *err)
{
    size_t before = items_that_stay(config, key, layer);
    int rc = set_field(config, key, value, layer);
    if (rc >= 0 && source)
        note_places(config, key, before, layer, source);
    if (rc >= 0)
        return 0;
    if (rc == -ENOMEM)
        return err_set(err, ERR_INTERNAL, "%s: out of memory", source);
    char name[CONFIG_NAME_ROOM];
    char wanted[160];
    char shown[80];
    if (key->is_secret)
        value = "what was given";
    return err_config(err, config_key_name(key, STYLE_KEY, name), "%s: %s must be %s, not '%s'",
                      source, name, config_describe(key, wanted, sizeof wanted),
                      utf8_for_people(shown, sizeof shown, slice_of(value)));
}

int config_set(struct config *config, const char *key, const char *value, const char *source,
               struct err *err)
{
    const struct config_key *found = config_find(key, STYLE_OPTION);
    if (!found)
        found = config_find(key, STYLE_KEY);
    char shown[CONFIG_NAME_ROOM];
    if (!found) {
        char name[CONFIG_NAME_ROOM];
        const char *nearest = config_nearest(key, STYLE_OPTION, name);
        return err_set(err, ERR_CONFIG, "%s: unknown key '%s'%s%s%s", source,
                       utf8_for_people(shown, sizeof shown, slice_of(key)),
                       nearest ? "; did you mean '" : "", nearest ? nearest : "",
                       nearest ? "'?" : "");
    }
    if (!value && found->type != CONFIG_SWITCH)
        return err_set(err, ERR_CONFIG, "%s needs a value", source);
    return config_set_key(config, found, value ? value : "yes", LAYER_COMMAND_LINE, source, err);
}

bool config_is_option(const char *name, bool *ret_wants_value)
{
    const struct config_key *key = config_find(name, STYLE_OPTION);
    if (key)
        *ret_wants_value = key->type != CONFIG_SWITCH;
    return key != NULL;
}
