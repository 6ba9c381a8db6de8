/* SPDX-License-Identifier: MIT */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "broker/redis_private.h"

/* getaddrinfo may wait for name servers, half a minute and more: on a thread of the pool,
 * which nobody can take it from. Whoever does not want the answer any more leaves. */

struct redis_lookup {
    struct place url;
    redis_found_fn *found; /* NULL: abandoned */
    void *context;
    struct addrinfo *addresses;
    int status;
};

static int look_up(const struct place *url, int flags, struct addrinfo **ret_addresses)
{
    const struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | flags,
    };
    return getaddrinfo(url->host, url->port, &hints, ret_addresses);
}

static void work(void *context)
{
    struct redis_lookup *lookup = context;
    lookup->status = look_up(&lookup->url, 0, &lookup->addresses);
    if (lookup->status != 0)
        lookup->addresses = NULL;
}

static void on_done(void *context)
{
    struct redis_lookup *lookup = context;
    if (lookup->found)
        lookup->found(lookup->context, lookup->addresses,
                      lookup->status != 0 ? gai_strerror(lookup->status) : "");
    else if (lookup->addresses)
        freeaddrinfo(lookup->addresses);
    free(lookup);
}

struct redis_lookup *redis_lookup_new(struct loop *loop, const struct place *url,
                                      redis_found_fn *found, void *context)
{
    struct redis_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup)
        return NULL;
    lookup->url = *url;
    lookup->found = found;
    lookup->context = context;
    loop_work(loop, work, on_done, lookup);
    return lookup;
}

void redis_lookup_abandon(struct redis_lookup *lookup)
{
    if (lookup)
        lookup->found = NULL;
}

struct addrinfo *redis_lookup_figures(const struct place *url)
{
    struct addrinfo *addresses = NULL;
    return look_up(url, AI_NUMERICHOST, &addresses) == 0 ? addresses : NULL;
}
