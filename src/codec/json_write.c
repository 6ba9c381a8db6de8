/* SPDX-License-Identifier: MIT */
#include "codec/json_write.h"

#include "base/util.h"
#include "codec/utf8.h"

/* Enough for the 20 digits of UINT64_MAX, a sign and a NUL. */
#define NUMBER_ROOM 24
#define EXACT_MAX 9007199254740991 /* 2^53 - 1 */

enum { PLAIN, ESCAPED, HIGH };

static int kind_of(char byte)
{
    unsigned char code = (unsigned char)byte;
    if (code >= 0x80)
        return HIGH;
    return code < 0x20 || code == '"' || code == '\\' ? ESCAPED : PLAIN;
}

static void add_escaped(struct buf *buf, char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[][2] = {{'"', '"'},  {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'},
                                     {'\t', 't'}, {'\b', 'b'},  {'\f', 'f'}};
    for (size_t i = 0; i < ARRAY_LEN(shorts); i++) {
        if (shorts[i][0] == byte) {
            buf_add(buf, (const char[]){'\\', shorts[i][1]}, 2);
            return;
        }
    }
    buf_add(buf, (const char[]){'\\', 'u', '0', '0', hex[byte >> 4 & 0xF], hex[byte & 0xF]}, 6);
}

/* Bytes of one kind are added as one run: most texts are a single plain one. What there is no
 * room for is not looked at. */
static void add_string(struct buf *buf, struct slice text)
{
    buf_add_char(buf, '"');
    size_t at = 0;
    while (at < text.len && !buf->failed) {
        int kind = kind_of(text.at[at]);
        size_t end = at + 1;
        if (kind == ESCAPED) {
            add_escaped(buf, text.at[at++]);
            continue;
        }
        while (end < text.len && kind_of(text.at[end]) == kind)
            end++;
        if (kind == HIGH)
            utf8_append_clean(buf, (struct slice){text.at + at, end - at}, true);
        else
            buf_add(buf, text.at + at, end - at);
        at = end;
    }
    buf_add_char(buf, '"');
}

static void add_digits(struct buf *buf, uint64_t number)
{
    char digits[NUMBER_ROOM];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_add(buf, digits + at, sizeof digits - at);
}

/* The comma and the key before a value. */
static void start_value(struct json *json, const char *key)
{
    if (json->comma)
        buf_add_char(json->buf, ',');
    json->comma = true;
    if (!key)
        return;
    add_string(json->buf, slice_of(key));
    buf_add_char(json->buf, ':');
}

static void open_level(struct json *json, const char *key, char bracket)
{
    start_value(json, key);
    buf_add_char(json->buf, bracket);
    json->comma = false;
}

static void close_level(struct json *json, char bracket)
{
    buf_add_char(json->buf, bracket);
    json->comma = true;
}

struct json json_start(struct buf *buf)
{
    return (struct json){.buf = buf};
}

void json_open_object(struct json *json, const char *key)
{
    open_level(json, key, '{');
}

void json_close_object(struct json *json)
{
    close_level(json, '}');
}

void json_open_array(struct json *json, const char *key)
{
    open_level(json, key, '[');
}

void json_close_array(struct json *json)
{
    close_level(json, ']');
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (text)
        json_slice(json, key, slice_of(text));
    else
        json_nothing(json, key);
}

void json_slice(struct json *json, const char *key, struct slice text)
{
    start_value(json, key);
    add_string(json->buf, text);
}

void json_u64(struct json *json, const char *key, uint64_t number)
{
    start_value(json, key);
    add_digits(json->buf, number);
}

void json_exact_u64(struct json *json, const char *key, uint64_t number)
{
    if (number > EXACT_MAX)
        json_nothing(json, key);
    else
        json_u64(json, key, number);
}

void json_i64(struct json *json, const char *key, int64_t number)
{
    start_value(json, key);
    if (number < 0)
        buf_add_char(json->buf, '-');
    add_digits(json->buf, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void json_milli(struct json *json, const char *key, uint64_t milli)
{
    start_value(json, key);
    add_digits(json->buf, milli / 1000);
    char fraction[] = {'.', (char)('0' + milli / 100 % 10), (char)('0' + milli / 10 % 10),
                       (char)('0' + milli % 10)};
    size_t len = sizeof fraction;
    while (len > 1 && fraction[len - 1] == '0')
        len--;
    if (len > 1)
        buf_add(json->buf, fraction, len);
}

void json_bool(struct json *json, const char *key, bool value)
{
    start_value(json, key);
    buf_add_text(json->buf, value ? "true" : "false");
}

void json_nothing(struct json *json, const char *key)
{
    start_value(json, key);
    buf_add_text(json->buf, "null");
}

void json_members(struct json *json, struct slice members)
{
    if (members.len == 0)
        return;
    start_value(json, NULL);
    buf_add_slice(json->buf, members);
}

void json_value(struct json *json, const char *key, struct slice value)
{
    start_value(json, key);
    buf_add_slice(json->buf, value);
}
