/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "broker/redis_private.h"

/* redis://[user]:password@host:port/database. What is said of a bad one never repeats it:
 * it may hold the password, in a place where none is expected. */

#define DEFAULT_PORT "6379"

static int refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_CONFIG, "the address of Redis %s", why);
}

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    letter = (char)(letter | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Percent-decoded, into `size` bytes with the NUL. */
static int decode(struct slice from, char *into, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < from.len; i++) {
        char byte = from.at[i];
        if (byte == '%') {
            int high = i + 2 < from.len ? digit_of(from.at[i + 1]) : -1;
            int low = high >= 0 ? digit_of(from.at[i + 2]) : -1;
            if (low < 0)
                return -1;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (byte == '\0' || len + 1 >= size)
            return -1;
        into[len++] = byte;
    }
    into[len] = '\0';
    return 0;
}

static int parse_user(struct slice text, struct redis_url *url, struct err *err)
{
    const char *colon = memchr(text.at, ':', text.len);
    if (!colon)
        return refuse(err, "names a user without a password (redis://user:password@host)");
    struct slice user = {text.at, (size_t)(colon - text.at)};
    struct slice password = {colon + 1, text.len - user.len - 1};
    if (decode(user, url->user, sizeof url->user) < 0)
        return refuse(err, "has a user of more than 127 bytes, or one badly percent-encoded");
    if (decode(password, url->password, sizeof url->password) < 0)
        return refuse(err, "has a password of more than 511 bytes, or one badly percent-encoded");
    if (url->user[0] && !url->password[0])
        return refuse(err, "names a user without a password (redis://user:password@host)");
    return 0;
}

static int copy_number(struct slice text, uint64_t most, char *into, size_t size)
{
    uint64_t number = 0;
    if (text.len >= size)
        return -1;
    memcpy(into, text.at, text.len);
    into[text.len] = '\0';
    return parse_u64(into, &number) == 0 && number <= most ? 0 : -1;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static int parse_place(struct slice text, struct redis_url *url, struct err *err)
{
    const char *end = text.at + text.len;
    struct slice host = text;
    struct slice port = {NULL, 0};
    bool is_bracketed = text.len > 0 && text.at[0] == '[';
    if (is_bracketed) {
        const char *close = memchr(text.at, ']', text.len);
        if (!close || (close + 1 < end && close[1] != ':'))
            return refuse(err, "has a bracket that is not closed before the port");
        host = (struct slice){text.at + 1, (size_t)(close - text.at) - 1};
        if (close + 1 < end)
            port = (struct slice){close + 2, (size_t)(end - close) - 2};
    } else {
        const char *colon = memchr(text.at, ':', text.len);
        if (colon) {
            host.len = (size_t)(colon - text.at);
            port = (struct slice){colon + 1, (size_t)(end - colon) - 1};
        }
    }
    if (host.len == 0 || host.len >= sizeof url->host)
        return refuse(err, "has no host, or one of more than 255 bytes");
    memcpy(url->host, host.at, host.len);
    url->host[host.len] = '\0';
    if (!port.at)
        port = slice_of(DEFAULT_PORT);
    if (copy_number(port, 65535, url->port, sizeof url->port) < 0 || url->port[0] == '0')
        return refuse(err, "has a port that is none from 1 to 65535");
    return 0;
}

int redis_url_parse(const char *text, struct redis_url *ret_url, struct err *err)
{
    static const char scheme[] = "redis://";
    struct redis_url url = {0};
    if (strncmp(text, "rediss://", 9) == 0)
        return refuse(err, "begins with rediss://; TLS is not spoken here: use a tunnel");
    if (strncmp(text, scheme, strlen(scheme)) != 0)
        return refuse(err, "does not begin with redis://");
    for (const char *at = text; *at; at++) {
        if (*at <= ' ' || *at > '~')
            return refuse(err, "holds a blank, a control character or one beyond ASCII");
    }
    const char *authority = text + strlen(scheme);
    struct slice place = {authority, strcspn(authority, "/?#")};
    const char *rest = authority + place.len;
    const char *at_sign = memrchr(place.at, '@', place.len);
    if (at_sign) {
        struct slice who = {place.at, (size_t)(at_sign - place.at)};
        if (parse_user(who, &url, err) < 0)
            return -1;
        place = (struct slice){at_sign + 1, place.len - who.len - 1};
    }
    if (parse_place(place, &url, err) < 0)
        return -1;
    if (*rest == '/')
        rest++;
    else if (*rest)
        return refuse(err, "has something behind the host that is no database");
    if (*rest && copy_number(slice_of(rest), 1000000, url.database, sizeof url.database) < 0)
        return refuse(err, "has a database that is no number");
    *ret_url = url;
    return 0;
}

int redis_check_url(const char *url, struct err *err)
{
    struct redis_url parsed;
    return redis_url_parse(url, &parsed, err);
}
