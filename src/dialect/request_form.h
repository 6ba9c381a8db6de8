/* SPDX-License-Identifier: MIT */
/* request_form.h — bodies that are no JSON, where a dialect takes them: a page of another
 * site can make a browser send these unasked. */
#ifndef RUNNEL_DIALECT_REQUEST_FORM_H
#define RUNNEL_DIALECT_REQUEST_FORM_H

#include <stdbool.h>

#include "codec/json_read.h"

struct http_request;

/* Such a body, from such a page. The browser says where it comes from; without that it is
 * no browser, or an old one, which says it by Origin. */
bool request_is_foreign_form(const struct http_request *request);
/* Is it declared as application/x-www-form-urlencoded? */
bool request_is_urlencoded(const struct http_request *request);

/* name=value&list[]=one&list[]=two as {"name":"value","list":["one","two"]}: texts all.
 * ERR_INVALID: a name twice, what is no UTF-8, a NUL, more than 64 values. */
json_t *request_read_form(struct slice text, struct err *err);

#endif
