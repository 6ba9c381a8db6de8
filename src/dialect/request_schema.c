/* SPDX-License-Identifier: MIT */
#include "dialect/request_schema.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/request_fields.h"

typedef const struct schema_field field_t;

static int check_choice(field_t *field, struct slice text, struct err *err)
{
    char known[200] = "";
    for (size_t i = 0; field->choices[i]; i++) {
        if (slice_is(text, field->choices[i]))
            return 0;
        size_t used = strlen(known);
        const char *between = i == 0 ? "" : field->choices[i + 1] ? ", " : " or ";
        (void)snprintf(known + used, sizeof known - used, "%s%s", between, field->choices[i]);
    }
    return err_field(err, field->name, "%s must be %s", field->name, known);
}

static int read_text(field_t *field, const json_t *body, void *place, struct err *err)
{
    struct slice *text = place;
    int found = json_read_text(body, field->name, text, err);
    if (found <= 0)
        return found;
    if (field->largest > 0 && !field->told && text->len > field->largest)
        return err_field(err, field->name, "%s is longer than %" PRIu64 " bytes", field->name,
                         field->largest);
    return field->choices ? check_choice(field, *text, err) : 0;
}

static int read_bool(field_t *field, const json_t *body, void *place, struct err *err)
{
    return json_read_bool(body, field->name, place, err);
}

static int read_number(field_t *field, const json_t *body, void *place, struct err *err)
{
    uint64_t *number = place;
    int found = json_read_u64(body, field->name, number, err);
    if (found <= 0)
        return found;
    if (*number < field->smallest || (field->largest > 0 && *number > field->largest))
        return err_field(err, field->name, "%s must be from %" PRIu64 " to %" PRIu64, field->name,
                         field->smallest, field->largest);
    return 0;
}

static int read_milli(field_t *field, const json_t *body, void *place, struct err *err)
{
    const json_t *value = json_object_get(body, field->name);
    if (!value || json_is_null(value))
        return 0;
    double milli = json_is_number(value) ? json_number_value(value) * 1000 : -1;
    if (milli != 0 && !(milli >= 1 && milli <= (double)field->largest * 1000))
        return err_field(err, field->name,
                         "%s must be a number from 0.001 to %" PRIu64 ", or 0 for any", field->name,
                         field->largest);
    *(uint64_t *)place = (uint64_t)(milli + 0.5);
    return 0;
}

static int check_count(field_t *field, const json_t *body, struct err *err)
{
    const json_t *value = json_object_get(body, field->name);
    size_t count = json_is_array(value) ? json_array_size(value) : json_object_size(value);
    if (field->largest > 0 && count > field->largest)
        return err_field(err, field->name, "%s has more than %" PRIu64 " members", field->name,
                         field->largest);
    return 0;
}

static int read_texts(field_t *field, const json_t *body, void *place, struct err *err)
{
    const char ***texts = place;
    if (check_count(field, body, err) < 0 || request_read_texts(body, field->name, texts, err) < 0)
        return -1;
    for (size_t i = 0; field->choices && *texts && (*texts)[i]; i++) {
        if (check_choice(field, slice_of((*texts)[i]), err) < 0)
            return -1;
    }
    return 0;
}

static int read_env(field_t *field, const json_t *body, void *place, struct err *err)
{
    if (check_count(field, body, err) < 0)
        return -1;
    return request_read_env(body, field->name, place, err);
}

static int read_pairs(field_t *field, const json_t *body, void *place, struct err *err)
{
    struct schema_list *list = place;
    json_t *object = json_object_get(body, field->name);
    const char *name;
    json_t *value;
    if (!object || json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return err_field(err, field->name, "%s must be an object of texts", field->name);
    if (check_count(field, body, err) < 0)
        return -1;
    struct schema_pair *pairs = calloc(json_object_size(object) + 1, sizeof *pairs);
    if (!pairs)
        return err_sys(err, errno, "%s", field->name);
    list->items = pairs;
    json_object_foreach(object, name, value)
    {
        pairs[list->count].name = name;
        pairs[list->count].value = json_string_value(value);
        if (!pairs[list->count++].value)
            return err_field(err, field->name, "%s.%.100s must be a text", field->name, name);
    }
    return 0;
}

static int read_limits(field_t *field, const json_t *body, void *place, struct err *err)
{
    return json_read_limits(body, field->name, place, err);
}

static int read_objects(field_t *field, const json_t *body, void *place, struct err *err)
{
    struct schema_list *list = place;
    const json_t *array = json_object_get(body, field->name);
    if (!array || json_is_null(array))
        return 0;
    if (!json_is_array(array))
        return err_field(err, field->name, "%s must be an array of objects", field->name);
    if (check_count(field, body, err) < 0)
        return -1;
    size_t count = json_array_size(array);
    list->items = calloc(count + 1, field->item_size);
    if (!list->items)
        return err_sys(err, errno, "%s", field->name);
    for (; list->count < count; list->count++) {
        const json_t *item = json_array_get(array, list->count);
        char *to = (char *)list->items + list->count * field->item_size;
        if (!json_is_object(item))
            return err_field(err, field->name, "%s must be an array of objects", field->name);
        if (schema_read(field->items->fields, item, to, err) < 0) {
            char inner[sizeof err->field];
            memcpy(inner, err->field, sizeof inner);
            (void)snprintf(err->field, sizeof err->field, "%.24s[%zu].%.30s", field->name,
                           list->count, inner);
            return -1;
        }
    }
    return 0;
}

static void free_block(field_t *field, void *place)
{
    (void)field;
    free(*(void **)place);
}

static void free_list(field_t *field, void *place)
{
    struct schema_list *list = place;
    for (size_t i = 0; field->items && i < list->count; i++)
        schema_fini(field->items->fields, (char *)list->items + i * field->item_size);
    free(list->items);
}

/* Those that are not here are only described. */
static const struct {
    int (*read)(field_t *field, const json_t *body, void *place, struct err *err);
    void (*free)(field_t *field, void *place);
} types[] = {
    /* clang-format off */
    [SCHEMA_TEXT]    = {read_text, NULL},
    [SCHEMA_BOOL]    = {read_bool, NULL},
    [SCHEMA_NUMBER]  = {read_number, NULL},
    [SCHEMA_MILLI]   = {read_milli, NULL},
    [SCHEMA_TEXTS]   = {read_texts, free_block},
    [SCHEMA_ENV]     = {read_env, free_block},
    [SCHEMA_PAIRS]   = {read_pairs, free_list},
    [SCHEMA_LIMITS]  = {read_limits, NULL},
    [SCHEMA_OBJECTS] = {read_objects, free_list},
    /* clang-format on */
};

int schema_read(field_t *fields, const json_t *body, void *target, struct err *err)
{
    for (field_t *field = fields; field->name; field++) {
        const json_t *value = json_object_get(body, field->name);
        assert((size_t)field->type < ARRAY_LEN(types));
        if (field->required && (!value || json_is_null(value)))
            return err_field(err, field->name, "%s is required", field->name);
        if (types[field->type].read(field, body, (char *)target + field->offset, err) < 0)
            return -1;
    }
    return 0;
}

int schema_refuse_unknown(field_t *fields, const json_t *body, struct err *err)
{
    const char *name;
    json_t *value;
    /* jansson iterates only over what is not const, and changes nothing. */
    json_object_foreach((json_t *)body, name, value)
    {
        field_t *field = fields;
        while (field->name && strcmp(field->name, name) != 0)
            field++;
        if (!field->name)
            return err_field(err, name, "there is no field %.60s", name);
    }
    return 0;
}

void schema_fini(field_t *fields, void *target)
{
    for (field_t *field = fields; field->name; field++) {
        if (types[field->type].free)
            types[field->type].free(field, (char *)target + field->offset);
    }
}
