/* SPDX-License-Identifier: MIT */
#include "dialect/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "codec/json_write.h"
#include "codec/signed_path.h"
#include "dialect/files_operations.h"
#include "dialect/request_access.h"
#include "dialect/request_answer.h"
#include "os/clock.h"
#include "store/content.h"
#include "store/store.h"

enum { LIMIT_USUAL = 50 };
/* An upload's own maximum is told by the table of routes to nobody: it is configured. */
#define UPLOAD_BODY_MAX (SIZE_MAX / 2)
#define LIST_BODY_MAX (4 * MIB)

/* A request whose answer the store gives. */
struct lookup {
    const struct files *files;
    struct http_request *request; /* NULL: the client has left */
    bool by_link;                 /* a signature opens it, whoever asks */
    char id[STORE_ID_SIZE];
};

static void on_gone(void *context)
{
    ((struct lookup *)context)->request = NULL;
}

/* NULL when it was answered. */
static struct lookup *look_up(const struct files *files, struct http_request *request,
                              const char *id)
{
    struct err err;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup) {
        (void)err_sys(&err, errno, "file");
        request_answer_err(request, &err);
        return NULL;
    }
    *lookup = (struct lookup){.files = files, .request = request};
    (void)snprintf(lookup->id, sizeof lookup->id, "%s", id);
    http_on_gone(request, on_gone, lookup);
    return lookup;
}

/* The request, when somebody is still there. */
static struct http_request *end_lookup(struct lookup *lookup)
{
    struct http_request *request = lookup->request;
    if (request)
        http_on_gone(request, NULL, NULL);
    free(lookup);
    return request;
}

static void answer_not_found(struct http_request *request, const char *what)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "%s", what);
    request_answer_err(request, &err);
}

/* --- downloads --- */

static void answer_without_content(struct http_request *request, int errnum)
{
    struct err err;
    if (errnum == ENOENT) {
        answer_not_found(request, "artifact content missing");
        return;
    }
    (void)err_sys(&err, errnum, "cannot open the artifact's content");
    request_answer_err(request, &err);
}

static void send_file(struct http_request *request, const struct files *files,
                      const struct store_file *file)
{
    char etag[2 * STORE_DIGEST_SIZE + 3];
    char *at = etag;
    int fd = content_open(store_files_folder(files->store), file->id);
    if (fd < 0) {
        answer_without_content(request, -fd);
        return;
    }
    *at++ = '"';
    for (size_t i = 0; i < STORE_DIGEST_SIZE; i++)
        at += sprintf(at, "%02x", file->sha256[i]);
    *at++ = '"';
    *at = '\0';
    request_add_disposition(request, file->name);
    http_add_header(request, "Cache-Control", "private, no-cache");
    http_reply_file(request, request_content_type(file->name), etag, fd, file->size);
}

static void on_download(void *context, const struct store_file *file, const struct err *err)
{
    struct lookup *lookup = context;
    const struct files *files = lookup->files;
    bool by_link = lookup->by_link;
    struct http_request *request = end_lookup(lookup);
    if (!request)
        return;
    if (file && (by_link || request_may_see(request, file->key)))
        send_file(request, files, file);
    else if (file || err->code == ERR_NOT_FOUND)
        answer_not_found(request, "artifact not found");
    else
        request_answer_err(request, err);
}

static void handle_download(struct http_request *request, void *context)
{
    const struct files *files = context;
    const char *payload = http_request_query(request, "payload");
    const char *sig = http_request_query(request, "sig");
    bool by_link = payload || sig;
    char path[128];
    struct err err;
    (void)snprintf(path, sizeof path, REQUEST_FILES_PATH "%s", http_request_capture(request, "id"));
    const char *wrong = by_link ? signed_path_check(path, payload, sig, files->links.keys,
                                                    files->links.key_count, clock_unix_ms() / 1000)
                                : NULL;
    if (wrong) {
        (void)err_set(&err, ERR_FORBIDDEN, "%s", wrong);
        request_answer_err(request, &err);
        return;
    }
    /* The row is open, because a link needs no key. */
    if (!by_link && !request_may(files->access, request, STORE_SCOPE_FILES))
        return;
    struct lookup *lookup = look_up(files, request, http_request_capture(request, "id"));
    if (!lookup)
        return;
    lookup->by_link = by_link;
    store_file_get(files->store, lookup->id, on_download, lookup);
}

/* --- removal --- */

static void on_removed(void *context, const struct err *err)
{
    struct http_request *request = end_lookup(context);
    if (!request)
        return;
    if (err && err->code == ERR_NOT_FOUND)
        answer_not_found(request, "file not found");
    else if (err)
        request_answer_err(request, err);
    else
        http_reply(request, 204, NULL, (struct slice){0});
}

static void on_found(void *context, const struct store_file *file, const struct err *err)
{
    struct lookup *lookup = context;
    struct err not_found = {.code = ERR_NOT_FOUND};
    if (file && lookup->request && request_may_see(lookup->request, file->key))
        store_file_remove(lookup->files->store, lookup->id, on_removed, lookup);
    else
        on_removed(lookup, err ? err : &not_found);
}

static void handle_delete(struct http_request *request, void *context)
{
    const struct files *files = context;
    struct lookup *lookup = look_up(files, request, http_request_capture(request, "id"));
    if (lookup)
        store_file_get(files->store, lookup->id, on_found, lookup);
}

/* --- the list --- */

/* clang-format off */
static const struct schema_field row_fields[] = {
    {"created_at", SCHEMA_TIME,   .required = true},
    {"expires_at", SCHEMA_TIME,   .required = true, .nullable = true, .help = "of the file; null: never"},
    {"file",       SCHEMA_OBJECT, .required = true, .items = &request_file_schema},
    {NULL},
};
static const struct schema row_schema = {"FileRow", row_fields, NULL};
static const struct schema_field list_fields[] = {
    {"files", SCHEMA_OBJECTS, .required = true, .items = &row_schema},
    {"next",  SCHEMA_TEXT,    .required = true, .nullable = true,
     .help = "what `before` is for the next page; null: this was the last"},
    {NULL},
};
/* clang-format on */
const struct schema files_list_schema = {"FileList", list_fields, NULL};

static void write_upload(struct json *json, const struct store_file *file,
                         const struct lookup *lookup)
{
    char time[TIME_TEXT_SIZE];
    json_open_object(json, NULL);
    json_text(json, "created_at", format_time(time, file->created_ms));
    if (file->expires_ms > 0)
        json_text(json, "expires_at", format_time(time, file->expires_ms));
    else
        json_nothing(json, "expires_at");
    request_write_file(json, "file", file, &lookup->files->links, lookup->request);
    json_close_object(json);
}

/* One more was asked for than a page has, so that the last page is known. */
static void on_listed(void *context, const struct store_file *list, size_t count,
                      const struct err *err)
{
    struct lookup *lookup = context;
    auto_buf struct buf body;
    buf_init(&body, LIST_BODY_MAX);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_open_array(&json, "files");
    for (size_t i = 0; lookup->request && i < MIN(count, LIMIT_USUAL); i++)
        write_upload(&json, &list[i], lookup);
    json_close_array(&json);
    json_text(&json, "next", count > LIMIT_USUAL ? list[LIMIT_USUAL - 1].id : NULL);
    json_close_object(&json);
    struct http_request *request = end_lookup(lookup);
    if (request && err)
        request_answer_err(request, err);
    else if (request)
        http_reply_take(request, 200, ANSWER_JSON, &body);
}

static void handle_list(struct http_request *request, void *context)
{
    const struct files *files = context;
    struct lookup *lookup = look_up(files, request, "");
    if (lookup)
        store_file_list(files->store, http_request_key(request),
                        http_request_query(request, "before"), LIMIT_USUAL + 1, on_listed, lookup);
}

const struct http_route files_routes[] = {
    {"POST", "/v1/files", UPLOAD_BODY_MAX, NULL, NULL, STORE_SCOPE_FILES, &files_upload_ops},
    {"GET", "/v1/files", 0, handle_list, NULL, .access = STORE_SCOPE_FILES},
    {"GET", "/v1/files/:id", 0, handle_download, NULL, .access = HTTP_OPEN},
    {"DELETE", "/v1/files/:id", 0, handle_delete, NULL, .access = STORE_SCOPE_FILES},
    {0},
};
