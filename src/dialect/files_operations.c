/* SPDX-License-Identifier: MIT */
#include "dialect/files_operations.h"

/* clang-format off */
static const struct schema_field list_query[] = {
    {"before", SCHEMA_TEXT, .help = "the page behind this file"},
    {NULL},
};
static const struct schema_field link_query[] = {
    {"payload", SCHEMA_TEXT, .help = "of a signed link"},
    {"sig",     SCHEMA_TEXT, .help = "of a signed link"},
    {NULL},
};
static const struct schema_field download_headers[] = {
    {"Range",         SCHEMA_TEXT, .help = "bytes=FIRST-LAST: a part of it, with 206"},
    {"If-None-Match", SCHEMA_TEXT, .help = "the ETag that is there already"},
    {NULL},
};
/* clang-format on */

static const char binary[] = "application/octet-stream";

const struct operation files_operations[] = {
    {
        .method = "POST",
        .path = "/v1/files",
        .id = "upload_file",
        .tag = OPERATION_FILES,
        .summary = "Upload a file for runs",
        .help = "Its id goes into `files` of a run, which finds it below inputs/.",
        .body = &files_form_schema,
        .body_type = "multipart/form-data",
        .answers = {{200, "The file is kept.", &files_uploaded_schema}},
        .errors = {503, 507},
        .example = "-F file=@data.csv",
    },
    {
        .method = "GET",
        .path = "/v1/files",
        .id = "list_files",
        .tag = OPERATION_FILES,
        .summary = "List the uploads of the key, newest first",
        .query = list_query,
        .answers = {{200, "A page of them.", &files_list_schema}},
        .errors = {404},
    },
    {
        .method = "GET",
        .path = "/v1/files/:id",
        .id = "download_file",
        .tag = OPERATION_FILES,
        .summary = "Download a file",
        .help = "With the key that owns it and has the scope files; or, without any key, by the "
                "signed link that records show as url.",
        .capture_help = "of the file",
        .query = link_query,
        .headers = download_headers,
        .key_optional = true,
        .answers = {{200, "The bytes, as an attachment.", NULL, binary},
                    {206, "A part of them.", NULL, binary},
                    {304, "It is there already."},
                    {416, "It has no such bytes."}},
        .errors = {401, 403, 404},
        .example = "-OJ",
    },
    {
        .method = "DELETE",
        .path = "/v1/files/:id",
        .id = "delete_file",
        .tag = OPERATION_FILES,
        .summary = "Remove a file",
        .capture_help = "of the file",
        .answers = {{204, "It is gone."}},
        .errors = {404, 507},
    },
    {0},
};
