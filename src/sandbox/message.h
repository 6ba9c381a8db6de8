/* SPDX-License-Identifier: MIT */
/* message.h — what goes over the spawner's socket, to the byte.
 *
 * The closed table of requests is REQUEST_TABLE; each has a struct, which is
 * its one list of fields: struct, writer and reader all come from the list, so
 * that a field cannot be forgotten in one of them. A reader takes exactly the
 * bytes of the message, or refuses it; texts it returns point into the message.
 * Both ends are the same build on the same machine, so numbers go as they lie.
 *
 * A new request is a row in REQUEST_TABLE, a list of fields, and a handler in
 * spawner_requests.c.
 */
#ifndef RUNNEL_SANDBOX_MESSAGE_H
#define RUNNEL_SANDBOX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/slice.h"
#include "sandbox/layers.h"

/* Names the number of the front's socket in its environment. */
#define SPAWNER_SOCKET_VARIABLE "RUNNEL_SPAWNER"

/* The first message of a spawner. Later ones are struct sandbox_reply. */
struct report_message {
    struct layer_report report;
    char refusal[400]; /* why it will not serve; "" when it will */
};

enum {
    MESSAGE_SIZE_MAX = 128 * 1024, /* a plan with all its arguments and names */
    TEXTS_MAX = 4096,              /* texts of one list */
};

/* A list of texts: NULL-ended on both sides. */
typedef const char *const *texts_t;
typedef const char *text_t;
typedef struct limits limits_t;
typedef struct slice bytes_t;
typedef uint32_t u32_t;
typedef uint64_t u64_t;

/* clang-format off */
#define WORKSPACE_OPEN_FIELDS(X) \
    X(u64,    bytes)             \
    X(u64,    inodes)            \
    X(texts,  paths)  /* of the files … */ \
    X(bytes,  sizes)  /* … and uint64_t each: their bytes stand one behind the other in the passed file */

#define WORKSPACE_COLLECT_FIELDS(X) \
    X(text,   folder)               \
    X(u64,    max_files)            \
    X(u64,    max_bytes)

#define STAGE_START_FIELDS(X) \
    X(u32,    workspace)      \
    X(u32,    rootfs)         \
    X(u32,    flags)          \
    X(limits, limits)         \
    X(texts,  argv)           \
    X(texts,  env)

#define STAGE_SIGNAL_FIELDS(X) \
    X(u32,    signal)

#define NO_FIELDS(X)

#define SETTINGS_FIELDS(X)     \
    X(limits, ceiling)         \
    X(u32,    max_boxes)       \
    X(u32,    allow_missing)   \
    X(u32,    uid_base)        \
    X(u32,    front_uid)       /* of an earlier start; 0: none */ \
    X(text,   cgroup_root)     /* "" : below our own */ \
    X(texts,  etc)             \
    X(texts,  rootfs)          \
    X(bytes,  seccomp_program) \
    X(texts,  front_argv)      /* empty: the front is our parent */

/*    request            fields                   descriptors passed */
#define REQUEST_TABLE(X) \
    X(WORKSPACE_OPEN,    WORKSPACE_OPEN_FIELDS,   1) /* the files' bytes */ \
    X(WORKSPACE_CLOSE,   NO_FIELDS,               0) \
    X(WORKSPACE_COLLECT, WORKSPACE_COLLECT_FIELDS, 0) /* what its stages left there */ \
    X(STAGE_START,       STAGE_START_FIELDS,      3) /* stdin, stdout, stderr */ \
    X(STAGE_KILL,        NO_FIELDS,               0) \
    X(STAGE_SIGNAL,      STAGE_SIGNAL_FIELDS,     0) \
    X(STAGE_SAMPLE,      NO_FIELDS,               0) \
    X(STAGE_PROBE,       NO_FIELDS,               0) /* does it wait for its input? */
/* clang-format on */

enum { STAGE_FLAG_TTY = 1, STAGE_FLAG_WHOLE_PROC = 2, STAGE_FLAGS_ALL = 3 };

enum request_kind {
#define X(name, fields, fd_count) REQUEST_##name,
    REQUEST_TABLE(X)
#undef X
        REQUEST_KINDS
};

struct request_header {
    uint32_t kind; /* enum request_kind */
    uint32_t id;   /* of the workspace or stage */
};

#define MESSAGE_MEMBER(type, name) type##_t name;
struct workspace_open_message {
    WORKSPACE_OPEN_FIELDS(MESSAGE_MEMBER)
};
struct workspace_collect_message {
    WORKSPACE_COLLECT_FIELDS(MESSAGE_MEMBER)
};
struct stage_start_message {
    STAGE_START_FIELDS(MESSAGE_MEMBER)
};
struct stage_signal_message {
    STAGE_SIGNAL_FIELDS(MESSAGE_MEMBER)
};
struct settings_message {
    SETTINGS_FIELDS(MESSAGE_MEMBER)
};
#undef MESSAGE_MEMBER

/* Writes into [at, at + room). `failed` when it did not fit. */
struct message_writer {
    char *at;
    size_t len;
    size_t room;
    bool failed;
};

/* Reads from [at, end). `failed` on anything that is not as it must be. */
struct message_reader {
    const char *at;
    const char *end;
    const char **texts; /* room for the lists, TEXTS_MAX each list at most */
    size_t texts_room;
    bool failed;
};

void write_header(struct message_writer *to, enum request_kind kind, uint32_t id);
void write_workspace_open(struct message_writer *to, const struct workspace_open_message *message);
void write_workspace_collect(struct message_writer *to,
                             const struct workspace_collect_message *message);
void write_stage_start(struct message_writer *to, const struct stage_start_message *message);
void write_stage_signal(struct message_writer *to, const struct stage_signal_message *message);
void write_settings(struct message_writer *to, const struct settings_message *message);

/* 0, or -EBADMSG: bytes missing or left over, a text without its NUL, a list too long. */
int read_header(struct message_reader *from, struct request_header *ret_header);
int read_workspace_open(struct message_reader *from, struct workspace_open_message *ret_message);
int read_workspace_collect(struct message_reader *from,
                           struct workspace_collect_message *ret_message);
int read_stage_start(struct message_reader *from, struct stage_start_message *ret_message);
int read_stage_signal(struct message_reader *from, struct stage_signal_message *ret_message);
int read_settings(struct message_reader *from, struct settings_message *ret_message);
int read_end(const struct message_reader *from);

/* How many descriptors a request of this kind carries. */
size_t request_fd_count(enum request_kind kind);

#endif
