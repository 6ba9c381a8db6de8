/* SPDX-License-Identifier: MIT */
/* request_fields.h — what the requests of several dialects name in the same
 * words, from JSON to a run's description. */
#ifndef RUNNEL_DIALECT_REQUEST_FIELDS_H
#define RUNNEL_DIALECT_REQUEST_FIELDS_H

#include "codec/json_read.h"
#include "engine/engine.h"

struct catalogue;

/* By name or alias. ERR_UNKNOWN_LANGUAGE "Unsupported language: cobol", or
 * ERR_NOT_INSTALLED with the packages that would bring it. */
int request_find_language(const struct catalogue *catalogue, struct slice name,
                          const struct language **ret_language, struct err *err);

/* The engine's name of a field to that of the dialect. */
void request_rename_field(struct err *err, const char *from, const char *to);

/* An array of strings. *ret_texts is owned (free), NULL-ended, its texts are
 * borrowed from the tree; NULL when the field is absent or null. */
int request_read_texts(const json_t *body, const char *field, const char ***ret_texts,
                       struct err *err);

/* {"NAME": "value", …} as "NAME=value". *ret_texts is one block (free). */
int request_read_env(const json_t *body, const char *field, const char ***ret_texts,
                     struct err *err);

/* [{"path", "content"}, …]. *ret_files is owned (free), its slices borrowed. */
int request_read_files(const json_t *body, const char *field, struct run_file **ret_files,
                       size_t *ret_count, struct err *err);

#endif
