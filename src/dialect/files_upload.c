/* SPDX-License-Identifier: MIT */
/* files_upload.c — POST /v1/files: from the body, as it comes, to the disk.
 *
 * The form's parser hands the file's bytes to the writer, which holds the client when
 * the disk is behind. The row is written when the content stands, and the client is
 * told when the row does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json_write.h"
#include "codec/multipart.h"
#include "dialect/files.h"
#include "dialect/files_operations.h"
#include "dialect/request_answer.h"
#include "os/clock.h"
#include "os/random_id.h"
#include "store/content.h"
#include "store/store.h"

enum { PARTS_MAX = 16 };
/* Of a body that is more than its file: boundaries, headers, other fields. */
#define FORM_MAX MIB
#define ANSWER_MAX (8 * KIB)

/* clang-format off */
static const struct schema_field form_fields[] = {
    {"file", SCHEMA_BYTES, .required = true, .help = "with a file name, of which the last part counts"},
    {NULL},
};
static const struct schema_field uploaded_fields[] = {
    {"id",     SCHEMA_TEXT,   .required = true, .help = "for `files` of a run"},
    {"name",   SCHEMA_TEXT,   .required = true},
    {"size",   SCHEMA_NUMBER, .required = true, .help = "bytes"},
    {"sha256", SCHEMA_TEXT,   .required = true, .help = "of its bytes, in hex"},
    {NULL},
};
/* clang-format on */
const struct schema files_form_schema = {"Upload", form_fields, "A form with one file."};
const struct schema files_uploaded_schema = {"UploadedFile", uploaded_fields, NULL};

struct upload {
    const struct files *files;
    struct http_request *request; /* NULL: the client has left */
    struct multipart *form;
    struct content_writer *writer; /* NULL: no file has come yet, or it is written */
    bool in_file;                  /* the parser is in the part that is the file */
    bool was_full;                 /* the writer said so; the client is held */
    bool has_file;
    bool is_named_wrong; /* a file came, in another field */
    bool is_stored;      /* the store is asked to take it */
    uint64_t size;       /* of the file, so far */
    uint64_t received;   /* of the whole body, so far */
    uint64_t key;
    struct err err; /* of what went wrong here; code 0 is no failure */
    bool failed;
    char id[RANDOM_ID_SIZE];
    char name[MULTIPART_FILE_NAME_SIZE];
    struct store_file row;
};

static void upload_free(struct upload *upload)
{
    if (upload->writer)
        content_writer_abort(upload->writer);
    multipart_free(upload->form);
    free(upload);
}

static void refuse(struct upload *upload)
{
    struct http_request *request = take_ptr(&upload->request);
    if (request) {
        http_on_gone(request, NULL, NULL);
        request_answer_err(request, &upload->err);
    }
    upload_free(upload);
}

/* --- written --- */

static void answer(struct upload *upload)
{
    char digest[2 * STORE_DIGEST_SIZE + 1];
    auto_buf struct buf body;
    buf_init(&body, ANSWER_MAX);
    for (size_t i = 0; i < STORE_DIGEST_SIZE; i++)
        (void)snprintf(digest + 2 * i, 3, "%02x", upload->row.sha256[i]);
    struct json json = json_start(&body);
    json_open_object(&json, NULL);
    json_text(&json, "id", upload->id);
    json_text(&json, "name", upload->name);
    json_u64(&json, "size", upload->row.size);
    json_text(&json, "sha256", digest);
    json_close_object(&json);
    struct http_request *request = take_ptr(&upload->request);
    http_on_gone(request, NULL, NULL);
    http_reply_take(request, 200, ANSWER_JSON, &body);
}

static void on_added(void *context, const struct err *err)
{
    struct upload *upload = context;
    if (err) {
        (void)content_remove(store_files_folder(upload->files->store), upload->id);
        upload->err = *err;
        refuse(upload);
        return;
    }
    if (upload->request)
        answer(upload);
    else /* nobody knows its id */
        store_file_remove(upload->files->store, upload->id, NULL, NULL);
    upload_free(upload);
}

static void on_written(void *context, const struct content *content, const struct err *err)
{
    struct upload *upload = context;
    const struct files *files = upload->files;
    upload->writer = NULL;
    if (err) {
        upload->err = *err;
        refuse(upload);
        return;
    }
    uint64_t now_ms = clock_unix_ms();
    upload->row = (struct store_file){
        .id = upload->id,
        .key = upload->key,
        .name = upload->name,
        .size = content->size,
        .created_ms = now_ms,
        .expires_ms = files->keep_ms > 0 ? now_ms + files->keep_ms : 0,
    };
    memcpy(upload->row.sha256, content->sha256, sizeof upload->row.sha256);
    upload->is_stored = true;
    store_file_add(files->store, &upload->row, on_added, upload);
}

static void on_room(void *context)
{
    struct upload *upload = context;
    upload->was_full = false;
    if (upload->request)
        http_upload_resume(upload->request);
}

/* --- the form --- */

static const char *refuse_form(struct upload *upload, const char *why)
{
    if (!upload->failed)
        (void)err_field(&upload->err, "file", "%s", why);
    upload->failed = true;
    return why;
}

static const char *on_part(void *context, const struct multipart_part *part)
{
    static const struct content_writer_events events = {.room = on_room, .written = on_written};
    struct upload *upload = context;
    const struct files *files = upload->files;
    upload->in_file = false;
    if (!part->filename.at)
        return NULL; /* a field of another meaning */
    if (!slice_is(part->name, "file")) {
        upload->is_named_wrong = true;
        return NULL;
    }
    if (upload->has_file)
        return refuse_form(upload, "one file at a time, please");
    upload->has_file = upload->in_file = true;
    multipart_file_name(part->filename, upload->name);
    if (random_id("file_", upload->id) < 0)
        return refuse_form(upload, "no id can be made");
    upload->writer = content_writer_new(files->loop, store_files_folder(files->store), upload->id,
                                        files->max_bytes, &events, upload, &upload->err);
    upload->failed = !upload->writer;
    return upload->writer ? NULL : upload->err.text;
}

static const char *on_part_data(void *context, struct slice bytes)
{
    struct upload *upload = context;
    if (!upload->in_file)
        return NULL;
    upload->size += bytes.len;
    if (upload->size > upload->files->max_bytes) {
        upload->failed = true;
        (void)err_set(&upload->err, ERR_TOO_LARGE, "the file is over the limit of %llu bytes",
                      (unsigned long long)upload->files->max_bytes);
        return upload->err.text;
    }
    if (!content_writer_add(upload->writer, bytes))
        upload->was_full = true;
    return NULL;
}

static const char *on_part_end(void *context)
{
    ((struct upload *)context)->in_file = false;
    return NULL;
}

static const char *on_form_end(void *context)
{
    (void)context;
    return NULL;
}

/* --- the body --- */

static bool is_too_large(const struct http_request *request, const struct files *files)
{
    uint64_t length = 0;
    const char *text = http_request_header(request, "Content-Length");
    return text && parse_u64(text, &length) == 0 && length > files->max_bytes + FORM_MAX;
}

static void *begin(struct http_request *request, void *context)
{
    static const struct multipart_events events = {on_part, on_part_data, on_part_end, on_form_end};
    const struct files *files = context;
    const char *type = http_request_header(request, "Content-Type");
    char boundary[MULTIPART_BOUNDARY_SIZE];
    struct err err;
    int rc = type ? multipart_boundary(type, boundary) : -EMEDIUMTYPE;
    struct upload *upload = NULL;
    if (is_too_large(request, files))
        (void)err_set(&err, ERR_TOO_LARGE, "the file is over the limit of %llu bytes",
                      (unsigned long long)files->max_bytes);
    else if (rc == -EMEDIUMTYPE)
        (void)err_set(&err, ERR_MEDIA_TYPE, "the body must be multipart/form-data");
    else if (rc < 0)
        (void)err_set(&err, ERR_INVALID, "Content-Type has no usable boundary");
    else if (!(upload = calloc(1, sizeof *upload)) ||
             !(upload->form = multipart_new(boundary, PARTS_MAX, &events, upload)))
        (void)err_sys(&err, ENOMEM, "upload");
    if (!upload || !upload->form) {
        free(upload);
        request_answer_err(request, &err);
        return NULL;
    }
    upload->files = files;
    upload->request = request;
    upload->key = http_request_key(request);
    return upload;
}

/* What the parser still holds back is a boundary's length at most. */
static const char *feed(struct upload *upload, struct slice bytes)
{
    const char *refusal = multipart_feed(upload->form, bytes);
    upload->received += bytes.len;
    if (refusal || upload->received - upload->size <= FORM_MAX)
        return refusal;
    upload->failed = true;
    (void)err_set(&upload->err, ERR_TOO_LARGE,
                  "the form is over the limit of %zu bytes beside its file", (size_t)FORM_MAX);
    return upload->err.text;
}

static bool data(void *context, struct slice bytes)
{
    struct upload *upload = context;
    const char *refusal = feed(upload, bytes);
    if (refusal) {
        (void)refuse_form(upload, refusal);
        refuse(upload);
        return true;
    }
    return !upload->was_full;
}

static void end(void *context)
{
    struct upload *upload = context;
    const char *refusal = multipart_finish(upload->form);
    if (refusal)
        (void)refuse_form(upload, refusal);
    if (!upload->failed && !upload->has_file)
        (void)refuse_form(upload, upload->is_named_wrong
                                      ? "file is required: the field must be called `file`"
                                      : "file is required");
    if (upload->failed)
        refuse(upload);
    else
        content_writer_finish(upload->writer);
}

static void gone(void *context)
{
    struct upload *upload = context;
    upload->request = NULL;
    if (!upload->is_stored) /* else the store's callback frees */
        upload_free(upload);
}

const struct http_upload_ops files_upload_ops = {begin, data, end, gone};
