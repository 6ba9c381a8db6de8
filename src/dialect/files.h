/* SPDX-License-Identifier: MIT */
/* files.h — files that clients upload for their runs, and those that runs left.
 *
 *     POST   /v1/files      multipart/form-data, one file in the field `file`
 *     GET    /v1/files      the uploads of the key, newest first
 *     GET    /v1/files/:id  the bytes: with the key that owns it, or a signed link
 *     DELETE /v1/files/:id
 */
#ifndef RUNNEL_DIALECT_FILES_H
#define RUNNEL_DIALECT_FILES_H

#include "dialect/request_link.h"
#include "server/http.h"

struct request_access;
struct loop;
struct store;

#define FILES_NAME "files"

struct files {
    struct loop *loop;
    struct store *store;
    struct request_access *access; /* of downloads, which a link may open, too */
    struct request_links links;
    uint64_t max_bytes; /* of an upload */
    uint64_t keep_ms;   /* an upload; 0: for ever */
};

extern const struct http_route files_routes[];

/* files_upload.c */
extern const struct http_upload_ops files_upload_ops;

#endif
