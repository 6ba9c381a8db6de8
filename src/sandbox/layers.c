/* SPDX-License-Identifier: MIT */
#include "sandbox/layers.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static const struct {
    const char *name;
    const char *purpose;
    const char *remedy;
} layers[] = {
#define X(id, name, purpose, remedy) [id] = {name, purpose, remedy},
    LAYER_TABLE(X)
#undef X
};

const char *layer_name(enum layer layer)
{
    return layers[layer].name;
}

const char *layer_purpose(enum layer layer)
{
    return layers[layer].purpose;
}

const char *layer_remedy(enum layer layer)
{
    return layers[layer].remedy;
}

static int find_layer(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
        if (strlen(layers[i].name) == len && memcmp(layers[i].name, name, len) == 0)
            return (int)i;
    }
    return -1;
}

static int refuse_unknown(const char *name, size_t len, struct err *err)
{
    static const char *const names[] = {
#define X(id, name_, purpose, remedy) name_,
        LAYER_TABLE(X)
#undef X
            NULL};
    char known[160];
    return err_config(err, "allow_missing", "allow-missing: there is no layer '%.*s' (they are %s)",
                      (int)MIN(len, 40U), name, format_list(known, sizeof known, names));
}

int layers_parse(const char *names, unsigned *ret_bits, struct err *err)
{
    unsigned bits = 0;
    for (const char *at = names; *at != '\0';) {
        size_t len = strcspn(at, ", ");
        int layer = find_layer(at, len);
        if (len > 0 && layer < 0)
            return refuse_unknown(at, len, err);
        if (len > 0)
            bits |= 1U << layer;
        at += len;
        at += strspn(at, ", ");
    }
    *ret_bits = bits;
    return 0;
}

const char *layers_summary(const struct layer_report *report, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < LAYER_COUNT && used < size; i++) {
        if (report->layer[i].status == LAYER_HOLDS)
            continue;
        const char *start = used == 0 ? "reduced: " : ", ";
        bool is_there = report->layer[i].status == LAYER_WEAKER;
        int more = !is_there ? snprintf(text + used, size - used, "%sno %s", start, layers[i].name)
                             : snprintf(text + used, size - used, "%s%s (%s)", start,
                                        layers[i].name, report->layer[i].detail);
        if (more < 0)
            break;
        used += (size_t)more;
    }
    if (used == 0)
        (void)snprintf(text, size, "full");
    return text;
}
