/* SPDX-License-Identifier: MIT */
/* What the operator lets us listen on, a line each; the input's first letter says whether there
 * are keys ('k') and whether public addresses are wanted all the same ('p'; 'b' is both). Nobody
 * who has asked for neither gets a listener beyond this machine. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/listeners.h"
#include "lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct config config;

static void add_line(char *line)
{
    struct err err = {0};
    if (config_set(&config, "listen", line, "--listen", &err) < 0)
        assert(err.text[0]);
}

static bool is_local(const char *address)
{
    static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET6, address, &v6) == 1)
        return memcmp(&v6, &loopback, sizeof v6) == 0;
    return inet_pton(AF_INET, address, &v4) == 1 && (ntohl(v4.s_addr) & 0xff000000) == 0x7f000000;
}

static void check(const struct listeners *listeners, bool public_too)
{
    assert(listeners->count > 0 && listeners->count <= LISTENERS_MAX);
    for (size_t i = 0; i < listeners->count; i++) {
        const struct http_listener *listener = &listeners->items[i];
        struct in6_addr any;
        assert(inet_pton(AF_INET, listener->address, &any) == 1 ||
               inet_pton(AF_INET6, listener->address, &any) == 1);
        assert(public_too || is_local(listener->address));
        assert(!listener->dialect || strcmp(listener->dialect, "execute") == 0 ||
               strcmp(listener->dialect, "jobs") == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const dialects[] = {"execute", "jobs", NULL};
    struct listeners listeners;
    struct err err = {0};
    if (size == 0)
        return 0;
    bool has_keys = bytes[0] == 'k' || bytes[0] == 'b';
    (void)config_init(&config, NULL);
    config.insecure_public = bytes[0] == 'p' || bytes[0] == 'b';
    bool public_too = has_keys || config.insecure_public;
    fuzz_each_line(bytes + 1, size - 1, add_line);
    if (listeners_read(&config, dialects, has_keys, &listeners, &err) == 0)
        check(&listeners, public_too);
    else
        assert(err.text[0] && !strchr(err.text, '\n'));
    config_fini(&config);
    return 0;
}
