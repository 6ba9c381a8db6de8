/* SPDX-License-Identifier: MIT */
#include "cli/listeners.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/util.h"

/* What --compat opens: the ports and the names that clients of these services know. */
static const struct {
    uint16_t port;
    const char *dialect;
} compat[] = {{3000, "execute"}, {3001, "jobs"}};

static int add(struct listeners *listeners, const char *address, uint16_t port, const char *dialect,
               struct err *err)
{
    size_t at = listeners->count;
    if (at == LISTENERS_MAX)
        return err_config(err, "listen", "listen: more than %d addresses", LISTENERS_MAX);
    (void)snprintf(listeners->addresses[at], LISTENER_TEXT, "%s", address);
    (void)snprintf(listeners->dialects[at], LISTENER_TEXT, "%s", dialect ? dialect : "");
    listeners->items[at] = (struct http_listener){
        .address = listeners->addresses[at],
        .port = port,
        .dialect = dialect ? listeners->dialects[at] : NULL,
    };
    listeners->count++;
    return 0;
}

static bool is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool is_address(const char *address)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1;
}

/* "ADDR:PORT[=DIALECT]", an IPv6 address in brackets. */
static int split(const char *text, char address[LISTENER_TEXT], uint16_t *ret_port,
                 char dialect[LISTENER_TEXT])
{
    char copy[3 * LISTENER_TEXT];
    uint64_t port = 0;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return -1;
    char *equals = strchr(copy, '=');
    if (equals)
        *equals++ = '\0';
    char *colon = strrchr(copy, ':');
    if (!colon || parse_u64(colon + 1, &port) < 0 || port > UINT16_MAX)
        return -1;
    *colon = '\0';
    char *from = copy;
    if (copy[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        from++;
    } else if (strchr(copy, ':')) {
        return -1;
    }
    if (strcmp(from, "localhost") == 0)
        from = (char *)"127.0.0.1";
    if (snprintf(address, LISTENER_TEXT, "%s", from) >= LISTENER_TEXT ||
        snprintf(dialect, LISTENER_TEXT, "%s", equals ? equals : "") >= LISTENER_TEXT)
        return -1;
    *ret_port = (uint16_t)port;
    return is_address(address) ? 0 : -1;
}

static bool is_among(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(*words, word) == 0)
            return true;
    }
    return false;
}

static int add_asked(const char *text, const char *const *dialects, bool public_too,
                     struct listeners *listeners, struct err *err)
{
    char address[LISTENER_TEXT];
    char dialect[LISTENER_TEXT];
    char known[160];
    uint16_t port = 0;
    if (split(text, address, &port, dialect) < 0)
        return err_config(err, "listen",
                          "listen %.80s: write ADDR:PORT or ADDR:PORT=DIALECT, as in "
                          "127.0.0.1:8080 or [::1]:3000=execute",
                          text);
    if (dialect[0] != '\0' && !is_among(dialect, dialects))
        return err_config(err, "listen", "listen %.80s: there is no dialect '%s' (they are %s)",
                          text, dialect, format_list(known, sizeof known, dialects));
    if (!is_loopback(address) && !public_too)
        return err_config(err, "listen",
                          "listen %.80s: anybody who reaches this address could run programs "
                          "here; make a key ('runnel key create', or API_KEYS), listen on "
                          "127.0.0.1 behind a proxy that knows its users, or say "
                          "--insecure-public",
                          text);
    return add(listeners, address, port, dialect[0] != '\0' ? dialect : NULL, err);
}

static bool has_ipv6_loopback(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int rc = bind(fd, (struct sockaddr *)&address, sizeof address);
    (void)close(fd);
    return rc == 0;
}

static int add_loopback(struct listeners *listeners, uint16_t port, const char *dialect,
                        struct err *err)
{
    if (add(listeners, "127.0.0.1", port, dialect, err) < 0)
        return -1;
    listeners->no_ipv6 = !has_ipv6_loopback();
    return listeners->no_ipv6 ? 0 : add(listeners, "::1", port, dialect, err);
}

int listeners_read(const struct config *config, const char *const *dialects, bool has_keys,
                   struct listeners *ret_listeners, struct err *err)
{
    bool public_too = has_keys || config->insecure_public;
    *ret_listeners = (struct listeners){0};
    for (size_t i = 0; i < config->listen.count; i++) {
        if (add_asked(config->listen.items[i], dialects, public_too, ret_listeners, err) < 0)
            return -1;
    }
    if (config->listen.count == 0 &&
        add_loopback(ret_listeners, (uint16_t)config->port, NULL, err) < 0)
        return -1;
    for (size_t i = 0; config->compat && i < ARRAY_LEN(compat); i++) {
        if (add_loopback(ret_listeners, compat[i].port, compat[i].dialect, err) < 0)
            return -1;
    }
    return 0;
}
