/* SPDX-License-Identifier: MIT */
#include "broker/place.h"

#include <netdb.h>
#include <string.h>

#include "base/parse.h"
#include "base/slice.h"

static int refuse(const struct place_form *form, struct err *err, const char *why)
{
    return err_config(err, form->key, "the address of %s %s", form->whose, why);
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

/* The bytes before the first `letter`, and what is behind it; false when it is not there. */
static bool split(struct slice text, char letter, struct slice *ret_before,
                  struct slice *ret_behind)
{
    const char *at = memchr(text.at, letter, text.len);
    if (!at)
        return false;
    size_t before = (size_t)(at - text.at);
    *ret_before = (struct slice){text.at, before};
    *ret_behind = (struct slice){at + 1, text.len - before - 1};
    return true;
}

static int parse_user(struct slice text, const struct place_form *form, struct place *place,
                      struct err *err)
{
    struct slice user;
    struct slice password;
    if (!split(text, ':', &user, &password))
        return refuse(form, err, "names a user without a password (user:password@host)");
    if (decode(user, place->user, sizeof place->user) < 0)
        return refuse(form, err, "has a user of more than 127 bytes, or badly percent-encoded");
    if (decode(password, place->password, sizeof place->password) < 0)
        return refuse(form, err, "has a password of more than 511 bytes, or badly percent-encoded");
    return 0;
}

static bool is_port(const char *text)
{
    uint64_t number = 0;
    return text[0] != '0' && parse_u64(text, &number) == 0 && number <= 65535;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static int parse_host(struct slice text, const struct place_form *form, struct place *place,
                      struct err *err)
{
    struct slice host = text;
    struct slice port = slice_of(form->port);
    struct slice rest = {"", 0};
    if (text.len > 0 && text.at[0] == '[') {
        struct slice inside = {text.at + 1, text.len - 1};
        if (!split(inside, ']', &host, &rest) || (rest.len > 0 && rest.at[0] != ':'))
            return refuse(form, err, "has a bracket that is not closed before the port");
        if (rest.len > 0)
            port = (struct slice){rest.at + 1, rest.len - 1};
    } else {
        (void)split(text, ':', &host, &port);
    }
    if (host.len == 0 || host.len >= sizeof place->host)
        return refuse(form, err, "has no host, or one of more than 255 bytes");
    memcpy(place->host, host.at, host.len);
    if (port.len >= sizeof place->port)
        port.len = 0; /* too long for any */
    memcpy(place->port, port.at, port.len);
    if (!is_port(place->port))
        return refuse(form, err, "has a port that is none from 1 to 65535");
    return 0;
}

/* Behind "scheme://"; NULL when it is another. */
static const char *behind_scheme(const char *text, const struct place_form *form)
{
    size_t len = strlen(form->scheme);
    return strncmp(text, form->scheme, len) == 0 && strncmp(text + len, "://", 3) == 0
               ? text + len + 3
               : NULL;
}

int place_parse(const char *text, const struct place_form *form, struct place *ret_place,
                struct err *err)
{
    struct place place = {0};
    const char *authority = behind_scheme(text, form);
    if (!authority)
        return err_config(err, form->key,
                          "the address of %s does not begin with %s:// (TLS is not spoken: use a "
                          "tunnel)",
                          form->whose, form->scheme);
    for (const char *at = text; *at; at++) {
        if (*at <= ' ' || *at > '~' || *at == '?' || *at == '#')
            return refuse(form, err, "holds a byte that must be percent-encoded");
    }
    struct slice where = {authority, strcspn(authority, "/")};
    const char *path = authority + where.len;
    const char *at_sign = memrchr(where.at, '@', where.len);
    if (at_sign) {
        struct slice who = {where.at, (size_t)(at_sign - where.at)};
        if (parse_user(who, form, &place, err) < 0)
            return -1;
        where = (struct slice){at_sign + 1, where.len - who.len - 1};
    }
    if (parse_host(where, form, &place, err) < 0)
        return -1;
    if (*path && decode(slice_of(path + 1), place.path, sizeof place.path) < 0)
        return refuse(form, err, "has a path of more than 255 bytes, or badly percent-encoded");
    *ret_place = place;
    return 0;
}

static bool is_first(const struct addrinfo *address, const struct place_first *first)
{
    return address->ai_addrlen == first->len &&
           memcmp(address->ai_addr, &first->at, first->len) == 0;
}

struct addrinfo *place_turn(struct addrinfo *addresses, struct place_first *first)
{
    struct addrinfo *last = NULL;
    struct addrinfo *failed = NULL;
    if (!addresses)
        return NULL;
    for (struct addrinfo *one = addresses; one; one = one->ai_next) {
        if (first->is_in_vain && is_first(one, first))
            failed = one;
        last = one;
    }
    if (failed && failed != last) {
        last->ai_next = addresses;
        addresses = failed->ai_next;
        failed->ai_next = NULL;
    }
    first->is_in_vain = false;
    first->len = MIN(addresses->ai_addrlen, (socklen_t)sizeof first->at);
    memcpy(&first->at, addresses->ai_addr, first->len);
    return addresses;
}
