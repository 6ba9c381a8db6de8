/* SPDX-License-Identifier: MIT */
/* request_link.h — links to files of ours that need no key until they expire
 * (codec/signed_path.h), and how files are sent. */
#ifndef RUNNEL_DIALECT_REQUEST_LINK_H
#define RUNNEL_DIALECT_REQUEST_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "dialect/request_schema.h"

struct http_request;
struct json;
struct store_file;

#define REQUEST_FILES_PATH "/v1/files/"

struct request_links {
    struct slice keys[2]; /* the first signs, all of them open */
    size_t key_count;
    const char *base_url; /* "https://run.example.org"; NULL: as the client calls us */
    uint64_t lifetime_ms; /* of a link */
};

/* Of a base_url as an operator writes it (NULL: none): ERR_CONFIG. */
int request_check_base(const char *base_url, struct err *err);
/* What links begin with: the base_url, or what the client called us; empty when nobody knows. */
void request_write_base(struct buf *base, const struct request_links *links,
                        const struct http_request *request);

/* {"id","name","size","sha256","url","expires_at","content_type"}: a file as records show
 * it. `request` may be NULL: then the URL is the base_url's, or a path alone. */
void request_write_file(struct json *json, const char *key, const struct store_file *file,
                        const struct request_links *links, const struct http_request *request);

extern const struct schema request_file_schema;

/* By the ending of its name; never one that a browser runs as a page of ours. */
const char *request_content_type(const char *name);
/* attachment; filename="plot.svg"; filename*=UTF-8''plot.svg — one line whatever the name. */
void request_add_disposition(struct http_request *request, const char *name);

#endif
