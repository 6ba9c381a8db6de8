/* SPDX-License-Identifier: MIT */
/* wire_fields.c — fields of the fleet's JSON. Stricter than what clients may send
 * (codec/json_read.h): whoever wrote it is one of us, or means ill. */
#include <inttypes.h>
#include <limits.h>
#include <nettle/base64.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/utf8.h"
#include "fleet/wire_private.h"

static const char version_field[] = "fleet_version";

void wire_write_version(struct json *json)
{
    json_u64(json, version_field, FLEET_VERSION);
}

json_t *wire_read_object(struct slice text, size_t max, struct err *err)
{
    uint64_t version = 0;
    if (text.len > max) {
        (void)err_set(err, ERR_TOO_LARGE, "it is longer than %zu bytes", max);
        return NULL;
    }
    auto_json json_t *tree = json_read_large_object(text, err);
    if (!tree)
        return NULL;
    int found = wire_read_u64(tree, version_field, UINT64_MAX, &version, err);
    if (found == 0)
        (void)err_field(err, version_field, "%s is missing", version_field);
    if (found <= 0)
        return NULL;
    if (version != FLEET_VERSION) {
        (void)err_set(err, ERR_MISMATCH,
                      "it is of version %" PRIu64 ", and %d is the one known here", version,
                      FLEET_VERSION);
        return NULL;
    }
    return take_ptr(&tree);
}

/* --- bytes --- */

/* JSON could say all of it, in fewer bytes than base64. */
static bool is_better_as_text(struct slice bytes)
{
    size_t escapes = 0; /* what they add, at most */
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        if (byte == '\0')
            return false;
        if (byte == '"' || byte == '\\' || byte == '\n' || byte == '\t' || byte == '\r')
            escapes += 1;
        else if (byte < 0x20)
            escapes += 5;
    }
    return escapes <= bytes.len / 3 + 8 && utf8_valid(bytes);
}

void wire_write_bytes(struct json *json, const char *key, struct slice bytes)
{
    if (is_better_as_text(bytes)) {
        json_slice(json, key, bytes);
        return;
    }
    json_open_object(json, key);
    json_value(json, "base64", slice_of("\"")); /* the quote that opens; all is written in place */
    size_t len = BASE64_ENCODE_RAW_LENGTH(bytes.len);
    char *room = buf_reserve(json->buf, len);
    if (room) {
        base64_encode_raw(room, bytes.len, (const uint8_t *)bytes.at);
        buf_commit(json->buf, len);
    }
    buf_add_char(json->buf, '"');
    json_close_object(json);
}

static int decode_base64(const json_t *text, const char *field, struct wire_space *space,
                         struct slice *ret_bytes, struct err *err)
{
    struct base64_decode_ctx base64;
    size_t len = json_string_length(text);
    size_t room = BASE64_DECODE_LENGTH(len);
    char *bytes = wire_space_take(space, room + 1, 1, err);
    if (!bytes)
        return -1;
    base64_decode_init(&base64);
    if (!base64_decode_update(&base64, &room, (uint8_t *)bytes, len, json_string_value(text)) ||
        !base64_decode_final(&base64))
        return err_field(err, field, "%s is not base64", field);
    bytes[room] = '\0';
    *ret_bytes = (struct slice){bytes, room};
    return 0;
}

int wire_take_bytes(const json_t *value, const char *field, struct wire_space *space,
                    struct slice *ret_bytes, struct err *err)
{
    const json_t *base64 = json_object_get(value, "base64");
    if (json_is_string(value)) {
        *ret_bytes = (struct slice){json_string_value(value), json_string_length(value)};
        return 0;
    }
    if (!json_is_string(base64))
        return err_field(err, field, "%s must be a text or {\"base64\": …}", field);
    return decode_base64(base64, field, space, ret_bytes, err);
}

int wire_take_text(const json_t *value, const char *field, struct wire_space *space,
                   const char **ret_text, struct err *err)
{
    struct slice bytes = {0};
    if (wire_take_bytes(value, field, space, &bytes, err) < 0)
        return -1;
    if (bytes.len > 0 && memchr(bytes.at, '\0', bytes.len))
        return err_field(err, field, "%s holds a NUL", field);
    *ret_text = bytes.at;
    return 0;
}

/* NULL when absent or null. */
static const json_t *find(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return value && !json_is_null(value) ? value : NULL;
}

int wire_read_bytes(const json_t *object, const char *field, struct wire_space *space,
                    struct slice *ret_bytes, struct err *err)
{
    const json_t *value = find(object, field);
    if (!value)
        return 0;
    return wire_take_bytes(value, field, space, ret_bytes, err) < 0 ? -1 : 1;
}

int wire_read_text(const json_t *object, const char *field, struct wire_space *space,
                   const char **ret_text, struct err *err)
{
    const json_t *value = find(object, field);
    if (!value)
        return 0;
    return wire_take_text(value, field, space, ret_text, err) < 0 ? -1 : 1;
}

/* --- numbers and words --- */

void wire_write_u64(struct json *json, const char *key, uint64_t number)
{
    char digits[24];
    if (number <= INT64_MAX) {
        json_u64(json, key, number);
        return;
    }
    (void)snprintf(digits, sizeof digits, "%" PRIu64, number);
    json_text(json, key, digits);
}

int wire_read_u64(const json_t *object, const char *field, uint64_t max, uint64_t *ret_number,
                  struct err *err)
{
    const json_t *value = find(object, field);
    uint64_t number = 0;
    if (!value)
        return 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        number = (uint64_t)json_integer_value(value);
    else if (!json_is_string(value) || parse_u64(json_string_value(value), &number) < 0)
        return err_field(err, field, "%s must be a whole number that is not negative", field);
    if (number > max)
        return err_field(err, field, "%s is too large", field);
    *ret_number = number;
    return 1;
}

int wire_read_unsigned(const json_t *object, const char *field, unsigned *ret_number,
                       struct err *err)
{
    uint64_t number = 0;
    int found = wire_read_u64(object, field, UINT_MAX, &number, err);
    if (found > 0)
        *ret_number = (unsigned)number;
    return found;
}

int wire_read_word(const json_t *object, const char *field, const char *const *words,
                   unsigned *ret_word, struct err *err)
{
    struct slice text = {0};
    int found = json_read_text(object, field, &text, err);
    if (found <= 0)
        return found;
    for (unsigned i = 0; words[i]; i++) {
        if (slice_is(text, words[i])) {
            *ret_word = i;
            return 1;
        }
    }
    return err_field(err, field, "%s is none of those that are known here", field);
}

int wire_read_name(const json_t *object, const char *field, char *name, size_t size,
                   struct err *err)
{
    struct slice text = {0};
    int found = json_read_text(object, field, &text, err);
    if (found <= 0 || text.len == 0)
        return MIN(found, 0);
    if (text.len >= size)
        return err_field(err, field, "%s has more than %zu characters", field, size - 1);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return err_field(err, field, "%s has characters that no name has", field);
    }
    memcpy(name, text.at, text.len);
    name[text.len] = '\0';
    return 1;
}

int wire_read_sentence(const json_t *object, const char *field, char *text, size_t size,
                       struct err *err)
{
    struct slice sentence = {0};
    int found = json_read_text(object, field, &sentence, err);
    if (found > 0)
        utf8_for_people(text, size, sentence);
    return found;
}

int wire_read_array(const json_t *object, const char *field, const json_t **ret_array,
                    struct err *err)
{
    const json_t *value = find(object, field);
    *ret_array = NULL;
    if (!value)
        return 0;
    if (!json_is_array(value))
        return err_field(err, field, "%s must be an array", field);
    *ret_array = value;
    return 1;
}

/* --- space --- */

size_t wire_array_size(const json_t *object, const char *field, size_t item_size)
{
    return (json_array_size(json_object_get(object, field)) + 1) * item_size + alignof(max_align_t);
}

void *wire_space_make(struct wire_space *space, size_t size, size_t text_len, struct err *err)
{
    space->left = size + text_len;
    space->at = malloc(space->left);
    if (!space->at)
        (void)err_sys(err, errno, "cannot read it");
    return space->at;
}

void *wire_space_take(struct wire_space *space, size_t count, size_t item_size, struct err *err)
{
    size_t align = item_size > 1 ? alignof(max_align_t) : 1;
    size_t skipped = (align - (uintptr_t)space->at % align) % align;
    size_t size = count * item_size + skipped;
    if (size > space->left) {
        (void)err_set(err, ERR_INTERNAL, "it is larger than it was measured");
        return NULL;
    }
    void *piece = space->at + skipped;
    space->at += size;
    space->left -= size;
    return piece;
}
