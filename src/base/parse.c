/* SPDX-License-Identifier: MIT */
#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/util.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {
    {"", 1},     {"B", 1},     {"K", KIB}, {"KB", KIB}, {"KiB", KIB}, {"M", MIB},
    {"MB", MIB}, {"MiB", MIB}, {"G", GIB}, {"GB", GIB}, {"GiB", GIB},
};

static const struct unit duration_units[] = {
    {"ms", 1},      {"s", 1000},    {"", 1000},      {"m", 60000},
    {"min", 60000}, {"h", 3600000}, {"d", 86400000},
};

static int find_factor(const char *name, const struct unit *units, size_t count,
                       uint64_t *ret_factor)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(units[i].name, name) == 0) {
            *ret_factor = units[i].factor;
            return 0;
        }
    }
    return -EINVAL;
}

/* Reads leading digits; moves *text behind them. */
static int read_digits(const char **text, uint64_t *ret_value)
{
    const char *at = *text;
    uint64_t value = 0;
    if (*at < '0' || *at > '9')
        return -EINVAL;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return -ERANGE;
    }
    *text = at;
    *ret_value = value;
    return 0;
}

/* Reads ".ddd" as thousandths, if it is there; digits past the third must be 0. */
static int read_thousandths(const char **text, uint64_t *ret_value)
{
    *ret_value = 0;
    if (**text != '.')
        return 0;
    const char *at = *text + 1;
    if (*at < '0' || *at > '9')
        return -EINVAL;
    uint64_t weight = 100;
    for (; *at >= '0' && *at <= '9'; at++, weight /= 10) {
        if (weight == 0 && *at != '0')
            return -EINVAL;
        *ret_value += weight * (uint64_t)(*at - '0');
    }
    *text = at;
    return 0;
}

/* number [. fraction] unit → number × factor, in whole units. */
static int parse_with_unit(const char *text, const struct unit *units, size_t count,
                           uint64_t *ret_value)
{
    uint64_t whole = 0;
    uint64_t milli = 0;
    uint64_t factor = 0;
    int rc = read_digits(&text, &whole);
    if (rc == 0)
        rc = read_thousandths(&text, &milli);
    if (rc == 0)
        rc = find_factor(text, units, count, &factor);
    if (rc < 0)
        return rc;
    if (milli * factor % 1000 != 0)
        return -EINVAL;
    uint64_t value = 0;
    if (__builtin_mul_overflow(whole, factor, &value) ||
        __builtin_add_overflow(value, milli * factor / 1000, &value))
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int parse_u64(const char *text, uint64_t *ret_value)
{
    uint64_t value = 0;
    int rc = read_digits(&text, &value);
    if (rc < 0)
        return rc;
    if (*text != '\0')
        return -EINVAL;
    *ret_value = value;
    return 0;
}

int parse_bytes(const char *text, uint64_t *ret_bytes)
{
    return parse_with_unit(text, byte_units, ARRAY_LEN(byte_units), ret_bytes);
}

int parse_duration_ms(const char *text, uint64_t *ret_ms)
{
    return parse_with_unit(text, duration_units, ARRAY_LEN(duration_units), ret_ms);
}

int parse_milli(const char *text, uint64_t *ret_milli)
{
    static const struct unit units[] = {{"", 1000}};
    return parse_with_unit(text, units, ARRAY_LEN(units), ret_milli);
}

int parse_bool(const char *text, bool *ret_value)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i], text) == 0) {
            *ret_value = i % 2 == 1;
            return 0;
        }
    }
    return -EINVAL;
}

static const char *format_unit(char *text, size_t size, uint64_t value, const struct unit *units)
{
    while (units->factor > 1 && (value == 0 || value % units->factor != 0))
        units++;
    if (snprintf(text, size, "%" PRIu64 " %s", value / units->factor, units->name) < 0)
        text[0] = '\0';
    return text;
}

const char *format_bytes(char *text, size_t size, uint64_t bytes)
{
    static const struct unit units[] = {{"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {"B", 1}};
    return format_unit(text, size, bytes, units);
}

const char *format_duration(char *text, size_t size, uint64_t ms)
{
    static const struct unit units[] = {
        {"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}};
    return format_unit(text, size, ms, ms == 86400000 ? &units[1] : units); /* 24 h, 2 d */
}

const char *format_list(char *text, size_t size, const char *const *words)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; words[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", words[i]);
    return text;
}

const char *format_time(char text[TIME_TEXT_SIZE], uint64_t unix_ms)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) ||
        strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        text[0] = '\0';
        return text;
    }
    size_t used = strlen(text);
    (void)snprintf(text + used, TIME_TEXT_SIZE - used, ".%03uZ", (unsigned)(unix_ms % 1000));
    return text;
}

int parse_time(const char *text, uint64_t *ret_unix_ms)
{
    struct tm parts = {0};
    unsigned ms = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (!rest)
        return -EINVAL;
    if (*rest == '.') {
        char *end = NULL;
        size_t digits = strspn(rest + 1, "0123456789");
        if (digits == 0 || digits > 3)
            return -EINVAL;
        ms = (unsigned)strtoul(rest + 1, &end, 10) * (digits == 1 ? 100 : digits == 2 ? 10 : 1);
        rest = end;
    }
    if (strcmp(rest, "Z") != 0)
        return -EINVAL;
    time_t seconds = timegm(&parts);
    if (seconds < 0)
        return -ERANGE;
    *ret_unix_ms = (uint64_t)seconds * 1000 + ms;
    return 0;
}
