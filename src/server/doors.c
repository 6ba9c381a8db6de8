/* SPDX-License-Identifier: MIT */
#include "server/doors.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "server/http.h"

static bool same_text(struct slice slice, const char *text)
{
    return slice.len == strlen(text) && strncasecmp(slice.at, text, slice.len) == 0;
}

static bool all_digits(struct slice slice)
{
    for (size_t i = 0; i < slice.len; i++)
        if (slice.at[i] < '0' || slice.at[i] > '9')
            return false;
    return slice.len > 0;
}

/* "name", "name:80", "[::1]", "[::1]:80": the name, without port and brackets
 * kept; empty when it is none of these. */
static struct slice host_name(const char *host)
{
    struct slice name = slice_of(host);
    const char *colon = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    if (host[0] == '[') {
        if (!colon)
            return (struct slice){0};
        colon++;
        name.len = (size_t)(colon - host);
        if (!*colon)
            return name;
    }
    if (!colon)
        return name;
    if (*colon != ':' || !all_digits(slice_of(colon + 1)))
        return (struct slice){0};
    name.len = (size_t)(colon - host);
    return name;
}

static bool is_loopback_name(struct slice name)
{
    return same_text(name, "localhost") || same_text(name, "127.0.0.1") || same_text(name, "[::1]");
}

static bool is_literal_address(struct slice name)
{
    struct address address;
    if (name.len > 2 && name.at[0] == '[')
        name = (struct slice){name.at + 1, name.len - 2};
    return address_parse(name, &address) == 0;
}

bool doors_host_allowed(const struct doors *doors, const char *host, bool loopback_listener)
{
    struct slice name = host_name(host);
    if (name.len == 0)
        return false;
    if (is_loopback_name(name) || (!loopback_listener && is_literal_address(name)))
        return true;
    for (const char *const *own = doors->server_names; own && *own; own++)
        if (same_text(name, *own))
            return true;
    return false;
}

/* The part behind "http://" or "https://"; NULL when it is no web origin. */
static const char *origin_host(const char *origin)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(origin, schemes[i], len) == 0)
            return origin + len;
    }
    return NULL;
}

enum origin doors_origin(const struct doors *doors, const char *origin, const char *scheme,
                         const char *host)
{
    if (!origin)
        return ORIGIN_NONE;
    const char *authority = origin_host(origin);
    if (!authority)
        return ORIGIN_FOREIGN; /* "null" too */
    if (is_loopback_name(host_name(authority)))
        return ORIGIN_ALLOWED;
    size_t scheme_len = strlen(scheme);
    if (host && strncasecmp(origin, scheme, scheme_len) == 0 &&
        strncmp(origin + scheme_len, "://", 3) == 0 && strcasecmp(authority, host) == 0)
        return ORIGIN_ALLOWED;
    for (const char *const *more = doors->cors_origins; more && *more; more++)
        if (strcasecmp(origin, *more) == 0)
            return ORIGIN_ALLOWED;
    return ORIGIN_FOREIGN;
}

bool doors_trust(const struct doors *doors, const struct address *peer)
{
    for (size_t i = 0; i < doors->proxy_count; i++)
        if (network_contains(&doors->proxies[i], peer))
            return true;
    return false;
}

/* Takes the last entry off the comma-separated list. */
static struct slice take_last(struct slice *list)
{
    size_t start = list->len;
    while (start > 0 && list->at[start - 1] != ',')
        start--;
    struct slice last = {list->at + start, list->len - start};
    list->len = start > 0 ? start - 1 : 0;
    while (last.len > 0 && (last.at[0] == ' ' || last.at[0] == '\t'))
        last = (struct slice){last.at + 1, last.len - 1};
    while (last.len > 0 && (last.at[last.len - 1] == ' ' || last.at[last.len - 1] == '\t'))
        last.len--;
    return last;
}

struct address doors_client(const struct doors *doors, const struct address *peer,
                            struct slice forwarded_for)
{
    struct address client = *peer;
    while (forwarded_for.len > 0 && doors_trust(doors, &client)) {
        struct address before;
        if (address_parse_forwarded(take_last(&forwarded_for), &before) < 0)
            break;
        client = before;
    }
    return client;
}

/* A name with a port or a scheme would fit no Host. */
static int check_names(const char *const *names, struct err *err)
{
    for (; names && *names; names++) {
        size_t len = host_name(*names).len;
        if (len == 0 || (*names)[len] != '\0' || strpbrk(*names, "/?#@* "))
            return err_config(err, "server_names",
                              "server_names: '%s' is no name: write code.example.com, without "
                              "scheme, port or path",
                              *names);
    }
    return 0;
}

static int check_origins(const char *const *origins, struct err *err)
{
    for (; origins && *origins; origins++) {
        const char *authority = origin_host(*origins);
        if (!authority || host_name(authority).len == 0 || strpbrk(authority, "/?#@* "))
            return err_config(err, "cors_origins",
                              "cors_origins: '%s' is not an origin: write scheme://host[:port], "
                              "without a path, as in https://learn.example.com",
                              *origins);
    }
    return 0;
}

int doors_init(struct doors *doors, const struct http_config *config, struct err *err)
{
    *doors = (struct doors){config->server_names, config->cors_origins, NULL, 0};
    if (check_names(config->server_names, err) < 0 || check_origins(config->cors_origins, err) < 0)
        return -1;
    size_t count = 0;
    while (config->trusted_proxies && config->trusted_proxies[count])
        count++;
    if (count == 0)
        return 0;
    doors->proxies = calloc(count, sizeof *doors->proxies);
    if (!doors->proxies)
        return err_sys(err, errno, "trusted proxies");
    for (; doors->proxy_count < count; doors->proxy_count++) {
        const char *text = config->trusted_proxies[doors->proxy_count];
        if (network_parse(text, &doors->proxies[doors->proxy_count]) < 0) {
            doors_fini(doors);
            return err_config(err, "trusted_proxies",
                              "trusted_proxies: '%s' is neither an address nor a network: write "
                              "192.0.2.1 or 10.0.0.0/8 (names are not looked up)",
                              text);
        }
    }
    return 0;
}

void doors_fini(struct doors *doors)
{
    cleanup_free(&doors->proxies);
    *doors = (struct doors){0};
}
