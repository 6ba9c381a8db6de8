/* SPDX-License-Identifier: MIT */
/* json_read.h — strict JSON in (jansson), and fields taken from it by name.
 *
 * Refused: duplicate keys, invalid UTF-8, lone surrogates, NUL in a text, a
 * depth over 32, more than 65536 values and names of members (a tree takes many times
 * what its text does), numbers that do not fit, anything behind the value. Errors
 * say where ("line 1, column 17") or name the field, and are ERR_INVALID.
 *
 * Two of these are no faults where a program's output or what somebody typed is passed on:
 * the lenient readers take NUL in a text (a slice has its length), though not in a key, and
 * U+FFFD for a lone surrogate.
 */
#ifndef RUNNEL_CODEC_JSON_READ_H
#define RUNNEL_CODEC_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

/* The top value must be an object, or an array. Release with json_decref (auto_json). */
json_t *json_read_object(struct slice text, struct err *err);
/* Of machines of ours: four times as many values. */
json_t *json_read_large_object(struct slice text, struct err *err);
json_t *json_read_array(struct slice text, struct err *err);
json_t *json_read_lenient_object(struct slice text, struct err *err);
json_t *json_read_lenient_array(struct slice text, struct err *err);

/* Each: 1 found, 0 absent or null, -1 of the wrong type (err names the field).
 * Slices are borrowed from the tree, with a NUL behind them. */
int json_read_text(const json_t *object, const char *field, struct slice *ret_text,
                   struct err *err);
int json_read_bool(const json_t *object, const char *field, bool *ret_value, struct err *err);
int json_read_u64(const json_t *object, const char *field, uint64_t *ret_value, struct err *err);

/* Of a value that is a text, and not one that a NUL cuts short; else NULL. */
const char *json_whole_text(const json_t *value);

/* The object `field` holds limits by their JSON names (base/limits.h); unknown
 * names, wrong types, negative, fractional (but for cpus) and out-of-range
 * numbers are errors that name "limits.<name>". */
int json_read_limits(const json_t *object, const char *field, struct limits *ret_limits,
                     struct err *err);

static inline void json_release(json_t **json)
{
    json_decref(*json);
}
#define auto_json auto_cleanup(json_release)

#endif
