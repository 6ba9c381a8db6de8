/* SPDX-License-Identifier: MIT */
/* JSON that strangers send, and text that goes into ours: what is read is as its type says;
 * what is written of any bytes is valid JSON of valid UTF-8, and reads back as cleaned. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "codec/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_fields(const json_t *object)
{
    static const char *const fields[] = {"type", "data", "language", "code", "limits", "id"};
    struct slice text = {0};
    struct limits limits = {0};
    struct err err = {0};
    uint64_t number = 0;
    bool yes = false;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        int rc = json_read_text(object, fields[i], &text, &err);
        assert(rc != 1 || (utf8_valid(text) && !memchr(text.at, '\0', text.len)));
        assert(rc != -1 || err.text[0]);
        (void)json_read_u64(object, fields[i], &number, &err);
        (void)json_read_bool(object, fields[i], &yes, &err);
    }
    if (json_read_limits(object, "limits", &limits, &err) != 1)
        return;
    for (int i = 0; i < LIMIT_KINDS; i++) {
        const struct limit_info *info = limit_info((enum limit)i);
        assert(limits.value[i] == 0 ||
               (limits.value[i] >= info->smallest && limits.value[i] <= info->largest));
    }
}

/* What the strict readers take is the same for the lenient ones, which take more. */
static void read_leniently(struct slice text, const json_t *strict)
{
    struct err err = {0};
    struct slice data = {0};
    auto_json json_t *object = json_read_lenient_object(text, &err);
    assert(object || err.text[0]);
    assert(!strict || json_equal(strict, object));
    assert(json_read_text(object, "data", &data, NULL) != 1 || utf8_valid(data));
    auto_json json_t *array = json_read_lenient_array(text, NULL);
    assert(!array || !object);
}

static void read_json(struct slice text)
{
    struct err err = {0};
    auto_json json_t *object = json_read_object(text, &err);
    assert(object || err.text[0]);
    if (object)
        read_fields(object);
    auto_json json_t *array = json_read_array(text, NULL);
    assert(!array || !object);
    read_leniently(text, object);
}

/* In two pieces as well as in one. */
static void clean(struct slice bytes, size_t cut, struct buf *out)
{
    auto_buf struct buf pieces;
    buf_init(&pieces, SIZE_MAX / 2);
    assert(utf8_append_clean(out, bytes, true) == bytes.len);
    size_t used = utf8_append_clean(&pieces, (struct slice){bytes.at, cut}, false);
    assert(used <= cut && cut - used < 4);
    (void)utf8_append_clean(&pieces, (struct slice){bytes.at + used, bytes.len - used}, true);
    assert(utf8_valid(buf_slice(out)) && slice_equal(buf_slice(out), buf_slice(&pieces)));
    assert(!utf8_valid(bytes) || slice_equal(bytes, buf_slice(out)));
}

static void write_json(struct slice bytes)
{
    char sentence[64];
    auto_buf struct buf cleaned;
    auto_buf struct buf written;
    buf_init(&cleaned, SIZE_MAX / 2);
    buf_init(&written, SIZE_MAX / 2);
    clean(bytes, bytes.len / 2, &cleaned);
    struct json json = json_start(&written);
    json_open_object(&json, NULL);
    json_slice(&json, "data", bytes);
    json_u64(&json, "id", bytes.len);
    json_close_object(&json);
    assert(!memchr(written.at, '\n', written.len));
    struct slice again = {0};
    auto_json json_t *object = json_read_lenient_object(buf_slice(&written), NULL);
    assert(object && json_read_text(object, "data", &again, NULL) == 1);
    assert(slice_equal(again, buf_slice(&cleaned)));
    assert(utf8_valid(slice_of(utf8_for_people(sentence, sizeof sentence, bytes))));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = {(const char *)bytes, size};
    if (size == 0)
        return 0;
    read_json(text);
    write_json(text);
    return 0;
}
