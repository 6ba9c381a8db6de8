/* SPDX-License-Identifier: MIT */
/* listeners.h — where to serve: from the configuration to the server's list. */
#ifndef RUNNEL_CLI_LISTENERS_H
#define RUNNEL_CLI_LISTENERS_H

#include "config/config.h"
#include "server/http.h"

enum { LISTENERS_MAX = 64, LISTENER_TEXT = 64 };

struct listeners {
    struct http_listener items[LISTENERS_MAX];
    size_t count;
    char addresses[LISTENERS_MAX][LISTENER_TEXT]; /* items point here */
    char dialects[LISTENERS_MAX][LISTENER_TEXT];
    bool no_ipv6; /* ::1 was left out beside 127.0.0.1: this host has none */
};

/* The listeners that `config` asks for, else the default ones. ERR_CONFIG for
 * what cannot be read, a dialect that does not exist, and a public address where
 * nobody would be asked for a key, unless that was asked for by name.
 * dialects: those there are, NULL-ended. */
int listeners_read(const struct config *config, const char *const *dialects, bool has_keys,
                   struct listeners *ret_listeners, struct err *err);

#endif
