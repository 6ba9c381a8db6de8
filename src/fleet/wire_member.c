/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fleet/wire_private.h"

enum { MEMBER_MAX_BYTES = 4096 };

struct number {
    const char *name;
    size_t at;
};

#define AT(name) offsetof(struct member, name)
static const struct number numbers[] = {
    {"memory_bytes", AT(memory_bytes)}, {"promised_bytes", AT(promised_bytes)},
    {"load_milli", AT(load_milli)},     {"service_ms", AT(service_ms)},
    {"started_ms", AT(started_ms)},     {"last_seen_ms", AT(last_seen_ms)},
};

static const char *const kinds[] = {"front", "worker", NULL};

static void write_languages(struct json *json, const char *names)
{
    json_open_array(json, "languages");
    while (*names) {
        size_t len = strcspn(names, " ");
        if (len > 0)
            json_slice(json, NULL, (struct slice){names, len});
        names += len + (names[len] == ' ');
    }
    json_close_array(json);
}

int member_encode(const struct member *member, struct buf *text)
{
    struct json json = json_start(text);
    json_open_object(&json, NULL);
    wire_write_version(&json);
    json_text(&json, "kind", kinds[member->is_worker]);
    json_text(&json, "name", member->name);
    json_text(&json, "host", member->host);
    json_text(&json, "version", member->version);
    if (member->lock[0])
        json_text(&json, "lock", member->lock);
    json_u64(&json, "slots", member->slots);
    json_u64(&json, "running", member->running);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        wire_write_u64(&json, numbers[i].name,
                       *(const uint64_t *)((const char *)member + numbers[i].at));
    json_bool(&json, "draining", member->draining);
    if (member->without_broker)
        json_bool(&json, "without_broker", true);
    write_languages(&json, member->languages);
    json_close_object(&json);
    return text->failed ? -1 : 0;
}

/* Names with blanks between them; more than there is room for are left out. */
static int read_languages(const json_t *tree, char *names, size_t size, struct err *err)
{
    const json_t *array;
    size_t used = 0;
    int found = wire_read_array(tree, "languages", &array, err);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *name = json_string_value(json_array_get(array, i));
        size_t len = name ? strlen(name) : 0;
        if (len == 0 || strpbrk(name, " \t\r\n\x1b"))
            return err_field(err, "languages", "name %zu is no language's", i + 1);
        if (used + len + 2 > size)
            break;
        if (used > 0)
            names[used++] = ' ';
        memcpy(names + used, name, len + 1);
        used += len;
    }
    return found;
}

static int read_member(const json_t *tree, struct member *member, struct err *err)
{
    unsigned kind = 0;
    int name = wire_read_name(tree, "name", member->name, sizeof member->name, err);
    int has_kind = name < 0 ? -1 : wire_read_word(tree, "kind", kinds, &kind, err);
    if (has_kind < 0 || wire_read_name(tree, "host", member->host, sizeof member->host, err) < 0 ||
        wire_read_name(tree, "version", member->version, sizeof member->version, err) < 0 ||
        wire_read_name(tree, "lock", member->lock, sizeof member->lock, err) < 0 ||
        wire_read_unsigned(tree, "slots", &member->slots, err) < 0 ||
        wire_read_unsigned(tree, "running", &member->running, err) < 0 ||
        json_read_bool(tree, "draining", &member->draining, err) < 0 ||
        json_read_bool(tree, "without_broker", &member->without_broker, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint64_t *number = (uint64_t *)((char *)member + numbers[i].at);
        if (wire_read_u64(tree, numbers[i].name, UINT64_MAX, number, err) < 0)
            return -1;
    }
    if (name == 0 || has_kind == 0)
        return err_field(err, name == 0 ? "name" : "kind", "name and kind must be there");
    member->is_worker = kind == 1;
    return read_languages(tree, member->languages, sizeof member->languages, err);
}

int member_decode(struct slice text, struct member *ret_member, struct err *err)
{
    struct member member = {0};
    auto_json json_t *tree = wire_read_object(text, MEMBER_MAX_BYTES, err);
    if (!tree || read_member(tree, &member, err) < 0)
        return err_wrap(err, "not a member");
    *ret_member = member;
    return 0;
}
