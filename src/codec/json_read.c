/* SPDX-License-Identifier: MIT */
#include "codec/json_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/utf8.h"

/* Above this a double skips whole numbers, so what it holds is a guess. */
#define EXACT_MAX 9007199254740992.0 /* 2^53 */

static const char *type_words(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static int wrong_type(const char *field, const char *wanted, const json_t *value, struct err *err)
{
    return err_field(err, field, "%s must be %s, not %s", field, wanted, type_words(value));
}

/* NULL when absent or null. */
static const json_t *find(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return value && !json_is_null(value) ? value : NULL;
}

int json_read_text(const json_t *object, const char *field, struct slice *ret_text, struct err *err)
{
    const json_t *value = find(object, field);
    if (!value)
        return 0;
    if (!json_is_string(value))
        return wrong_type(field, "a text", value, err);
    *ret_text = (struct slice){json_string_value(value), json_string_length(value)};
    return 1;
}

const char *json_whole_text(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

int json_read_bool(const json_t *object, const char *field, bool *ret_value, struct err *err)
{
    const json_t *value = find(object, field);
    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return wrong_type(field, "true or false", value, err);
    *ret_value = json_is_true(value);
    return 1;
}

/* JSON has one kind of number: 5, 5.0 and 5e0 are the same whole number. */
static int whole_number(const json_t *value, const char *field, uint64_t *ret_value,
                        struct err *err)
{
    if (!json_is_number(value))
        return wrong_type(field, "a whole number", value, err);
    double number = json_number_value(value);
    if (number < 0)
        return err_field(err, field, "%s must not be negative", field);
    if (json_is_integer(value)) {
        *ret_value = (uint64_t)json_integer_value(value);
        return 1;
    }
    if (number > EXACT_MAX)
        return err_field(err, field, "%s is too large a number", field);
    if (trunc(number) != number)
        return err_field(err, field, "%s must be a whole number", field);
    *ret_value = (uint64_t)number;
    return 1;
}

int json_read_u64(const json_t *object, const char *field, uint64_t *ret_value, struct err *err)
{
    const json_t *value = find(object, field);
    return value ? whole_number(value, field, ret_value, err) : 0;
}

/* "4 to 1048576", in the unit of the JSON number. */
static int out_of_range(const struct limit_info *info, const char *field, struct err *err)
{
    if (info->unit == LIMIT_MILLI)
        return err_field(err, field, "%s must be from %g to %g", field,
                         (double)info->smallest / (double)info->scale,
                         (double)info->largest / (double)info->scale);
    return err_field(err, field, "%s must be from %" PRIu64 " to %" PRIu64, field,
                     (info->smallest + info->scale - 1) / info->scale, info->largest / info->scale);
}

static int read_limit(const json_t *value, const struct limit_info *info, const char *field,
                      uint64_t *ret_value, struct err *err)
{
    uint64_t stored = 0;
    if (info->unit == LIMIT_MILLI) {
        if (!json_is_number(value))
            return wrong_type(field, "a number", value, err);
        double scaled = round(json_number_value(value) * (double)info->scale);
        if (!(scaled >= (double)info->smallest && scaled <= (double)info->largest))
            return out_of_range(info, field, err);
        stored = (uint64_t)scaled;
    } else {
        if (whole_number(value, field, &stored, err) < 0)
            return -1;
        if (__builtin_mul_overflow(stored, info->scale, &stored) || stored < info->smallest ||
            stored > info->largest)
            return out_of_range(info, field, err);
    }
    *ret_value = stored;
    return 0;
}

static enum limit find_limit(const char *name)
{
    enum limit limit = 0;
    while (limit < LIMIT_KINDS && strcmp(limit_info(limit)->json_name, name) != 0)
        limit++;
    return limit;
}

static int unknown_limit(const char *field, const char *path, const char *name, struct err *err)
{
    char shown[48];
    char known[320] = "";
    size_t used = 0;
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++) {
        int len = snprintf(known + used, sizeof known - used, "%s%s", used > 0 ? ", " : "",
                           limit_info(limit)->json_name);
        if (len < 0 || (size_t)len >= sizeof known - used)
            break;
        used += (size_t)len;
    }
    return err_field(err, path, "%s has no '%s'; there are %s", field,
                     utf8_for_people(shown, sizeof shown, slice_of(name)), known);
}

int json_read_limits(const json_t *object, const char *field, struct limits *ret_limits,
                     struct err *err)
{
    const json_t *set = find(object, field);
    if (!set)
        return 0;
    if (!json_is_object(set))
        return wrong_type(field, "an object", set, err);
    struct limits limits = {0};
    const char *name;
    json_t *value;
    /* jansson iterates only over what is not const, and changes nothing. */
    json_object_foreach((json_t *)set, name, value)
    {
        char shown[48];
        char path[sizeof err->field];
        enum limit limit = find_limit(name);
        if (snprintf(path, sizeof path, "%s.%s", field,
                     utf8_for_people(shown, sizeof shown, slice_of(name))) < 0)
            path[0] = '\0';
        if (limit == LIMIT_KINDS)
            return unknown_limit(field, path, name, err);
        if (json_is_null(value))
            continue;
        if (read_limit(value, limit_info(limit), path, &limits.value[limit], err) < 0)
            return -1;
    }
    *ret_limits = limits;
    return 1;
}
