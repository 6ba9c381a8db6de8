/* SPDX-License-Identifier: MIT */
/* openapi_document.c — /openapi.json. */
#include <stdio.h>
#include <string.h>

#include "codec/json_write.h"
#include "dialect/openapi_write.h"

#define PATH_MAX_LEN 256
#define JSON_TYPE "application/json"

struct document {
    struct json json;
    const struct openapi *openapi;
};

/* "/v1/runs/:id" is "/v1/runs/{id}" here. */
static const char *template_of(const char *path, char text[PATH_MAX_LEN])
{
    char *to = text;
    bool inside = false;
    for (const char *at = path; *at && to < text + PATH_MAX_LEN - 3; at++) {
        if (*at == '/' && inside) {
            *to++ = '}';
            inside = false;
        }
        *to++ = *at == ':' ? '{' : *at;
        inside = inside || *at == ':';
    }
    if (inside)
        *to++ = '}';
    *to = '\0';
    return text;
}

/* --- an operation --- */

static void write_security(struct json *json, const char *name)
{
    json_open_object(json, NULL);
    if (name) {
        json_open_array(json, name);
        json_close_array(json);
    }
    json_close_object(json);
}

/* Only what a browser opens by itself takes a ticket. */
static void write_securities(struct json *json, const struct operation *operation,
                             const struct http_route *route)
{
    json_open_array(json, "security");
    if (route->access != HTTP_OPEN || operation->key_optional) {
        write_security(json, "bearerAuth");
        write_security(json, "cookieAuth");
        if (operation->tag == OPERATION_EVENTS)
            write_security(json, "ticket");
    }
    if (operation->key_optional)
        write_security(json, NULL);
    json_close_array(json);
}

static void write_parameter(struct json *json, const char *where, const struct schema_field *field)
{
    struct schema_field bare = *field;
    bare.help = NULL;
    json_open_object(json, NULL);
    json_text(json, "name", field->name);
    json_text(json, "in", where);
    json_bool(json, "required", strcmp(where, "path") == 0);
    if (field->help)
        json_text(json, "description", field->help);
    schema_write_field(json, "schema", &bare);
    json_close_object(json);
}

static void write_capture(struct json *json, const struct operation *operation)
{
    char name[PATH_MAX_LEN];
    const char *colon = strchr(operation->path, ':');
    if (!colon)
        return;
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
    write_parameter(json, "path",
                    &(struct schema_field){name, SCHEMA_TEXT, .help = operation->capture_help});
}

static void write_parameters(struct json *json, const struct operation *operation)
{
    json_open_array(json, "parameters");
    write_capture(json, operation);
    for (const struct schema_field *field = operation->query; field && field->name; field++)
        write_parameter(json, "query", field);
    for (const struct schema_field *field = operation->headers; field && field->name; field++)
        write_parameter(json, "header", field);
    json_close_array(json);
}

static void write_body(struct json *json, const struct operation *operation)
{
    if (!operation->body)
        return;
    json_open_object(json, "requestBody");
    json_bool(json, "required", !operation->body_optional);
    json_open_object(json, "content");
    json_open_object(json, operation->body_type ? operation->body_type : JSON_TYPE);
    schema_write(json, "schema", operation->body);
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
}

/* A schema of OpenAPI 3.1 cannot say what the messages of a stream are; a name of our own
 * does, which others skip. */
static void write_content(struct json *json, const struct operation_answer *answer)
{
    if (!answer->schema && !answer->content_type)
        return;
    json_open_object(json, "content");
    json_open_object(json, answer->content_type ? answer->content_type : JSON_TYPE);
    if (answer->schema) {
        schema_write(json, "schema", answer->schema);
    } else {
        json_open_object(json, "schema");
        json_text(json, "type", "string");
        json_close_object(json);
    }
    if (answer->item)
        schema_write(json, "x-item-schema", answer->item);
    json_close_object(json);
    json_close_object(json);
}

static void write_error(struct json *json, const char *status, const char *text)
{
    json_open_object(json, status);
    json_text(json, "description", text);
    write_content(json, &(struct operation_answer){.schema = &request_error_schema});
    json_close_object(json);
}

static void write_answers(struct json *json, const struct operation *operation,
                          const struct http_route *route)
{
    char text[16];
    int errors[OPENAPI_STATUSES_MAX];
    json_open_object(json, "responses");
    for (size_t i = 0; i < OPERATION_ANSWERS_MAX && operation->answers[i].status != 0; i++) {
        const struct operation_answer *answer = &operation->answers[i];
        (void)snprintf(text, sizeof text, "%d", answer->status);
        json_open_object(json, text);
        json_text(json, "description", answer->help);
        write_content(json, answer);
        json_close_object(json);
    }
    openapi_errors(operation, route, errors);
    for (size_t i = 0; errors[i] != 0; i++) {
        (void)snprintf(text, sizeof text, "%d", errors[i]);
        write_error(json, text, openapi_status_text(errors[i]));
    }
    write_error(json, "default", "What is refused whatever the route is, or is our fault.");
    json_close_object(json);
}

static void write_description(struct json *json, const struct operation *operation,
                              const struct http_route *route)
{
    char text[1024];
    const char *help = operation->help ? operation->help : "";
    const char *scope = openapi_scope(route);
    if (scope)
        (void)snprintf(text, sizeof text, "%s%sThe key needs the scope `%s`.", help,
                       *help ? "\n\n" : "", scope);
    else
        (void)snprintf(text, sizeof text, "%s", help);
    if (*text)
        json_text(json, "description", text);
}

static void write_operation(struct document *document, const struct operation *operation)
{
    struct json *json = &document->json;
    char method[16];
    size_t len = strlen(operation->method);
    const struct http_route *route = openapi_route(document->openapi, operation);
    for (size_t i = 0; i <= len && i < sizeof method; i++)
        method[i] = (char)(operation->method[i] | (operation->method[i] ? 0x20 : 0));
    json_open_object(json, method);
    json_text(json, "operationId", operation->id);
    json_text(json, "summary", operation->summary);
    write_description(json, operation, route);
    json_open_array(json, "tags");
    json_text(json, NULL, openapi_tags[operation->tag].name);
    json_close_array(json);
    write_securities(json, operation, route);
    write_parameters(json, operation);
    write_body(json, operation);
    write_answers(json, operation, route);
    json_close_object(json);
}

/* --- the whole --- */

/* One path with all of its methods, at the first of its rows. */
static void write_path(struct document *document, const struct operation *first)
{
    const struct openapi *openapi = document->openapi;
    char text[PATH_MAX_LEN];
    bool opened = false;
    for (size_t i = 0; openapi->tables[i]; i++) {
        for (const struct operation *row = openapi->tables[i]; row->method; row++) {
            if (strcmp(row->path, first->path) != 0)
                continue;
            if (!opened && row != first)
                return;
            if (!opened)
                json_open_object(&document->json, template_of(row->path, text));
            opened = true;
            write_operation(document, row);
        }
    }
    json_close_object(&document->json);
}

static void write_paths(struct document *document)
{
    json_open_object(&document->json, "paths");
    for (size_t i = 0; document->openapi->tables[i]; i++) {
        for (const struct operation *row = document->openapi->tables[i]; row->method; row++)
            write_path(document, row);
    }
    json_close_object(&document->json);
}

static void write_scheme(struct json *json, const char *key, const char *type, const char *where,
                         const char *name)
{
    json_open_object(json, key);
    json_text(json, "type", type);
    json_text(json, where, name);
    if (strcmp(type, "apiKey") == 0)
        json_text(json, "in", strcmp(key, "ticket") == 0 ? "query" : "cookie");
    json_close_object(json);
}

static void write_components(struct document *document)
{
    struct json *json = &document->json;
    const struct schema *schemas[OPENAPI_SCHEMAS_MAX];
    openapi_schemas(document->openapi, schemas);
    json_open_object(json, "components");
    json_open_object(json, "schemas");
    for (size_t i = 0; schemas[i]; i++)
        schema_write_named(json, schemas[i]);
    json_close_object(json);
    json_open_object(json, "securitySchemes");
    write_scheme(json, "bearerAuth", "http", "scheme", "bearer");
    write_scheme(json, "cookieAuth", "apiKey", "name", "runnel");
    write_scheme(json, "ticket", "apiKey", "name", "ticket");
    json_close_object(json);
    json_close_object(json);
}

static void write_head(struct json *json, const char *server)
{
    json_text(json, "openapi", "3.1.0");
    json_open_object(json, "info");
    json_text(json, "title", OPENAPI_TITLE);
    json_text(json, "version", RUNNEL_VERSION);
    json_text(json, "description",
              "Runnel runs programs of strangers in a sandbox. This is its own API; see /docs.");
    json_close_object(json);
    json_open_array(json, "servers");
    json_open_object(json, NULL);
    json_text(json, "url", server);
    json_close_object(json);
    json_close_array(json);
    json_open_array(json, "tags");
    for (size_t i = 0; i < OPERATION_TAG_COUNT; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", openapi_tags[i].name);
        json_text(json, "description", openapi_tags[i].help);
        json_close_object(json);
    }
    json_close_array(json);
}

void openapi_write_document(struct buf *buf, const struct openapi *openapi, const char *server)
{
    struct document document = {json_start(buf), openapi};
    json_open_object(&document.json, NULL);
    write_head(&document.json, server);
    write_paths(&document);
    write_components(&document);
    json_close_object(&document.json);
}
