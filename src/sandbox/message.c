/* SPDX-License-Identifier: MIT */
#include "sandbox/message.h"

#include <errno.h>
#include <string.h>

static void write_bytes_at(struct message_writer *to, const void *bytes, size_t len)
{
    if (to->failed || len > to->room - to->len) {
        to->failed = true;
        return;
    }
    if (len > 0)
        memcpy(to->at + to->len, bytes, len);
    to->len += len;
}

static void write_u32(struct message_writer *to, uint32_t value)
{
    write_bytes_at(to, &value, sizeof value);
}

static void write_u64(struct message_writer *to, uint64_t value)
{
    write_bytes_at(to, &value, sizeof value);
}

static void write_limits(struct message_writer *to, struct limits limits)
{
    write_bytes_at(to, &limits, sizeof limits);
}

static void write_bytes(struct message_writer *to, struct slice bytes)
{
    write_u64(to, bytes.len);
    write_bytes_at(to, bytes.at, bytes.len);
}

static void write_text(struct message_writer *to, const char *text)
{
    const char *safe = text ? text : "";
    write_bytes_at(to, safe, strlen(safe) + 1);
}

static void write_texts(struct message_writer *to, const char *const *texts)
{
    uint32_t count = 0;
    while (texts && texts[count])
        count++;
    write_u32(to, count);
    for (uint32_t i = 0; i < count; i++)
        write_text(to, texts[i]);
}

static void read_bytes_at(struct message_reader *from, void *bytes, size_t len)
{
    if (from->failed || len > (size_t)(from->end - from->at)) {
        from->failed = true;
        memset(bytes, 0, len);
        return;
    }
    memcpy(bytes, from->at, len);
    from->at += len;
}

static void read_u32(struct message_reader *from, uint32_t *ret_value)
{
    read_bytes_at(from, ret_value, sizeof *ret_value);
}

static void read_u64(struct message_reader *from, uint64_t *ret_value)
{
    read_bytes_at(from, ret_value, sizeof *ret_value);
}

static void read_limits(struct message_reader *from, struct limits *ret_limits)
{
    read_bytes_at(from, ret_limits, sizeof *ret_limits);
}

static void read_bytes(struct message_reader *from, struct slice *ret_bytes)
{
    uint64_t len = 0;
    read_u64(from, &len);
    *ret_bytes = (struct slice){from->at, 0};
    if (from->failed || len > (uint64_t)(from->end - from->at)) {
        from->failed = true;
        return;
    }
    ret_bytes->len = (size_t)len;
    from->at += len;
}

static void read_text(struct message_reader *from, const char **ret_text)
{
    *ret_text = "";
    const char *nul = from->failed ? NULL : memchr(from->at, '\0', (size_t)(from->end - from->at));
    if (!nul) {
        from->failed = true;
        return;
    }
    *ret_text = from->at;
    from->at = nul + 1;
}

static void read_texts(struct message_reader *from, const char *const **ret_texts)
{
    static const char *const none[] = {NULL};
    *ret_texts = none;
    uint32_t count = 0;
    read_u32(from, &count);
    if (from->failed || count > TEXTS_MAX || count + 1 > from->texts_room) {
        from->failed = true;
        return;
    }
    const char **texts = from->texts;
    for (uint32_t i = 0; i < count; i++)
        read_text(from, &texts[i]);
    texts[count] = NULL;
    from->texts += count + 1;
    from->texts_room -= count + 1;
    *ret_texts = texts;
}

void write_header(struct message_writer *to, enum request_kind kind, uint32_t id)
{
    struct request_header header = {.kind = kind, .id = id};
    write_bytes_at(to, &header, sizeof header);
}

int read_header(struct message_reader *from, struct request_header *ret_header)
{
    read_bytes_at(from, ret_header, sizeof *ret_header);
    return from->failed || ret_header->kind >= REQUEST_KINDS ? -EBADMSG : 0;
}

int read_end(const struct message_reader *from)
{
    return from->failed || from->at != from->end ? -EBADMSG : 0;
}

#define WRITE_FIELD(type, name) write_##type(to, message->name);
#define READ_FIELD(type, name) read_##type(from, &ret_message->name);
#define DEFINE_MESSAGE(message_name, FIELDS)                                \
    void write_##message_name(struct message_writer *to,                    \
                              const struct message_name##_message *message) \
    {                                                                       \
        FIELDS(WRITE_FIELD)                                                 \
    }                                                                       \
    int read_##message_name(struct message_reader *from,                    \
                            struct message_name##_message *ret_message)     \
    {                                                                       \
        FIELDS(READ_FIELD)                                                  \
        return read_end(from);                                              \
    }

DEFINE_MESSAGE(workspace_open, WORKSPACE_OPEN_FIELDS)
DEFINE_MESSAGE(workspace_collect, WORKSPACE_COLLECT_FIELDS)
DEFINE_MESSAGE(stage_start, STAGE_START_FIELDS)
DEFINE_MESSAGE(stage_signal, STAGE_SIGNAL_FIELDS)
DEFINE_MESSAGE(settings, SETTINGS_FIELDS)

size_t request_fd_count(enum request_kind kind)
{
    static const size_t counts[] = {
#define X(name, fields, fd_count) [REQUEST_##name] = (fd_count),
        REQUEST_TABLE(X)
#undef X
    };
    return counts[kind];
}
