/* SPDX-License-Identifier: MIT */
/* json_write.h — JSON, appended to a buf. No tree, no allocation of its own.
 *
 *     struct json json = json_start(&buf);
 *     json_open_object(&json, NULL);
 *     json_text(&json, "verdict", "succeeded");
 *     json_close_object(&json);
 *
 * Commas and quotes come by themselves. A key is NULL inside an array and at
 * the top. Text must be valid UTF-8; what is not is written as U+FFFD, so the
 * result is always valid JSON. Failure is the buf's `failed`.
 */
#ifndef RUNNEL_CODEC_JSON_WRITE_H
#define RUNNEL_CODEC_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct json {
    struct buf *buf;
    bool comma; /* a value was written on this level */
};

struct json json_start(struct buf *buf);
void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);
void json_text(struct json *json, const char *key, const char *text); /* NULL text: null */
void json_slice(struct json *json, const char *key, struct slice text);
void json_u64(struct json *json, const char *key, uint64_t number);
/* null beyond what JavaScript counts exactly: for what is a name and not a quantity. */
void json_exact_u64(struct json *json, const char *key, uint64_t number);
void json_i64(struct json *json, const char *key, int64_t number);
void json_milli(struct json *json, const char *key, uint64_t milli); /* 1500 → 1.5 */
void json_bool(struct json *json, const char *key, bool value);
/* Members that were written before by these functions, without their object: "a":1,"b":2 */
void json_members(struct json *json, struct slice members);
/* A whole value that is JSON already. */
void json_value(struct json *json, const char *key, struct slice value);
void json_nothing(struct json *json, const char *key); /* null; jansson owns that name */

#endif
