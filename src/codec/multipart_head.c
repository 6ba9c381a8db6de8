/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "codec/multipart_private.h"
#include "codec/utf8.h"

#define UNNAMED "file"

static bool starts_with(struct slice text, const char *start)
{
    size_t len = strlen(start);
    return text.len >= len && strncasecmp(text.at, start, len) == 0;
}

static bool is_word(struct slice text, const char *word)
{
    return text.len == strlen(word) && starts_with(text, word);
}

static struct slice skip(struct slice text, size_t count)
{
    return (struct slice){text.at + count, text.len - count};
}

static struct slice skip_blanks(struct slice text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = skip(text, 1);
    return text;
}

static struct slice trim(struct slice text)
{
    text = skip_blanks(text);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Up to the first of these characters, or all. */
static struct slice take_until(struct slice *text, const char *ends)
{
    size_t len = 0;
    while (len < text->len && !strchr(ends, text->at[len]))
        len++;
    struct slice taken = {text->at, len};
    *text = skip(*text, len);
    return taken;
}

/* RFC 9110's tchar. */
static bool is_token(struct slice text)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < text.len; i++)
        if (!text.at[i] || !strchr(allowed, text.at[i]))
            return false;
    return text.len > 0;
}

/* --- parameters: ; name=value; name="value" --- */

struct parameter {
    struct slice name;
    struct slice value; /* between the quotes, not decoded */
};

/* A quoted value's end. `\"` and `\\` are one character (curl and Go write them); any
 * other backslash is itself (browsers do not escape). */
static bool take_quoted(struct slice *text, struct slice *ret_value)
{
    size_t i = 1;
    while (i < text->len && text->at[i] != '"') {
        bool escapes = text->at[i] == '\\' && i + 1 < text->len &&
                       (text->at[i + 1] == '"' || text->at[i + 1] == '\\');
        i += escapes ? 2 : 1;
    }
    if (i >= text->len)
        return false;
    *ret_value = (struct slice){text->at + 1, i - 1};
    *text = skip(*text, i + 1);
    return true;
}

/* 1: there is one; 0: there is none any more; -1: it is malformed. */
static int take_parameter(struct slice *text, struct parameter *ret_parameter)
{
    *text = skip_blanks(*text);
    if (text->len == 0)
        return 0;
    if (text->at[0] != ';')
        return -1;
    *text = skip_blanks(skip(*text, 1));
    if (text->len == 0)
        return 0;
    ret_parameter->name = take_until(text, "=; \t");
    if (!is_token(ret_parameter->name) || text->len == 0 || text->at[0] != '=')
        return -1;
    *text = skip(*text, 1);
    if (text->len > 0 && text->at[0] == '"')
        return take_quoted(text, &ret_parameter->value) ? 1 : -1;
    ret_parameter->value = take_until(text, "; \t\"");
    return ret_parameter->value.len > 0 ? 1 : -1;
}

/* --- the boundary --- */

static bool boundary_valid(struct slice boundary)
{
    static const char allowed[] = "'()+_,-./:=? 0123456789"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (boundary.len == 0 || boundary.len >= MULTIPART_BOUNDARY_SIZE ||
        boundary.at[boundary.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < boundary.len; i++)
        if (!strchr(allowed, boundary.at[i]))
            return false;
    return true;
}

int multipart_boundary(const char *content_type, char ret_boundary[static MULTIPART_BOUNDARY_SIZE])
{
    struct slice text = skip_blanks(slice_of(content_type));
    struct slice boundary = {0};
    if (!is_word(take_until(&text, "; \t"), "multipart/form-data"))
        return -EMEDIUMTYPE;
    for (;;) {
        struct parameter parameter;
        int rc = take_parameter(&text, &parameter);
        if (rc < 0)
            return -EINVAL;
        if (rc == 0)
            break;
        if (!is_word(parameter.name, "boundary"))
            continue;
        if (boundary.at)
            return -EINVAL;
        boundary = parameter.value;
    }
    if (!boundary.at || !boundary_valid(boundary))
        return -EINVAL;
    memcpy(ret_boundary, boundary.at, boundary.len);
    ret_boundary[boundary.len] = '\0';
    return 0;
}

/* --- a part's headers --- */

static bool is_percent(struct slice text, const char *code)
{
    return starts_with(text, code);
}

/* In place: it only gets shorter. */
static struct slice decode(char *head, struct slice value)
{
    char *start = head + (value.at - head);
    char *out = start;
    while (value.len > 0) {
        size_t used = 1;
        char byte = value.at[0];
        if (byte == '\\' && value.len > 1 && (value.at[1] == '"' || value.at[1] == '\\')) {
            byte = value.at[1];
            used = 2;
        } else if (is_percent(value, "%22") || is_percent(value, "%0d") ||
                   is_percent(value, "%0a")) {
            byte = value.at[1] == '2' ? '"' : (value.at[2] | 0x20) == 'd' ? '\r' : '\n';
            used = 3;
        }
        *out++ = byte;
        value = skip(value, used);
    }
    return (struct slice){start, (size_t)(out - start)};
}

/* filename* is left alone, as RFC 7578 says, and as browsers do. */
static const char *read_disposition(char *head, struct slice value, struct multipart_part *part)
{
    if (part->name.at)
        return "a part has two Content-Disposition";
    if (!is_word(take_until(&value, "; \t"), "form-data"))
        return "a part's Content-Disposition is not form-data";
    for (;;) {
        struct parameter parameter;
        int rc = take_parameter(&value, &parameter);
        if (rc < 0)
            return "a part's Content-Disposition is malformed";
        if (rc == 0)
            return part->name.at ? NULL : "a part has no name";
        struct slice *wanted = is_word(parameter.name, "name")       ? &part->name
                               : is_word(parameter.name, "filename") ? &part->filename
                                                                     : NULL;
        if (wanted && wanted->at)
            return "a part's name stands there twice";
        if (wanted)
            *wanted = decode(head, parameter.value);
    }
}

static const char *read_type(struct slice value, struct multipart_part *part)
{
    if (part->content_type.at)
        return "a part has two Content-Type";
    if (starts_with(value, "multipart/"))
        return "a part is a multipart itself, which is not taken";
    part->content_type = value;
    return NULL;
}

static const char *read_encoding(struct slice value)
{
    if (is_word(value, "7bit") || is_word(value, "8bit") || is_word(value, "binary"))
        return NULL;
    return "a part is encoded, which is not taken";
}

static const char *read_header(char *head, struct slice line, struct multipart_part *part)
{
    const char *colon = memchr(line.at, ':', line.len);
    struct slice name = {line.at, colon ? (size_t)(colon - line.at) : 0};
    if (!is_token(name))
        return "a part's header is malformed, or folded";
    struct slice value = trim(skip(line, name.len + 1));
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.at[i] < 0x20 && value.at[i] != '\t') || value.at[i] == 0x7F)
            return "there is a control character in a part's header";
    if (is_word(name, "Content-Disposition"))
        return read_disposition(head, value, part);
    if (is_word(name, "Content-Type"))
        return read_type(value, part);
    if (is_word(name, "Content-Transfer-Encoding"))
        return read_encoding(value);
    return NULL;
}

const char *multipart_read_head(char *head, size_t len, struct multipart_part *ret_part)
{
    struct slice rest = {head, len};
    *ret_part = (struct multipart_part){0};
    for (size_t count = 0; rest.len > 0; count++) {
        const char *end = memchr(rest.at, '\r', rest.len);
        struct slice line = {rest.at, (size_t)(end - rest.at)};
        if (count == MULTIPART_HEADERS_MAX)
            return "a part has too many headers";
        rest = skip(rest, line.len + 2);
        const char *refusal = read_header(head, line, ret_part);
        if (refusal)
            return refusal;
    }
    return ret_part->name.at ? NULL : "a part has no Content-Disposition";
}

/* --- the name of a file --- */

/* C0, DEL, C1, line and paragraph separators, and what turns the writing. */
static bool is_steering(unsigned character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
           (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069);
}

static unsigned character_of(const char *at, int len)
{
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned character = (unsigned char)at[0] & masks[len];
    for (int i = 1; i < len; i++)
        character = character << 6 | ((unsigned char)at[i] & 0x3F);
    return character;
}

/* Takes one character off the text, and writes it as it may stand; returns its length. */
static size_t clean_character(struct slice *text, char out[static 4])
{
    int len = utf8_length(*text);
    unsigned character =
        len > 0 ? character_of(text->at, len) : (unsigned char)text->at[0]; /* Latin-1 */
    size_t used = len > 0 ? (size_t)len : 1;
    const char *at = text->at;
    *text = skip(*text, used);
    if (is_steering(character)) {
        out[0] = '_';
        return 1;
    }
    if (len > 0) {
        memcpy(out, at, used);
        return used;
    }
    out[0] = (char)(0xC0 | character >> 6);
    out[1] = (char)(0x80 | (character & 0x3F));
    return 2;
}

void multipart_file_name(struct slice sent, char ret_name[static MULTIPART_FILE_NAME_SIZE])
{
    size_t start = sent.len;
    while (start > 0 && sent.at[start - 1] != '/' && sent.at[start - 1] != '\\')
        start--;
    if (start > 0)
        sent = skip(sent, start);
    size_t len = 0;
    while (sent.len > 0) {
        char character[4];
        size_t size = clean_character(&sent, character);
        if (len + size >= MULTIPART_FILE_NAME_SIZE)
            break;
        memcpy(ret_name + len, character, size);
        len += size;
    }
    ret_name[len] = '\0';
    if (len == 0 || strcmp(ret_name, ".") == 0 || strcmp(ret_name, "..") == 0)
        memcpy(ret_name, UNNAMED, sizeof UNNAMED);
}
