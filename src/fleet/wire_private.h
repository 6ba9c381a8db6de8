/* SPDX-License-Identifier: MIT */
/* wire_private.h — what the files of wire.h share: fields of JSON, and lines of words. */
#ifndef RUNNEL_FLEET_WIRE_PRIVATE_H
#define RUNNEL_FLEET_WIRE_PRIVATE_H

#include "codec/json_read.h"
#include "codec/json_write.h"
#include "fleet/wire.h"

/* --- JSON (wire_fields.c) --- */

/* An object with a version of its form. The tree, or NULL: ERR_INVALID, ERR_MISMATCH. */
void wire_write_version(struct json *json);
json_t *wire_read_object(struct slice text, size_t max, struct err *err);

/* Bytes are a text where JSON can hold them and that is not the longer way, else
 * {"base64": "…"}. */
void wire_write_bytes(struct json *json, const char *key, struct slice bytes);
/* Above what JSON readers hold, a number is a text of digits. */
void wire_write_u64(struct json *json, const char *key, uint64_t number);

/* One block for all that a decoded object has beyond its tree: measured first, then
 * handed out piece by piece. */
struct wire_space {
    char *at;
    size_t left;
};

/* size: of the arrays (wire_array_size); text_len bounds all bytes that are decoded. The
 * block is owned (free); NULL when memory is short. */
void *wire_space_make(struct wire_space *space, size_t size, size_t text_len, struct err *err);
size_t wire_array_size(const json_t *object, const char *field, size_t item_size);
/* An array of `count`, or with item_size 1 bytes. NULL, with err, when it was not measured. */
void *wire_space_take(struct wire_space *space, size_t count, size_t item_size, struct err *err);

/* Each: 1 found, 0 absent or null, -1 with err, which names the field. */
int wire_read_u64(const json_t *object, const char *field, uint64_t max, uint64_t *ret_number,
                  struct err *err);
int wire_read_unsigned(const json_t *object, const char *field, unsigned *ret_number,
                       struct err *err);
/* *ret_word: the place of the text among `words`, which NULL ends. */
int wire_read_word(const json_t *object, const char *field, const char *const *words,
                   unsigned *ret_word, struct err *err);
/* A name or an id: ASCII that prints, no blanks, shorter than `size`; "" is as if absent. */
int wire_read_name(const json_t *object, const char *field, char *name, size_t size,
                   struct err *err);
/* A sentence for people: what cannot be printed is replaced, what is too long is cut. */
int wire_read_sentence(const json_t *object, const char *field, char *text, size_t size,
                       struct err *err);
/* Borrowed from the tree or the space, with a NUL behind them. */
int wire_read_bytes(const json_t *object, const char *field, struct wire_space *space,
                    struct slice *ret_bytes, struct err *err);
/* The same, without a NUL among them. */
int wire_read_text(const json_t *object, const char *field, struct wire_space *space,
                   const char **ret_text, struct err *err);
/* One value, of `field` or in its array: 0 or -1. */
int wire_take_bytes(const json_t *value, const char *field, struct wire_space *space,
                    struct slice *ret_bytes, struct err *err);
int wire_take_text(const json_t *value, const char *field, struct wire_space *space,
                   const char **ret_text, struct err *err);
/* NULL when absent. -1: it is not an array. */
int wire_read_array(const json_t *object, const char *field, const json_t **ret_array,
                    struct err *err);

/* --- lines (wire_line.c) --- */

/* "WORD WORD …\n" and then bytes. */
struct wire_line {
    struct slice words; /* that have not been taken */
    struct slice bytes;
};

int wire_line_start(struct slice text, struct wire_line *ret_line, struct err *err);
/* False: there is no such word (any more). */
bool wire_line_word(struct wire_line *line, struct slice *ret_word);
bool wire_line_u64(struct wire_line *line, uint64_t min, uint64_t max, uint64_t *ret_number);
/* The place of the next word among `count` words. */
bool wire_line_one_of(struct wire_line *line, const char *const *words, size_t count,
                      unsigned *ret_word);

#endif
