/* SPDX-License-Identifier: MIT */
#include "dialect/request_idempotency.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "server/http.h"

#define HEADER "Idempotency-Key"

enum { KEY_MAX = 255 };

static bool is_valid(const char *key)
{
    size_t len = strlen(key);
    bool valid = len > 0 && len <= KEY_MAX;
    for (size_t i = 0; i < len; i++)
        valid = valid && isprint((unsigned char)key[i]);
    return valid;
}

int request_idempotency_key(const struct http_request *request, char **ret_key, struct err *err)
{
    const char *given = http_request_header(request, HEADER);
    if (!given) {
        *ret_key = NULL;
        return 0;
    }
    if (http_request_header_count(request, HEADER) > 1)
        return err_field(err, HEADER, HEADER " must be given once");
    if (!is_valid(given))
        return err_field(err, HEADER, HEADER " must be 1 to %d letters of ASCII", KEY_MAX);
    char *key = strdup(given);
    if (!key)
        return err_sys(err, errno, "run");
    *ret_key = key;
    return 0;
}
