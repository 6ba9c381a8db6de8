/* SPDX-License-Identifier: MIT */
#include "fake_request.h"

/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/websocket.h"

struct slice http_request_method(const struct http_request *request)
{
    return slice_of(request->method ? request->method : "GET");
}

struct slice http_request_body(const struct http_request *request)
{
    return request->body;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    const struct http_header headers[] = {
        {"Authorization", request->authorization},
        {"Accept", request->accept},
        {"Origin", request->origin},
        {"Host", request->host},
        {"Sec-Fetch-Site", request->site},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        if (strcmp(name, headers[i].name) == 0)
            return headers[i].value;
    }
    fail_msg("nobody gave the header %s", name);
    return NULL;
}

size_t http_request_header_count(const struct http_request *request, const char *name)
{
    assert_string_equal(name, "Authorization");
    return request->authorizations > 0 ? request->authorizations : request->authorization != NULL;
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    assert_string_equal(name, "ticket");
    return request->ticket;
}

const char *http_request_capture(const struct http_request *request, const char *name)
{
    assert_string_equal(name, "number");
    return request->number;
}

bool http_request_from_loopback(const struct http_request *request)
{
    (void)request;
    return true;
}

const char *http_request_client(const struct http_request *request)
{
    return request->client ? request->client : "192.0.2.1";
}

bool http_request_cookie(const struct http_request *request, const char *name, char *value,
                         size_t size)
{
    size_t len = strlen(name);
    if (!request->cookie || strncmp(request->cookie, name, len) != 0 || request->cookie[len] != '=')
        return false;
    return (size_t)snprintf(value, size, "%s", request->cookie + len + 1) < size;
}

bool http_request_is_json(const struct http_request *request)
{
    return request->type && strcmp(request->type, "application/json") == 0;
}

bool http_request_is_https(const struct http_request *request)
{
    return request->is_https;
}

bool websocket_wanted(const struct http_request *request)
{
    return request->is_websocket;
}

void http_set_caller(struct http_request *request, uint64_t key, unsigned scopes)
{
    request->key = key;
    request->scopes = scopes;
}

uint64_t http_request_key(const struct http_request *request)
{
    return request->key;
}

unsigned http_request_scopes(const struct http_request *request)
{
    return request->scopes;
}

void http_on_gone(struct http_request *request, void (*gone)(void *context), void *context)
{
    request->gone = gone;
    request->gone_context = context;
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    assert_true(request->header_count < HEADERS_MAX);
    request->headers[request->header_count++] = (struct http_header){name, strdup(value)};
}

void http_reply(struct http_request *request, int status, const char *content_type,
                struct slice body)
{
    assert_int_equal(request->status, 0);
    assert_true(body.len < sizeof request->answer);
    assert_true((content_type == NULL) == (body.len == 0));
    request->status = status;
    if (body.len > 0)
        memcpy(request->answer, body.at, body.len);
    request->answer[body.len] = '\0';
}

void http_reply_take(struct http_request *request, int status, const char *content_type,
                     struct buf *body)
{
    http_reply(request, status, content_type, buf_slice(body));
    buf_fini(body);
}

void http_reply_err(struct http_request *request, const struct err *err)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "%s|%s|%s", err_code_name(err->code), err->field, err->text);
    http_reply(request, err_http_status(err->code), "text/plain", slice_of(text));
}

const char *fake_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

void fake_request_fini(struct http_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        free((char *)request->headers[i].value);
    *request = (struct http_request){0};
}
