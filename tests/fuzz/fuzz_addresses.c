/* SPDX-License-Identifier: MIT */
/* Addresses in all the forms in which strangers and operators write them: hosts, origins,
 * who asked a proxy, webhooks, networks, brokers, positions. A line each, tried as all. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/util.h"
#include "broker/amqp.h"
#include "broker/redis_private.h"
#include "lines.h"
#include "server/doors.h"
#include "server/framing.h"
#include "server/http.h"
#include "webhook/webhook.h"
#include "webhook/webhook_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SECRET_MIN = 24 }; /* no shorter words are in what is said */

static void try_address(struct slice text)
{
    char written[ADDRESS_TEXT_SIZE];
    struct address address;
    struct address again;
    if (address_parse(text, &address) == 0) {
        assert(address_parse(slice_of(address_format(&address, written)), &again) == 0);
        assert(memcmp(&address, &again, sizeof address) == 0);
    }
    (void)address_parse_forwarded(text, &address);
}

/* Nobody may let in what is refused, or the loopback unless it is named. */
static void try_network(const char *text)
{
    const char *const allowed[] = {text, NULL};
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct webhook_networks networks;
    struct network network;
    struct err err = {0};
    if (webhook_networks_init(&networks, allowed, &err) == 0) {
        struct webhook_networks none;
        (void)webhook_networks_admit(&networks, (struct sockaddr *)&loopback);
        int rc = webhook_networks_init(&none, NULL, &err);
        assert(rc == 0 && !webhook_networks_admit(&none, (struct sockaddr *)&loopback));
        webhook_networks_fini(&none);
        webhook_networks_fini(&networks);
    } else {
        assert(err.text[0]);
    }
    (void)network_parse(text, &network);
}

static void try_url(const char *text)
{
    struct err err = {0};
    struct place place;
    if (webhook_check_url(text, &err) == 0)
        assert(!strpbrk(text, "\r\n \\") && strstr(text, "://") &&
               strncasecmp(text, "http", 4) == 0);
    else
        assert(err.text[0]);
    /* It may hold a password. */
    if (redis_url_parse(text, &place, &err) == 0)
        assert(place.host[0] && place.port[0]);
    else
        assert(strlen(text) < SECRET_MIN || !strstr(err.text, text));
    if (amqp_check_url(text, &err) < 0)
        assert(strlen(text) < SECRET_MIN || !strstr(err.text, text));
}

static void try_doors(const char *text)
{
    static const char *const names[] = {"code.example.com", NULL};
    const char *const list[] = {text, NULL};
    static const struct address peer = {.bytes = {[10] = 0xFF, 0xFF, 10, 0, 0, 1}};
    static const char *const proxies[] = {"10.0.0.0/8", NULL};
    struct http_config config = {
        .server_names = names, .cors_origins = list, .trusted_proxies = proxies};
    struct doors doors;
    struct err err = {0};
    char written[ADDRESS_TEXT_SIZE];
    if (doors_init(&doors, &config, &err) < 0) {
        assert(err.text[0]);
        config.cors_origins = NULL;
        int rc = doors_init(&doors, &config, &err);
        assert(rc == 0);
    }
    (void)doors_host_allowed(&doors, text, true);
    (void)doors_host_allowed(&doors, text, false);
    (void)doors_origin(&doors, text, "http", "localhost");
    (void)doors_origin(&doors, "http://localhost", "http", text);
    struct address client = doors_client(&doors, &peer, slice_of(text));
    (void)address_format(&client, written);
    doors_fini(&doors);
}

static void try_line(char *line)
{
    char *copy = strdup(line); /* with nothing behind it */
    assert(copy);
    uint64_t value = 0;
    try_address(slice_of(copy));
    try_network(copy);
    try_url(copy);
    try_doors(copy);
    (void)framing_target_valid(copy);
    for (int i = 0; i < LIMIT_KINDS; i++) {
        if (limit_parse((enum limit)i, copy, &value) == 0)
            assert(value <= limit_info((enum limit)i)->largest);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_each_line(bytes, size, try_line);
    return 0;
}
