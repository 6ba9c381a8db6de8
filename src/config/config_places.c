/* SPDX-License-Identifier: MIT */
/* config_places.c — where each value was written, for those who find out later that it makes
 * no sense: an address that is none, a layer that there is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config_private.h"

struct config_place {
    const struct config_key *key;
    size_t item; /* of a list */
    char *text;  /* "runnel.conf:12"; "" of an option */
};

/* Without memory the place is not told later, and nothing else is amiss. */
void config_note_place(struct config *config, const struct config_key *key, size_t item,
                       const char *text)
{
    auto_free char *copy = strdup(text);
    struct config_place *places =
        reallocarray(config->places, config->place_count + 1, sizeof *places);
    if (places)
        config->places = places;
    if (!places || !copy)
        return;
    places[config->place_count++] = (struct config_place){key, item, take_ptr(&copy)};
}

void config_free_places(struct config *config)
{
    for (size_t i = 0; i < config->place_count; i++)
        free(config->places[i].text);
    free(config->places);
    config->places = NULL;
    config->place_count = 0;
}

/* What was set later stands behind what it replaced. */
static const char *find_place(const struct config *config, const struct config_key *key,
                              size_t item)
{
    for (size_t i = config->place_count; i > 0; i--) {
        const struct config_place *place = &config->places[i - 1];
        if (place->key == key && place->item == item)
            return place->text;
    }
    return "";
}

/* "'foo'", or "listen foo:"; a sentence shows the first bytes of a long one. */
static bool shows(const char *sentence, const char *key, const char *item)
{
    enum { SHOWN_MAX = 40 };
    bool whole = strlen(item) <= SHOWN_MAX;
    char quoted[SHOWN_MAX + 4];
    char named[SHOWN_MAX + CONFIG_NAME_ROOM + 4];
    (void)snprintf(quoted, sizeof quoted, "'%.*s%s", SHOWN_MAX, item, whole ? "'" : "");
    (void)snprintf(named, sizeof named, "%s %.*s%s", key, SHOWN_MAX, item, whole ? ":" : "");
    return strstr(sentence, quoted) || strstr(sentence, named);
}

static size_t find_item(const struct config_list *list, const struct err *err)
{
    size_t at = 0;
    while (at < list->count && !shows(err->text, err->field, list->items[at]))
        at++;
    return at < list->count ? at : 0;
}

void config_blame(const struct config *config, struct err *err)
{
    if (!err || err->code != ERR_CONFIG || !err->field[0])
        return;
    const struct config_key *key = config_find(err->field, STYLE_KEY);
    if (!key)
        return;
    const void *field = (const char *)config + key->offset;
    size_t item = key->type == CONFIG_LIST ? find_item(field, err) : 0;
    const char *place = find_place(config, key, item);
    if (place[0] && strncmp(err->text, place, strlen(place)) != 0)
        (void)err_wrap(err, "%s", place);
}
