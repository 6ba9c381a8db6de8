/* SPDX-License-Identifier: MIT */
/* request_schema_write.c — tables of fields as JSON Schema (2020-12, as OpenAPI 3.1 has it). */
#include "codec/json_write.h"
#include "dialect/request_schema.h"

typedef const struct schema_field field_t;

/* The words for a type: what it is, what its members are, and how its bound is called. */
static const struct {
    const char *type; /* NULL: not said */
    const char *inner;
    const char *largest;
} words[] = {
    [SCHEMA_TEXT] = {"string", NULL, "maxLength"},
    [SCHEMA_BOOL] = {"boolean", NULL, NULL},
    [SCHEMA_NUMBER] = {"integer", NULL, "maximum"},
    [SCHEMA_TEXTS] = {"array", "string", "maxItems"},
    [SCHEMA_ENV] = {"object", "string", "maxProperties"},
    [SCHEMA_PAIRS] = {"object", "string", "maxProperties"},
    [SCHEMA_LIMITS] = {"object", NULL, NULL},
    [SCHEMA_OBJECTS] = {"array", NULL, "maxItems"},
    [SCHEMA_MILLI] = {"number", NULL, "maximum"},
    [SCHEMA_TIME] = {"string", NULL, NULL},
    [SCHEMA_OBJECT] = {"object", NULL, NULL},
    [SCHEMA_COUNTS] = {"object", "integer", NULL},
    [SCHEMA_LIMITS_SET] = {"object", NULL, NULL},
    [SCHEMA_NOTHING] = {"null", NULL, NULL},
    [SCHEMA_ANYTHING] = {NULL, NULL, NULL},
    [SCHEMA_BYTES] = {"string", NULL, NULL},
};

static void write_type(struct json *json, field_t *field)
{
    const char *type = words[field->type].type;
    if (type && field->nullable) {
        json_open_array(json, "type");
        json_text(json, NULL, type);
        json_text(json, NULL, "null");
        json_close_array(json);
    } else if (type) {
        json_text(json, "type", type);
    }
    if (field->type == SCHEMA_TIME)
        json_text(json, "format", "date-time");
    if (field->type == SCHEMA_BYTES)
        json_text(json, "contentMediaType", "application/octet-stream");
}

static void write_choices(struct json *json, field_t *field)
{
    if (!field->choices)
        return;
    json_open_array(json, "enum");
    for (size_t i = 0; field->choices[i]; i++)
        json_text(json, NULL, field->choices[i]);
    if (field->nullable)
        json_nothing(json, NULL);
    json_close_array(json);
}

static void write_bounds(struct json *json, field_t *field)
{
    const char *largest = words[field->type].largest;
    if (field->type == SCHEMA_NUMBER || field->type == SCHEMA_MILLI)
        json_u64(json, "minimum", field->smallest);
    if (field->largest > 0 && largest)
        json_u64(json, largest, field->largest);
    if (field->type != SCHEMA_TEXTS)
        write_choices(json, field);
}

static void write_members(struct json *json, field_t *field)
{
    const char *inner = words[field->type].inner;
    if (!inner)
        return;
    json_open_object(json, field->type == SCHEMA_TEXTS ? "items" : "additionalProperties");
    json_text(json, "type", inner);
    if (field->type == SCHEMA_TEXTS)
        write_choices(json, field);
    json_close_object(json);
}

/* Of artifacts, 0 is a wish too: keep none. */
static uint64_t smallest_of(enum limit limit, const struct limit_info *info)
{
    bool may_be_zero = limit == LIMIT_ARTIFACT_FILES || limit == LIMIT_ARTIFACT_BYTES;
    return may_be_zero ? 0 : info->smallest;
}

/* Those that a run has may lie outside of what one may ask for: they were cut. */
static void write_limits(struct json *json, bool asked)
{
    json_open_object(json, "properties");
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++) {
        const struct limit_info *info = limit_info(limit);
        bool is_whole = info->unit != LIMIT_MILLI && (asked || info->scale == 1);
        json_open_object(json, info->json_name);
        json_text(json, "type", is_whole ? "integer" : "number");
        json_text(json, "description", info->help);
        if (!asked) {
            json_u64(json, "minimum", 0);
            json_close_object(json);
            continue;
        }
        if (info->unit == LIMIT_MILLI)
            json_milli(json, "minimum", info->smallest);
        else
            json_u64(json, "minimum", (smallest_of(limit, info) + info->scale - 1) / info->scale);
        json_u64(json, "maximum", info->largest / info->scale);
        json_close_object(json);
    }
    json_close_object(json);
    if (asked)
        json_bool(json, "additionalProperties", false);
}

static void write_fields(struct json *json, const struct schema *schema)
{
    json_open_object(json, "properties");
    for (field_t *field = schema->fields; field->name; field++)
        schema_write_field(json, field->name, field);
    json_close_object(json);
    json_open_array(json, "required");
    for (field_t *field = schema->fields; field->name; field++) {
        if (field->required)
            json_text(json, NULL, field->name);
    }
    json_close_array(json);
}

/* {"anyOf":[{"$ref":…},{"type":"null"}]}, since a reference has no type of its own. */
static void write_object(struct json *json, field_t *field)
{
    if (field->nullable)
        json_open_array(json, "anyOf");
    else
        json_open_array(json, "allOf");
    schema_write(json, NULL, field->items);
    if (field->nullable) {
        json_open_object(json, NULL);
        json_text(json, "type", "null");
        json_close_object(json);
    }
    json_close_array(json);
}

void schema_write_field(struct json *json, const char *key, field_t *field)
{
    json_open_object(json, key);
    if (field->type == SCHEMA_OBJECT)
        write_object(json, field);
    else
        write_type(json, field);
    if (field->help)
        json_text(json, "description", field->help);
    write_bounds(json, field);
    write_members(json, field);
    if (field->type == SCHEMA_LIMITS || field->type == SCHEMA_LIMITS_SET)
        write_limits(json, field->type == SCHEMA_LIMITS);
    if (field->type == SCHEMA_OBJECTS)
        schema_write(json, "items", field->items);
    json_close_object(json);
}

static void write_whole(struct json *json, const char *key, const struct schema *schema)
{
    json_open_object(json, key);
    json_text(json, "type", "object");
    if (schema->help)
        json_text(json, "description", schema->help);
    write_fields(json, schema);
    json_close_object(json);
}

void schema_write_named(struct json *json, const struct schema *schema)
{
    write_whole(json, schema->name, schema);
}

void schema_write(struct json *json, const char *key, const struct schema *schema)
{
    char reference[100];
    if (!schema->name) {
        write_whole(json, key, schema);
        return;
    }
    (void)snprintf(reference, sizeof reference, "#/components/schemas/%s", schema->name);
    json_open_object(json, key);
    json_text(json, "$ref", reference);
    json_close_object(json);
}
