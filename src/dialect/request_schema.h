/* SPDX-License-Identifier: MIT */
/* request_schema.h — the fields of a JSON body as a table. One of a request reads bodies
 * and describes them; one of an answer stands beside the code that writes it, and
 * describes (openapi.json; the tests hold every answer against it).
 * A new field is a row and a member.
 *
 *     struct wanted { struct slice language; bool tty; … };
 *     static const struct schema_field fields[] = {
 *         {"language", SCHEMA_TEXT, SCHEMA_AT(struct wanted, language), .required = true, …},
 *         {NULL},
 *     };
 *     schema_read(fields, body, &wanted, err);
 *     schema_fini(fields, &wanted);
 */
#ifndef RUNNEL_DIALECT_REQUEST_SCHEMA_H
#define RUNNEL_DIALECT_REQUEST_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/json_read.h"

struct json;

enum schema_type {
    SCHEMA_TEXT,    /* struct slice, borrowed from the tree, NUL-terminated; at = NULL: absent */
    SCHEMA_BOOL,    /* bool */
    SCHEMA_NUMBER,  /* uint64_t, from `smallest` to `largest` */
    SCHEMA_MILLI,   /* uint64_t, thousandths: 1.5 is 1500 */
    SCHEMA_TEXTS,   /* const char **, owned and NULL-ended; NULL: absent */
    SCHEMA_ENV,     /* {"NAME": "value"} as "NAME=value": the same */
    SCHEMA_PAIRS,   /* {"name": "value"}: struct schema_list of struct schema_pair */
    SCHEMA_LIMITS,  /* struct limits */
    SCHEMA_OBJECTS, /* an array: struct schema_list of what `items` describes */
    /* only described, without a place in a struct: */
    SCHEMA_TIME,       /* "2026-11-21T08:00:00.000Z" */
    SCHEMA_OBJECT,     /* one of what `items` describes */
    SCHEMA_COUNTS,     /* {"name": number} */
    SCHEMA_LIMITS_SET, /* the limits that a run has, each in the unit of a request's */
    SCHEMA_NOTHING,    /* null, always */
    SCHEMA_ANYTHING,
    SCHEMA_BYTES, /* of a form: a file */
};

struct schema_pair {
    const char *name;
    const char *value;
};

struct schema_list {
    void *items; /* owned */
    size_t count;
};

struct schema_field {
    const char *name;
    enum schema_type type;
    unsigned offset;
    uint64_t smallest; /* SCHEMA_NUMBER */
    /* A number; bytes of SCHEMA_TEXT; members of the others; 0: any. */
    uint64_t largest;
    const char *const *choices; /* SCHEMA_TEXT, members of SCHEMA_TEXTS: NULL-ended; NULL: any */
    const struct schema *items; /* SCHEMA_OBJECTS, SCHEMA_OBJECT */
    size_t item_size;
    const char *help;
    bool required; /* in an answer: always there */
    bool nullable; /* in an answer: may be null */
    bool told;     /* `largest` is described here, and held by who reads the request */
};

/* What a body is. One with a name is described once and referred to. */
struct schema {
    const char *name; /* "Run"; NULL: it stands where it is used */
    const struct schema_field *fields;
    const char *help;
};

#define SCHEMA_AT(type_, member_) offsetof(type_, member_)

/* Into *target, which holds what absent fields are: zeros, mostly. Fields that the table
 * does not know are ignored, as services of this form do. ERR_INVALID names the field. */
int schema_read(const struct schema_field *fields, const json_t *body, void *target,
                struct err *err);
/* For who does not ignore them: ERR_INVALID names one that the table does not know. */
int schema_refuse_unknown(const struct schema_field *fields, const json_t *body, struct err *err);
void schema_fini(const struct schema_field *fields, void *target);

/* As JSON Schema: {"type":"object","properties":{…},"required":[…]}, in whose place one
 * with a name is {"$ref":"#/components/schemas/NAME"}. */
void schema_write(struct json *json, const char *key, const struct schema *schema);
/* That of one with a name. */
void schema_write_named(struct json *json, const struct schema *schema);
/* That of one field alone. */
void schema_write_field(struct json *json, const char *key, const struct schema_field *field);

#endif
