/* SPDX-License-Identifier: MIT */
/* log.h — one JSON line per event, to a sink that `cli` plugs in.
 *
 *     log_event(LOG_INFO, "run_finished", LOG_TEXT("run", id), LOG_U64("wall_ms", 12), LOG_END);
 *
 * →
 * {"time":"2026-01-02T03:04:05.678Z","level":"info","event":"run_finished","run":"…","wall_ms":12}
 *
 * Values are escaped, so no text of a client can make a second line. A line has
 * at most 4 KiB: what is too long is shortened, and "truncated":true says so.
 * Never pass source code, input, output or keys.
 */
#ifndef RUNNEL_OBSERVE_LOG_H
#define RUNNEL_OBSERVE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT };

enum log_kind { LOG_KIND_END, LOG_KIND_TEXT, LOG_KIND_U64, LOG_KIND_I64 };
struct log_field {
    enum log_kind kind;
    const char *key;
    const char *text;
    uint64_t number;
};
#define LOG_TEXT(key_, text_)             \
    (struct log_field)                    \
    {                                     \
        LOG_KIND_TEXT, (key_), (text_), 0 \
    }
#define LOG_U64(key_, number_)                \
    (struct log_field)                        \
    {                                         \
        LOG_KIND_U64, (key_), NULL, (number_) \
    }
#define LOG_I64(key_, number_)                          \
    (struct log_field)                                  \
    {                                                   \
        LOG_KIND_I64, (key_), NULL, (uint64_t)(number_) \
    }
#define LOG_END                     \
    (struct log_field)              \
    {                               \
        LOG_KIND_END, NULL, NULL, 0 \
    }

/* Writes one whole line, its line break included. Default: none, so that modules may log in tests.
 */
typedef void log_sink(const char *line, unsigned long len);
void log_set_sink(log_sink *sink);
void log_set_level(enum log_level level);
int log_level_parse(const char *name, enum log_level *ret_level); /* 0 or -EINVAL */

void log_event(enum log_level level, const char *event, ...); /* fields, then LOG_END */

#endif
