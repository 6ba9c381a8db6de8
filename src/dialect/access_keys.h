/* SPDX-License-Identifier: MIT */
/* access_keys.h — the routes below /v1/keys. */
#ifndef RUNNEL_DIALECT_ACCESS_KEYS_H
#define RUNNEL_DIALECT_ACCESS_KEYS_H

#include "dialect/access.h"

void access_handle_list(struct http_request *request, void *context);
void access_handle_create(struct http_request *request, void *context);
void access_handle_revoke(struct http_request *request, void *context);

struct json;
void access_write_scopes(struct json *json, unsigned scopes);

#endif
