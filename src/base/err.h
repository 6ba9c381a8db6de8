/* SPDX-License-Identifier: MIT */
/* err.h — a described failure, as a value on the caller's stack.
 *
 *     if (fd < 0)
 *         return err_sys(err, errno, "open %s", path);
 *     if (cgroup_create(group, err) < 0)
 *         return err_wrap(err, "cannot start run %s", id);
 *
 * Reporting a failure allocates nothing, so it works after ENOMEM and cannot
 * leak. Leaves (floors 0 and 1) return -errno instead and know no words; all
 * above take `struct err *` last, return >= 0 or -1, and fill it only on
 * failure. A row of ERR_TABLE is one kind of failure that a user can see: its
 * name on the wire, its HTTP status and its exit status stand together, so
 * that they can never disagree.
 */
#ifndef RUNNEL_BASE_ERR_H
#define RUNNEL_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

/* clang-format off */
/*    code                    name on the wire          HTTP  exit (sysexits.h) */
#define ERR_TABLE(X) \
    X(ERR_INTERNAL,           "internal_error",         500,  70) \
    X(ERR_INVALID,            "invalid_request",        400,  64) \
    X(ERR_UNKNOWN_LANGUAGE,   "unknown_language",       400,  64) \
    X(ERR_NOT_INSTALLED,      "language_not_installed", 400,  69) \
    X(ERR_UNAUTHORIZED,       "unauthorized",           401,  77) \
    X(ERR_FORBIDDEN,          "forbidden",              403,  77) \
    X(ERR_NOT_FOUND,          "not_found",              404,  66) \
    X(ERR_METHOD,             "method_not_allowed",     405,  64) \
    X(ERR_CONFLICT,           "conflict",               409,  65) \
    X(ERR_TOO_LARGE,          "too_large",              413,  65) \
    X(ERR_MEDIA_TYPE,         "unsupported_media_type", 415,  65) \
    X(ERR_MISMATCH,           "idempotency_mismatch",   422,  65) \
    X(ERR_RATE_LIMITED,       "rate_limited",           429,  75) \
    X(ERR_BUSY,               "queue_full",             503,  75) \
    X(ERR_SHUTTING_DOWN,      "shutting_down",          503,  75) \
    X(ERR_BROKER,             "broker_unavailable",     503,  69) \
    X(ERR_STORAGE_FULL,       "storage_full",           507,  74) \
    X(ERR_UNSENT,             "answer_not_sent",        500,  75) \
    X(ERR_CONFIG,             "bad_configuration",      500,  78) \
    X(ERR_ADDRESS,            "address_unavailable",    503,  75) \
    X(ERR_UNAVAILABLE,        "isolation_unavailable",  503,  69)
/* clang-format on */

enum err_code {
#define X(code, name, http, exit_status) code,
    ERR_TABLE(X)
#undef X
        ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    int sys;           /* errno behind it, 0 when none */
    uint64_t retry_ms; /* until it may be otherwise; 0: nobody knows */
    char field[64];    /* request field or config key it speaks of, "" when none */
    char text[480];    /* one sentence, no newline */
};

/* All return -1, so that a failure is one line. A NULL err is allowed. */
int err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
int err_field(struct err *err, const char *field, const char *format, ...) PRINTF_LIKE(3, 4);
/* ERR_CONFIG: what a key of the configuration says makes no sense. */
int err_config(struct err *err, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
int err_sys(struct err *err, int errnum, const char *format, ...) PRINTF_LIKE(3, 4);
int err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* It was {0}, and says now that something of our own failed, as for want of memory: no fault of
 * who asked. */
static inline bool err_is_internal(const struct err *err)
{
    return err->code == ERR_INTERNAL && err->text[0] != '\0';
}

const char *err_code_name(enum err_code code);
int err_http_status(enum err_code code);
int err_exit_status(enum err_code code);

#endif
