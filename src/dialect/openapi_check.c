/* SPDX-License-Identifier: MIT */
/* openapi_check.c — routes and the rows that describe them, held against each other. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/openapi_write.h"

static bool is_described(const struct openapi *openapi, const struct http_route *route)
{
    for (size_t i = 0; openapi->tables[i]; i++) {
        for (const struct operation *row = openapi->tables[i]; row->method; row++) {
            if (strcmp(row->method, route->method) == 0 && strcmp(row->path, route->path) == 0)
                return true;
        }
    }
    return false;
}

const struct http_route *openapi_route(const struct openapi *openapi,
                                       const struct operation *operation)
{
    for (size_t i = 0; i < openapi->mount_count; i++) {
        for (const struct http_route *route = openapi->mounts[i].routes; route->method; route++) {
            if (strcmp(operation->method, route->method) == 0 &&
                strcmp(operation->path, route->path) == 0)
                return route;
        }
    }
    return NULL;
}

/* Two rows of one name, or of one route. */
static const struct operation *find_double(const struct openapi *openapi,
                                           const struct operation *operation)
{
    for (size_t i = 0; openapi->tables[i]; i++) {
        for (const struct operation *row = openapi->tables[i]; row->method; row++) {
            bool same_route = strcmp(row->method, operation->method) == 0 &&
                              strcmp(row->path, operation->path) == 0;
            if (row != operation && (same_route || strcmp(row->id, operation->id) == 0))
                return row;
        }
    }
    return NULL;
}

static int check_routes(const struct openapi *openapi, const struct http_mount *mount,
                        struct err *err)
{
    for (const struct http_route *route = mount->routes; route->method; route++) {
        if (strncmp(route->path, "/v1/", 4) == 0 && !is_described(openapi, route))
            return err_set(err, ERR_INTERNAL, "%s %s of %s is not described", route->method,
                           route->path, mount->name);
    }
    return 0;
}

static int check_rows(const struct openapi *openapi, const struct operation *table, struct err *err)
{
    for (const struct operation *row = table; row->method; row++) {
        const struct http_route *route = openapi_route(openapi, row);
        if (!route)
            return err_set(err, ERR_INTERNAL, "%s describes %s %s, which is no route", row->id,
                           row->method, row->path);
        if (find_double(openapi, row))
            return err_set(err, ERR_INTERNAL, "there is another %s, or another for %s %s", row->id,
                           row->method, row->path);
        if (row->body && route->max_body == 0)
            return err_set(err, ERR_INTERNAL, "%s has a body, which its route does not take",
                           row->id);
    }
    return 0;
}

int openapi_check(const struct openapi *openapi, struct err *err)
{
    for (size_t i = 0; i < openapi->mount_count; i++) {
        if (check_routes(openapi, &openapi->mounts[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; openapi->tables[i]; i++) {
        if (check_rows(openapi, openapi->tables[i], err) < 0)
            return -1;
    }
    return 0;
}

/* --- what both forms ask --- */

static void add_status(int statuses[OPENAPI_STATUSES_MAX], int status)
{
    size_t count = 0;
    while (statuses[count] != 0 && statuses[count] != status)
        count++;
    assert(count + 1 < OPENAPI_STATUSES_MAX);
    statuses[count] = status;
}

static int by_number(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

void openapi_errors(const struct operation *operation, const struct http_route *route,
                    int statuses[OPENAPI_STATUSES_MAX])
{
    size_t count = 0;
    memset(statuses, 0, OPENAPI_STATUSES_MAX * sizeof statuses[0]);
    for (size_t i = 0; i < OPERATION_ERRORS_MAX && operation->errors[i] != 0; i++)
        add_status(statuses, operation->errors[i]);
    add_status(statuses, 429); /* of a key's rate, or its connections */
    if (route->access != HTTP_OPEN)
        add_status(statuses, 401);
    if (route->access > HTTP_ANY_KEY)
        add_status(statuses, 403);
    if (operation->body) {
        add_status(statuses, 400);
        add_status(statuses, 413);
        add_status(statuses, 415);
    }
    while (statuses[count] != 0)
        count++;
    qsort(statuses, count, sizeof statuses[0], by_number);
}

static void add_schema(const struct schema *found[], const struct schema *schema)
{
    size_t count = 0;
    if (!schema)
        return;
    while (schema->name && found[count]) {
        if (found[count++] == schema)
            return;
    }
    assert(count + 1 < OPENAPI_SCHEMAS_MAX);
    if (schema->name) {
        found[count] = schema;
        found[count + 1] = NULL;
    }
    for (const struct schema_field *field = schema->fields; field->name; field++)
        add_schema(found, field->items);
}

void openapi_schemas(const struct openapi *openapi, const struct schema *found[])
{
    found[0] = NULL;
    for (size_t i = 0; openapi->tables[i]; i++) {
        for (const struct operation *row = openapi->tables[i]; row->method; row++) {
            add_schema(found, row->body);
            for (size_t k = 0; k < OPERATION_ANSWERS_MAX && row->answers[k].status != 0; k++) {
                add_schema(found, row->answers[k].schema);
                add_schema(found, row->answers[k].item);
            }
        }
    }
    add_schema(found, &request_error_schema);
}

const char *openapi_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {400, "A field is missing or wrong; the error names it."},
        {401, "There is no key, or it is not known here."},
        {403, "The key may not do this, or the link is not good."},
        {404, "There is no such thing, or it is another key's."},
        {409, "It cannot be done in this state."},
        {413, "The body is too large."},
        {415, "The body has another type."},
        {422, "The Idempotency-Key belongs to another request."},
        {426, "This is served over a WebSocket."},
        {429, "Too many; Retry-After says when to come again."},
        {503, "There is no room now; Retry-After says when to come again."},
        {507, "The disk is full."},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].status == status)
            return texts[i].text;
    }
    return "";
}

const char *openapi_scope(const struct http_route *route)
{
    static const char *const names[] = {[1] = "run", [2] = "files", [4] = "admin"};
    return route->access > 0 && (size_t)route->access < ARRAY_LEN(names) ? names[route->access]
                                                                         : NULL;
}
