/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/slice.h"
#include "webhook/webhook.h"

/* Stricter than libcurl, which reads it later: what two readers could read
 * differently is refused. Where it leads is judged when it is called. */

enum { URL_MAX = 2048, HOST_MAX = 255 };

static int refuse(struct err *err, const char *why)
{
    return err_field(err, "webhook_url", "webhook_url %s", why);
}

/* Behind "scheme://"; NULL when it is neither of ours. */
static const char *behind_scheme(const char *url)
{
    if (strncasecmp(url, "http://", 7) == 0)
        return url + 7;
    return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

static bool is_port(struct slice text)
{
    char copy[6];
    uint64_t port = 0;
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return parse_u64(copy, &port) == 0 && port >= 1 && port <= 65535;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static int check_authority(struct slice authority, struct err *err)
{
    if (memchr(authority.at, '@', authority.len))
        return refuse(err, "must not hold a user or a password");
    const char *end = authority.at + authority.len;
    const char *close = authority.len > 0 && authority.at[0] == '['
                            ? memchr(authority.at, ']', authority.len)
                            : NULL;
    const char *colon =
        memchr(close ? close : authority.at, ':', (size_t)(end - (close ? close : authority.at)));
    const char *host_end = colon ? colon : end;
    if (close && host_end != close + 1)
        return refuse(err, "has something behind its address in brackets");
    if (host_end == authority.at || (close && close == authority.at + 1))
        return refuse(err, "has no host");
    if (host_end - authority.at > HOST_MAX)
        return refuse(err, "has a host of more than 255 bytes");
    if (!close && memchr(authority.at, '[', (size_t)(host_end - authority.at)))
        return refuse(err, "has a bracket that is not closed");
    if (colon && !is_port((struct slice){colon + 1, (size_t)(end - colon) - 1}))
        return refuse(err, "has a port that is none from 1 to 65535");
    return 0;
}

int webhook_check_url(const char *url, struct err *err)
{
    size_t len = strnlen(url, URL_MAX + 1);
    if (len > URL_MAX)
        return refuse(err, "must not be longer than 2048 bytes");
    for (size_t i = 0; i < len; i++) {
        if (url[i] <= ' ' || url[i] > '~')
            return refuse(err,
                          "must be ASCII without blanks and control characters: percent-encode "
                          "them, and write a host's name in punycode");
    }
    const char *authority = behind_scheme(url);
    if (!authority)
        return refuse(err, "must begin with https:// or http://");
    if (strpbrk(url, "\\\"<>^`{|}"))
        return refuse(err, "holds a character that must be percent-encoded");
    return check_authority((struct slice){authority, strcspn(authority, "/?#")}, err);
}
