/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/parse.h"
#include "broker/redis_private.h"

/* redis://[user]:password@host:port/database */
static const struct place_form form = {"Redis", "stream", "redis", "6379"};

enum { DATABASE_MAX = 1000000, DATABASE_DIGITS_MAX = 11 };

static int refuse(struct err *err, const char *why)
{
    return err_config(err, form.key, "the address of Redis %s", why);
}

/* Digits as they stand: an encoded one is no number. A user and a password hold no slash. */
static bool is_database(const char *text, const char *path)
{
    uint64_t number = 0;
    const char *written = strchr(text + strlen("redis://"), '/');
    if (path[0] == '\0')
        return true;
    return strlen(path) <= DATABASE_DIGITS_MAX && strcmp(written + 1, path) == 0 &&
           parse_u64(path, &number) == 0 && number <= DATABASE_MAX;
}

int redis_url_parse(const char *text, struct place *ret_url, struct err *err)
{
    struct place url;
    if (place_parse(text, &form, &url, err) < 0)
        return -1;
    if (url.user[0] && !url.password[0])
        return refuse(err, "names a user without a password (redis://user:password@host)");
    if (!is_database(text, url.path))
        return refuse(err, "has a database that is no number");
    *ret_url = url;
    return 0;
}

int redis_check_url(const char *url, struct err *err)
{
    struct place parsed;
    return redis_url_parse(url, &parsed, err);
}
