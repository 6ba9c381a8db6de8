/* SPDX-License-Identifier: MIT */
/* openapi_page.c — /docs: the description as a page, without a script. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dialect/openapi_write.h"

struct page {
    struct buf *buf;
    const struct openapi *openapi;
    const char *server;
};

/* --- words --- */

static void add_escaped(struct page *page, const char *text)
{
    for (const char *at = text; *at; at++) {
        const char *entity = *at == '<'   ? "&lt;"
                             : *at == '>' ? "&gt;"
                             : *at == '&' ? "&amp;"
                             : *at == '"' ? "&quot;"
                                          : NULL;
        if (entity)
            buf_add_text(page->buf, entity);
        else
            buf_add_char(page->buf, *at);
    }
}

static void add(struct page *page, const char *markup)
{
    buf_add_text(page->buf, markup);
}

/* Markup, a text, markup. */
static void add_in(struct page *page, const char *before, const char *text, const char *after)
{
    add(page, before);
    add_escaped(page, text);
    add(page, after);
}

static void add_choices(struct page *page, const struct schema_field *field)
{
    for (size_t i = 0; field->choices[i]; i++)
        add_in(page, i == 0 ? "<code>" : ", <code>", field->choices[i], "</code>");
}

static void add_schema_link(struct page *page, const struct schema *schema)
{
    if (!schema->name) {
        add(page, "object");
        return;
    }
    add_in(page, "<a href=\"#schema-", schema->name, "\">");
    add_in(page, "", schema->name, "</a>");
}

static void add_number_range(struct page *page, const struct schema_field *field)
{
    if (field->largest > 0)
        buf_add_format(page->buf, ", %" PRIu64 " to %" PRIu64, field->smallest, field->largest);
}

static void add_at_most(struct page *page, const struct schema_field *field, const char *of)
{
    if (field->largest > 0)
        buf_add_format(page->buf, ", at most %" PRIu64 "%s", field->largest, of);
}

static void add_type(struct page *page, const struct schema_field *field)
{
    static const char *const names[] = {
        [SCHEMA_TEXT] = "text",
        [SCHEMA_BOOL] = "true or false",
        [SCHEMA_NUMBER] = "whole number",
        [SCHEMA_TEXTS] = "array of texts",
        [SCHEMA_ENV] = "object of texts",
        [SCHEMA_PAIRS] = "object of texts",
        [SCHEMA_LIMITS] = "<a href=\"#limits\">limits</a>",
        [SCHEMA_OBJECTS] = "array of ",
        [SCHEMA_MILLI] = "number",
        [SCHEMA_TIME] = "time",
        [SCHEMA_OBJECT] = "",
        [SCHEMA_COUNTS] = "object of whole numbers",
        [SCHEMA_LIMITS_SET] = "<a href=\"#limits\">limits</a>",
        [SCHEMA_NOTHING] = "null",
        [SCHEMA_ANYTHING] = "anything",
        [SCHEMA_BYTES] = "file",
    };
    add(page, names[field->type]);
    if (field->items)
        add_schema_link(page, field->items);
    if (field->type == SCHEMA_NUMBER || field->type == SCHEMA_MILLI)
        add_number_range(page, field);
    else
        add_at_most(page, field, field->type == SCHEMA_TEXT ? " bytes" : "");
    if (field->choices) {
        add(page, ": ");
        add_choices(page, field);
    }
    if (field->nullable)
        add(page, ", or null");
}

/* --- tables --- */

static void add_table(struct page *page, const char *caption, const char *first)
{
    add_in(page, "<div class=\"table\"><table><caption>", caption, "</caption><thead><tr>");
    add_in(page, "<th>", first, "</th><th>is</th><th>meaning</th></tr></thead><tbody>\n");
}

static void end_table(struct page *page)
{
    add(page, "</tbody></table></div>\n");
}

static void add_row(struct page *page, const char *inside, const struct schema_field *field,
                    const char *note)
{
    add_in(page, "<tr><th scope=\"row\"><code>", inside, "");
    add_in(page, "", field->name, "</code>");
    if (*note)
        add_in(page, " <small>", note, "</small>");
    add(page, "</th><td>");
    add_type(page, field);
    add_in(page, "</td><td>", field->help ? field->help : "", "</td></tr>\n");
}

/* What has no name of its own stands with its members, one level in. */
static void add_rows(struct page *page, const char *inside, const struct schema_field *fields,
                     const char *required)
{
    char deeper[100];
    for (const struct schema_field *field = fields; field->name; field++) {
        add_row(page, inside, field, field->required ? required : "");
        if (!field->items || field->items->name)
            continue;
        (void)snprintf(deeper, sizeof deeper, "%s%s%s.", inside, field->name,
                       field->type == SCHEMA_OBJECTS ? "[]" : "");
        add_rows(page, deeper, field->items->fields, required);
    }
}

static void add_parameters(struct page *page, const struct operation *operation)
{
    if (!operation->query && !operation->headers)
        return;
    add_table(page, "Parameters", "name");
    for (const struct schema_field *field = operation->query; field && field->name; field++)
        add_row(page, "?", field, "");
    for (const struct schema_field *field = operation->headers; field && field->name; field++)
        add_row(page, "", field, "header");
    end_table(page);
}

/* The only place of its schema on the page. */
static void add_body(struct page *page, const struct operation *operation)
{
    char caption[100];
    (void)snprintf(caption, sizeof caption, "Body: %s%s",
                   operation->body_type ? operation->body_type : "application/json",
                   operation->body_optional ? ", may be left out" : "");
    add_in(page, "<div id=\"schema-", operation->body->name, "\">\n");
    add_table(page, caption, "field");
    add_rows(page, "", operation->body->fields, "required");
    end_table(page);
    add(page, "</div>\n");
}

static void add_answer(struct page *page, int status, const char *help, const struct schema *schema)
{
    buf_add_format(page->buf, "<tr><th scope=\"row\"><code>%d</code></th><td>", status);
    if (schema)
        add_schema_link(page, schema);
    add_in(page, "</td><td>", help, "</td></tr>\n");
}

static void add_answers(struct page *page, const struct operation *operation,
                        const struct http_route *route)
{
    int errors[OPENAPI_STATUSES_MAX];
    openapi_errors(operation, route, errors);
    add_table(page, "Answers", "status");
    for (size_t i = 0; i < OPERATION_ANSWERS_MAX && operation->answers[i].status != 0; i++) {
        const struct operation_answer *answer = &operation->answers[i];
        add_answer(page, answer->status, answer->help,
                   answer->schema ? answer->schema : answer->item);
    }
    for (size_t i = 0; errors[i] != 0; i++)
        add_answer(page, errors[i], openapi_status_text(errors[i]), &request_error_schema);
    end_table(page);
}

/* --- operations --- */

static bool takes_key(const struct operation *operation, const struct http_route *route)
{
    return route->access != HTTP_OPEN || operation->key_optional;
}

static void add_access(struct page *page, const struct operation *operation,
                       const struct http_route *route)
{
    const char *scope = openapi_scope(route);
    if (scope)
        add_in(page, "<p class=\"access\">Needs a key with the scope <code>", scope,
               "</code>.</p>\n");
    else if (route->access != HTTP_OPEN)
        add(page, "<p class=\"access\">Needs a key.</p>\n");
    else if (operation->key_optional)
        add(page, "<p class=\"access\">A key may be sent.</p>\n");
    else
        add(page, "<p class=\"access\">Needs no key.</p>\n");
}

/* A path that a shell can be given: :id becomes ID. */
static void add_path(struct page *page, const char *path)
{
    bool inside = false;
    for (const char *at = path; *at; at++) {
        inside = (inside && *at != '/') || *at == ':';
        if (*at == ':')
            continue;
        buf_add_char(page->buf, inside && *at >= 'a' && *at <= 'z' ? (char)(*at - 0x20) : *at);
    }
}

static void add_example(struct page *page, const struct operation *operation,
                        const struct http_route *route)
{
    bool names_method = strcmp(operation->method, "GET") != 0 && !operation->example;
    add(page, "<pre><code>curl -s");
    if (operation->answers[0].item)
        add(page, "N");
    if (names_method)
        buf_add_format(page->buf, " -X %s", operation->method);
    add_in(page, " ", page->server, "");
    add_path(page, operation->path);
    if (takes_key(operation, route))
        add(page, " \\\n     -H 'authorization: Bearer KEY'");
    if (operation->example)
        add_in(page, takes_key(operation, route) ? " \\\n     " : " ", operation->example, "");
    add(page, "</code></pre>\n");
}

static void add_operation(struct page *page, const struct operation *operation)
{
    const struct http_route *route = openapi_route(page->openapi, operation);
    buf_add_format(page->buf,
                   "<section id=\"%s\"><h3><span class=\"method\">%s</span> <code>%s</code>",
                   operation->id, operation->method, operation->path);
    add_in(page, "</h3>\n<p class=\"summary\">", operation->summary, "</p>\n");
    if (operation->help)
        add_in(page, "<p>", operation->help, "</p>\n");
    add_access(page, operation, route);
    if (operation->answers[0].status != 101)
        add_example(page, operation, route);
    add_parameters(page, operation);
    if (operation->body)
        add_body(page, operation);
    add_answers(page, operation, route);
    add(page, "</section>\n");
}

static void for_each_of(struct page *page, enum operation_tag tag,
                        void (*each)(struct page *page, const struct operation *operation))
{
    for (size_t i = 0; page->openapi->tables[i]; i++) {
        for (const struct operation *row = page->openapi->tables[i]; row->method; row++) {
            if (row->tag == tag)
                each(page, row);
        }
    }
}

static void add_link(struct page *page, const struct operation *operation)
{
    buf_add_format(page->buf, "<li><a href=\"#%s\"><span class=\"method\">%s</span> %s</a></li>\n",
                   operation->id, operation->method, operation->path);
}

/* --- the whole --- */

static void add_index(struct page *page)
{
    add(page, "<nav aria-label=\"Contents\">\n");
    for (enum operation_tag tag = 0; tag < OPERATION_TAG_COUNT; tag++) {
        add_in(page, "<h2>", openapi_tags[tag].name, "</h2>\n<ul>\n");
        for_each_of(page, tag, add_link);
        add(page, "</ul>\n");
    }
    add(page, "<h2>Also</h2>\n<ul>\n<li><a href=\"#schemas\">Objects</a></li>\n"
              "<li><a href=\"#limits\">Limits</a></li>\n"
              "<li><a href=\"#errors\">Errors</a></li>\n</ul>\n</nav>\n");
}

static bool is_body(const struct openapi *openapi, const struct schema *schema)
{
    for (size_t i = 0; openapi->tables[i]; i++) {
        for (const struct operation *row = openapi->tables[i]; row->method; row++) {
            if (row->body == schema)
                return true;
        }
    }
    return false;
}

static void add_schemas(struct page *page)
{
    const struct schema *schemas[OPENAPI_SCHEMAS_MAX];
    openapi_schemas(page->openapi, schemas);
    add(page, "<h2 id=\"schemas\">Objects</h2>\n");
    for (size_t i = 0; schemas[i]; i++) {
        if (is_body(page->openapi, schemas[i]))
            continue;
        add_in(page, "<section id=\"schema-", schemas[i]->name, "\"><h3>");
        add_in(page, "", schemas[i]->name, "</h3>\n");
        add_in(page, "<p>", schemas[i]->help ? schemas[i]->help : "", "</p>\n");
        add_table(page, "Fields", "field");
        add_rows(page, "", schemas[i]->fields, "always");
        end_table(page);
        add(page, "</section>\n");
    }
}

static void add_limits(struct page *page)
{
    add(page,
        "<h2 id=\"limits\">Limits</h2>\n<section>\n"
        "<p>Of a run, under these names in <code>limits</code>; <code>_mb</code> is MiB. What "
        "the operator set is the most that one gets.</p>\n");
    add_table(page, "Limits of a run", "name");
    for (enum limit limit = 0; limit < LIMIT_KINDS; limit++) {
        const struct limit_info *info = limit_info(limit);
        add_in(page, "<tr><th scope=\"row\"><code>", info->json_name, "</code></th><td>");
        if (info->unit == LIMIT_MILLI)
            buf_add_format(page->buf, "number, %g to %g", (double)info->smallest / 1000,
                           (double)info->largest / 1000);
        else
            buf_add_format(page->buf, "whole number, %" PRIu64 " to %" PRIu64,
                           (info->smallest + info->scale - 1) / info->scale,
                           info->largest / info->scale);
        add_in(page, "</td><td>", info->help, "</td></tr>\n");
    }
    end_table(page);
    add(page, "</section>\n");
}

static void add_errors(struct page *page)
{
    add(page, "<h2 id=\"errors\">Errors</h2>\n<section>\n"
              "<p>Each is an <a href=\"#schema-Error\">Error</a> with one of these codes.</p>\n"
              "<div class=\"table\"><table><caption>Codes</caption><thead>"
              "<tr><th>code</th><th>status</th></tr></thead><tbody>\n");
    for (enum err_code code = 0; code < ERR_CODE_COUNT; code++)
        buf_add_format(page->buf, "<tr><th scope=\"row\"><code>%s</code></th><td>%d</td></tr>\n",
                       err_code_name(code), err_http_status(code));
    end_table(page);
    add(page, "</section>\n");
}

void openapi_write_page(struct buf *buf, const struct openapi *openapi, const char *server)
{
    struct page page = {buf, openapi, server};
    add(&page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n"
               "<title>" OPENAPI_TITLE "</title>\n"
               "<link rel=\"stylesheet\" href=\"/docs/style.css\">\n</head>\n<body>\n"
               "<header><h1>" OPENAPI_TITLE "</h1>\n<p>Runnel " RUNNEL_VERSION
               " · <a href=\"/openapi.json\">openapi.json</a> · "
               "<a href=\"/\">editor</a></p></header>\n");
    add_index(&page);
    add(&page, "<main>\n");
    for (enum operation_tag tag = 0; tag < OPERATION_TAG_COUNT; tag++) {
        add_in(&page, "<h2>", openapi_tags[tag].name, "</h2>\n");
        add_in(&page, "<p>", openapi_tags[tag].help, "</p>\n");
        for_each_of(&page, tag, add_operation);
    }
    add_schemas(&page);
    add_limits(&page);
    add_errors(&page);
    add(&page, "</main>\n</body>\n</html>\n");
}
