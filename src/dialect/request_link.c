/* SPDX-License-Identifier: MIT */
#include "dialect/request_link.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/util.h"
#include "codec/json_write.h"
#include "codec/signed_path.h"
#include "os/clock.h"
#include "server/http.h"
#include "store/store.h"

#define URL_MAX (4 * KIB)
#define DISPOSITION_MAX (4 * KIB)

int request_check_base(const char *base_url, struct err *err)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; base_url && i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);
        const char *rest = base_url + len;
        if (strncmp(base_url, schemes[i], len) == 0 && *rest && *rest != '/' &&
            !strpbrk(rest, "?# ") && rest[strlen(rest) - 1] != '/')
            return 0;
    }
    if (!base_url)
        return 0;
    return err_config(err, "public_base_url",
                      "public_base_url: '%.80s' is no beginning of a link: write "
                      "https://run.example.com, without a slash at the end",
                      base_url);
}

void request_write_base(struct buf *base, const struct request_links *links,
                        const struct http_request *request)
{
    const char *host = request ? http_request_header(request, "Host") : NULL;
    if (links->base_url)
        buf_add_text(base, links->base_url);
    else if (host)
        buf_add_format(base, "%s://%s", http_request_is_https(request) ? "https" : "http", host);
}

static void write_url(struct buf *url, const struct store_file *file, uint64_t expires_ms,
                      const struct request_links *links, const struct http_request *request)
{
    char path[128];
    request_write_base(url, links, request);
    (void)snprintf(path, sizeof path, REQUEST_FILES_PATH "%s", file->id);
    signed_path_write(url, path, expires_ms / 1000, links->keys[0]);
}

static void write_digest(struct json *json, const unsigned char digest[STORE_DIGEST_SIZE])
{
    char text[2 * STORE_DIGEST_SIZE + 1];
    for (size_t i = 0; i < STORE_DIGEST_SIZE; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    json_text(json, "sha256", text);
}

/* clang-format off */
static const struct schema_field file_fields[] = {
    {"id",           SCHEMA_TEXT,   .required = true, .help = "for GET /v1/files/{id}, and `files` of a run"},
    {"name",         SCHEMA_TEXT,   .required = true, .help = "as it was uploaded, or below outputs/"},
    {"size",         SCHEMA_NUMBER, .required = true, .help = "bytes"},
    {"sha256",       SCHEMA_TEXT,   .required = true, .help = "of its bytes, in hex"},
    {"url",          SCHEMA_TEXT,   .required = true, .help = "a link that needs no key until expires_at"},
    {"expires_at",   SCHEMA_TIME,   .required = true, .help = "of the link, not of the file"},
    {"content_type", SCHEMA_TEXT,   .required = true, .help = "by the ending of its name"},
    {NULL},
};
/* clang-format on */
const struct schema request_file_schema = {
    "File", file_fields, "An uploaded file, or an artifact: one that a run left."};

void request_write_file(struct json *json, const char *key, const struct store_file *file,
                        const struct request_links *links, const struct http_request *request)
{
    auto_buf struct buf url;
    char time[TIME_TEXT_SIZE];
    uint64_t expires_ms = clock_unix_ms() + links->lifetime_ms;
    buf_init(&url, URL_MAX);
    write_url(&url, file, expires_ms, links, request);
    json_open_object(json, key);
    json_text(json, "id", file->id);
    json_text(json, "name", file->name);
    json_u64(json, "size", file->size);
    write_digest(json, file->sha256);
    json_slice(json, "url", buf_slice(&url));
    json_text(json, "expires_at", format_time(time, expires_ms));
    json_text(json, "content_type", request_content_type(file->name));
    json_close_object(json);
}

const char *request_content_type(const char *name)
{
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {
        {".csv", "text/csv; charset=utf-8"},
        {".gif", "image/gif"},
        {".gz", "application/gzip"},
        {".html", "text/html; charset=utf-8"},
        {".jpeg", "image/jpeg"},
        {".jpg", "image/jpeg"},
        {".json", "application/json"},
        {".log", "text/plain; charset=utf-8"},
        {".md", "text/markdown; charset=utf-8"},
        {".mp3", "audio/mpeg"},
        {".mp4", "video/mp4"},
        {".pdf", "application/pdf"},
        {".png", "image/png"},
        {".svg", "image/svg+xml"},
        {".tar", "application/x-tar"},
        {".txt", "text/plain; charset=utf-8"},
        {".wav", "audio/wav"},
        {".webp", "image/webp"},
        {".xml", "application/xml"},
        {".zip", "application/zip"},
    };
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < ARRAY_LEN(types); i++) {
        if (strcasecmp(ending, types[i].ending) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* Of RFC 8187's attr-char, and of a quoted string without anything to escape. */
static bool is_plain(char letter)
{
    return isascii(letter) && (isalnum(letter) || strchr("-._~", letter) != NULL);
}

void request_add_disposition(struct http_request *request, const char *name)
{
    auto_buf struct buf value;
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    buf_init(&value, DISPOSITION_MAX);
    buf_add_text(&value, "attachment; filename=\"");
    for (const char *at = base; *at; at++)
        buf_add_char(&value, is_plain(*at) || *at == ' ' ? *at : '_');
    buf_add_text(&value, "\"; filename*=UTF-8''");
    for (const char *at = base; *at; at++) {
        if (is_plain(*at))
            buf_add_char(&value, *at);
        else
            buf_add_format(&value, "%%%02X", (unsigned char)*at);
    }
    http_add_header(request, "Content-Disposition", buf_text(&value));
    /* Whoever shows it all the same runs none of it as a page of ours. */
    http_add_header(request, "Content-Security-Policy", "default-src 'none'; sandbox");
}
