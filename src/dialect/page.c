/* SPDX-License-Identifier: MIT */
#include "dialect/page.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* Programs of strangers print into this page, so it may do nothing but what its
 * own files do: no inline script or style, no other host, no frame around it,
 * and no text that becomes markup or script by an assignment (trusted types). */
static const struct http_header page_headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
     "require-trusted-types-for 'script'; trusted-types 'none'"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static const struct {
    const char *ending;
    const char *content_type;
} types[] = {
    {"html", "text/html; charset=utf-8"}, {"js", "text/javascript; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},   {"svg", "image/svg+xml"},
    {"txt", "text/plain; charset=utf-8"},
};

static const char *content_type(const struct page_file *file)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i].ending, file->type) == 0)
            return types[i].content_type;
    return "application/octet-stream";
}

static const struct page_file *find_file(struct slice path)
{
    for (const struct page_file *file = page_files; file->path; file++)
        if (slice_is(path, file->path))
            return file;
    return NULL;
}

/* "gzip", "*;q=0.5": does this element of Accept-Encoding ask for gzip? */
static bool element_takes_gzip(const char *element, size_t len)
{
    static const char *const names[] = {"gzip", "x-gzip", "*"};
    size_t name_len = strcspn(element, ",; \t");
    bool named = false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        named = named ||
                (name_len == strlen(names[i]) && strncasecmp(element, names[i], name_len) == 0);
    const char *weight = memmem(element, len, "q=", strlen("q="));
    if (!weight)
        return named;
    weight += strlen("q=");
    size_t zeros = strspn(weight, "0.");
    return named && weight[zeros] >= '1' && weight[zeros] <= '9';
}

/* A client that says nothing is a program that would show the bytes as they are. */
static bool takes_gzip(const char *accepted)
{
    while (accepted && *accepted) {
        accepted += strspn(accepted, ", \t");
        size_t len = strcspn(accepted, ",");
        if (len > 0 && element_takes_gzip(accepted, len))
            return true;
        accepted += len;
    }
    return false;
}

/* Weakly, as If-None-Match is compared: what stands between the quotes counts. */
static bool is_known_to_client(const struct http_request *request, const struct page_file *file)
{
    const char *known = http_request_header(request, "If-None-Match");
    return known && (strcmp(known, "*") == 0 || strstr(known, strchr(file->etag, '"')));
}

static void add_headers(struct http_request *request, const struct page_file *file)
{
    bool is_page = strcmp(file->path, "/") == 0;
    for (size_t i = 0; i < ARRAY_LEN(page_headers); i++)
        http_add_header(request, page_headers[i].name, page_headers[i].value);
    http_add_header(request, "ETag", file->etag);
    http_add_header(request, "Vary", "Accept-Encoding");
    http_add_header(request, "Cache-Control",
                    is_page ? "no-cache" : "public, max-age=31536000, immutable");
}

static void handle_file(struct http_request *request, void *context)
{
    (void)context;
    struct slice path = http_request_path(request);
    const struct page_file *file = find_file(path);
    struct err err;
    if (!file) {
        (void)err_set(&err, ERR_NOT_FOUND, "the page has no file %.100s", path.at);
        http_reply_err(request, &err);
        return;
    }
    bool compressed = takes_gzip(http_request_header(request, "Accept-Encoding"));
    if (!compressed && file->plain.len == 0) {
        http_reply(request, 406, "text/plain; charset=utf-8",
                   slice_of("This file is sent compressed only: ask with Accept-Encoding: gzip\n"));
        return;
    }
    add_headers(request, file);
    if (is_known_to_client(request, file)) {
        http_reply(request, 304, NULL, (struct slice){0});
        return;
    }
    if (compressed)
        http_add_header(request, "Content-Encoding", "gzip");
    http_reply(request, 200, content_type(file), compressed ? file->gzip : file->plain);
}

const struct http_route page_routes[] = {
    {"GET", "/", 0, handle_file, NULL, .access = HTTP_OPEN},
    {"GET", "/assets/:name", 0, handle_file, NULL, .access = HTTP_OPEN},
    {0},
};
