/* SPDX-License-Identifier: MIT */
#include "dialect/request_form.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "codec/utf8.h"
#include "server/http.h"

enum { VALUES_MAX = 64, NAME_MAX_BYTES = 100 };

bool request_is_foreign_form(const struct http_request *request)
{
    const char *site = http_request_header(request, "Sec-Fetch-Site");
    return !http_request_is_json(request) && site && strcmp(site, "same-origin") != 0 &&
           strcmp(site, "none") != 0;
}

bool request_is_urlencoded(const struct http_request *request)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = http_request_header(request, "Content-Type");
    return type && strncasecmp(type, form, sizeof form - 1) == 0 &&
           strchr("; \t", type[sizeof form - 1]) != NULL;
}

static int hex_digit(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    letter = (char)(letter | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* A % that is none stands for itself, as browsers read it. */
static void decode(struct buf *out, struct slice text)
{
    buf_clear(out);
    for (size_t i = 0; i < text.len; i++) {
        int high = text.at[i] == '%' && i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.at[i + 2]) : -1;
        if (low >= 0)
            buf_add_char(out, (char)(high << 4 | low));
        else
            buf_add_char(out, (char)(text.at[i] == '+' ? ' ' : text.at[i]));
        i += low >= 0 ? 2 : 0;
    }
}

static struct slice take_until(struct slice *rest, char end)
{
    const char *at = rest->len > 0 ? memchr(rest->at, end, rest->len) : NULL;
    struct slice part = {rest->at, at ? (size_t)(at - rest->at) : rest->len};
    size_t used = part.len + (at ? 1 : 0);
    rest->at += used;
    rest->len -= used;
    return part;
}

static bool is_list(struct buf *name)
{
    bool list = name->len > 2 && memcmp(name->at + name->len - 2, "[]", 2) == 0;
    if (list)
        name->at[name->len -= 2] = '\0';
    return list;
}

static int add(json_t *form, struct buf *name, const struct buf *value, struct err *err)
{
    bool list = is_list(name);
    json_t *known = json_object_get(form, buf_text(name));
    if (!utf8_valid(buf_slice(name)) || !utf8_valid(buf_slice(value)) ||
        memchr(buf_text(name), '\0', name->len) || memchr(buf_text(value), '\0', value->len))
        return err_set(err, ERR_INVALID, "the form is not UTF-8, or has a NUL in it");
    if (known && !(list && json_is_array(known)))
        return err_field(err, buf_text(name), "%s stands twice in the form", buf_text(name));
    json_t *text = json_stringn(buf_text(value), value->len);
    int rc = 0;
    if (list && !known) {
        known = json_array();
        rc = json_object_set_new(form, buf_text(name), known);
    }
    if (rc == 0)
        rc = list ? json_array_append_new(known, text)
                  : json_object_set_new(form, buf_text(name), text);
    return rc < 0 ? err_sys(err, ENOMEM, "form") : 0;
}

json_t *request_read_form(struct slice text, struct err *err)
{
    auto_json json_t *form = json_object();
    auto_buf struct buf name;
    auto_buf struct buf value;
    buf_init(&name, NAME_MAX_BYTES);
    buf_init(&value, text.len + 1);
    for (size_t count = 0; text.len > 0; count++) {
        struct slice pair = take_until(&text, '&');
        struct slice left = take_until(&pair, '=');
        if (count == VALUES_MAX) {
            (void)err_set(err, ERR_INVALID, "the form has more than %d values", VALUES_MAX);
            return NULL;
        }
        if (left.len == 0)
            continue;
        decode(&name, left);
        decode(&value, pair);
        if (name.failed || value.failed) {
            (void)err_set(err, ERR_INVALID, "the form has a name that is too long");
            return NULL;
        }
        if (add(form, &name, &value, err) < 0)
            return NULL;
    }
    if (!form)
        (void)err_sys(err, ENOMEM, "form");
    return take_ptr(&form);
}
