/* SPDX-License-Identifier: MIT */
#include "observe/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "codec/json_write.h"

/* Small enough for one atomic write to a pipe (PIPE_BUF) or to syslog, large
 * enough for any sentence. */
#define LINE_MAX_BYTES (4 * KIB)
static const char truncation_mark[] = ",\"truncated\":true}\n";

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
static_assert(ARRAY_LEN(level_names) == LOG_LEVEL_COUNT, "the last level has no name");

static log_sink *line_sink;
static enum log_level line_level = LOG_INFO;

void log_set_sink(log_sink *sink)
{
    line_sink = sink;
}

void log_set_level(enum log_level level)
{
    line_level = level;
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
    for (enum log_level level = 0; level < LOG_LEVEL_COUNT; level++) {
        if (strcmp(level_names[level], name) == 0) {
            *ret_level = level;
            return 0;
        }
    }
    return -EINVAL;
}

static void add_time(struct json *json)
{
    struct timespec now;
    struct tm utc;
    char text[40];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &utc))
        return;
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + len, sizeof text - len, ".%03ldZ", now.tv_nsec / 1000000);
    json_text(json, "time", text);
}

static void add_field(struct json *json, const struct log_field *field, size_t text_len)
{
    switch (field->kind) {
    case LOG_KIND_TEXT:
        if (field->text)
            json_slice(json, field->key, (struct slice){field->text, text_len});
        else
            json_nothing(json, field->key);
        break;
    case LOG_KIND_U64:
        json_u64(json, field->key, field->number);
        break;
    case LOG_KIND_I64:
        json_i64(json, field->key, (int64_t)field->number);
        break;
    case LOG_KIND_END:
        break;
    }
}

/* Half of it, not cut inside a character. */
static size_t shorten(const char *text, size_t len)
{
    len /= 2;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    return len;
}

/* Appends the field, a long text as much of it as fits; false when not all of
 * it did. A line cut in the middle would not be JSON any more. */
static bool add_what_fits(struct json *json, const struct log_field *field)
{
    struct buf *buf = json->buf;
    size_t len_before = buf->len;
    bool comma_before = json->comma;
    size_t whole = field->kind == LOG_KIND_TEXT && field->text ? strlen(field->text) : 0;
    size_t len = whole;
    for (;;) {
        add_field(json, field, len);
        if (!buf->failed)
            return len == whole;
        buf->len = len_before;
        buf->failed = false;
        json->comma = comma_before;
        if (len == 0)
            return false;
        len = shorten(field->text, len);
    }
}

void log_event(enum log_level level, const char *event, ...)
{
    if (!line_sink || level > line_level)
        return;
    auto_buf struct buf line;
    buf_init(&line, LINE_MAX_BYTES - strlen(truncation_mark));
    struct json json = json_start(&line);
    json_open_object(&json, NULL);
    add_time(&json);
    json_text(&json, "level", level_names[level]);
    bool whole = add_what_fits(&json, &LOG_TEXT("event", event));

    va_list fields;
    va_start(fields, event);
    for (;;) {
        struct log_field field = va_arg(fields, struct log_field);
        if (field.kind == LOG_KIND_END)
            break;
        whole = add_what_fits(&json, &field) && whole;
    }
    va_end(fields);

    line.max = LINE_MAX_BYTES;
    buf_add_text(&line, whole ? "}\n" : truncation_mark);
    if (!line.failed)
        line_sink(buf_text(&line), line.len);
}
