/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int http_status;
    int exit_status;
} codes[] = {
#define X(code, name, http, exit_status) [code] = {name, http, exit_status},
    ERR_TABLE(X)
#undef X
};

PRINTF_LIKE(2, 0)
static void set_text(struct err *err, const char *format, va_list args)
{
    if (vsnprintf(err->text, sizeof err->text, format, args) < 0)
        err->text[0] = '\0';
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err)
        return -1;
    *err = (struct err){.code = code};
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    return -1;
}

PRINTF_LIKE(4, 0)
static void set_field(struct err *err, enum err_code code, const char *field, const char *format,
                      va_list args)
{
    *err = (struct err){.code = code};
    if (snprintf(err->field, sizeof err->field, "%s", field) < 0)
        err->field[0] = '\0';
    set_text(err, format, args);
}

int err_field(struct err *err, const char *field, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    set_field(err, ERR_INVALID, field, format, args);
    va_end(args);
    return -1;
}

int err_config(struct err *err, const char *key, const char *format, ...)
{
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    set_field(err, ERR_CONFIG, key, format, args);
    va_end(args);
    return -1;
}

int err_sys(struct err *err, int errnum, const char *format, ...)
{
    if (!err)
        return -1;
    *err = (struct err){.code = ERR_INTERNAL, .sys = errnum};
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    if (snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(errnum)) < 0)
        err->text[used] = '\0';
    return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
    if (!err)
        return -1;
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    if (snprintf(err->text + used, sizeof err->text - used, ": %s", inner) < 0)
        err->text[used] = '\0';
    return -1;
}

const char *err_code_name(enum err_code code)
{
    return codes[code].name;
}

int err_http_status(enum err_code code)
{
    return codes[code].http_status;
}

int err_exit_status(enum err_code code)
{
    return codes[code].exit_status;
}
