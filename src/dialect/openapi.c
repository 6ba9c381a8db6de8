/* SPDX-License-Identifier: MIT */
#include "dialect/openapi.h"

#include <stdio.h>
#include <string.h>

#include "base/embedded.h"
#include "dialect/openapi_write.h"

#define DOCUMENT_MAX MIB
#define JSON_TYPE "application/json; charset=utf-8"

/* clang-format off */
const struct openapi_tag openapi_tags[OPERATION_TAG_COUNT] = {
    [OPERATION_EXECUTION] = {"Code Execution", "Runs: made, looked at, listed, ended."},
    [OPERATION_EVENTS] = {"Events", "What happens in a run, while it happens."},
    [OPERATION_FILES] = {"Files", "Files for runs, and those that runs left."},
    [OPERATION_ACCESS] = {"Access", "Keys, logins and tickets."},
    [OPERATION_SYSTEM] = {"System", "The service itself."},
};

static const char *const ok_words[] = {"ok", NULL};
static const struct schema_field health_fields[] = {
    {"status", SCHEMA_TEXT, .required = true, .choices = ok_words},
    {NULL},
};
static const char *const list_words[] = {"list", NULL};
static const struct schema_field models_fields[] = {
    {"object", SCHEMA_TEXT, .required = true, .choices = list_words},
    {"data",   SCHEMA_TEXTS, .required = true, .help = "always empty"},
    {NULL},
};
/* clang-format on */
static const struct schema health_schema = {"Health", health_fields, NULL};
static const struct schema models_schema = {"ModelList", models_fields, NULL};

const struct operation openapi_operations[] = {
    {
        .method = "GET",
        .path = "/v1/health",
        .id = "health_check",
        .tag = OPERATION_SYSTEM,
        .summary = "Is the service up?",
        .answers = {{200, "It is.", &health_schema}},
    },
    {
        .method = "GET",
        .path = "/v1/models",
        .id = "list_models",
        .tag = OPERATION_SYSTEM,
        .summary = "An empty list",
        .help = "For programs that take every API with a key for one of language models.",
        .answers = {{200, "None.", &models_schema}},
    },
    {0},
};

/* --- answers --- */

static void handle_health(struct http_request *request, void *context)
{
    (void)context;
    http_reply(request, 200, JSON_TYPE, slice_of("{\"status\":\"ok\"}"));
}

static void handle_models(struct http_request *request, void *context)
{
    (void)context;
    http_reply(request, 200, JSON_TYPE, slice_of("{\"object\":\"list\",\"data\":[]}"));
}

static const char *server_of(const struct openapi *openapi, const struct http_request *request,
                             char text[300])
{
    const char *host = http_request_header(request, "Host");
    if (openapi->base_url)
        return openapi->base_url;
    (void)snprintf(text, 300, "%s://%s", http_request_is_https(request) ? "https" : "http",
                   host ? host : "localhost");
    return text;
}

static void handle_document(struct http_request *request, void *context)
{
    char server[300];
    auto_buf struct buf body;
    buf_init(&body, DOCUMENT_MAX);
    openapi_write_document(&body, context, server_of(context, request, server));
    http_add_header(request, "Cache-Control", "no-cache");
    http_reply_take(request, 200, JSON_TYPE, &body);
}

/* --- the page --- */

extern const struct embedded_file openapi_files[];

/* It needs its own style and nothing else. */
static void add_page_headers(struct http_request *request)
{
    http_add_header(request, "Content-Security-Policy",
                    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'");
    http_add_header(request, "X-Frame-Options", "DENY");
    http_add_header(request, "Referrer-Policy", "no-referrer");
    http_add_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    http_add_header(request, "Cross-Origin-Resource-Policy", "same-origin");
    http_add_header(request, "Cache-Control", "no-cache");
}

static void handle_page(struct http_request *request, void *context)
{
    char server[300];
    auto_buf struct buf body;
    buf_init(&body, DOCUMENT_MAX);
    openapi_write_page(&body, context, server_of(context, request, server));
    add_page_headers(request);
    http_reply_take(request, 200, "text/html; charset=utf-8", &body);
}

static void handle_style(struct http_request *request, void *context)
{
    (void)context;
    add_page_headers(request);
    http_reply(request, 200, "text/css; charset=utf-8",
               (struct slice){openapi_files[0].text, openapi_files[0].len});
}

const struct http_route openapi_routes[] = {
    {"GET", "/openapi.json", 0, handle_document, NULL, .access = HTTP_OPEN},
    {"GET", "/docs", 0, handle_page, NULL, .access = HTTP_OPEN},
    {"GET", "/docs/style.css", 0, handle_style, NULL, .access = HTTP_OPEN},
    {"GET", "/v1/health", 0, handle_health, NULL, .access = HTTP_OPEN},
    {"GET", "/v1/models", 0, handle_models, NULL, .access = HTTP_OPEN},
    {"GET", "/models", 0, handle_models, NULL, .access = HTTP_OPEN},
    {0},
};
