/* SPDX-License-Identifier: MIT */
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/amqp_private.h"

/* getaddrinfo may wait for name servers, half a minute and more, and nobody can take it
 * from that: on a thread of its own, which both sides leave when they will. */

struct lookup {
    struct place place;
    struct addrinfo *found;
    int status;
    int done; /* an eventfd */
    atomic_bool is_done;
    atomic_int users;
};

static int look_up(const struct place *place, int flags, struct addrinfo **ret_found)
{
    const struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | flags,
    };
    return getaddrinfo(place->host, place->port, &hints, ret_found);
}

static void leave(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->users, 1) > 1)
        return;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    (void)close(lookup->done);
    free(lookup);
}

static void *work(void *context)
{
    struct lookup *lookup = context;
    lookup->status = look_up(&lookup->place, 0, &lookup->found);
    if (lookup->status != 0)
        lookup->found = NULL;
    atomic_store(&lookup->is_done, true);
    const uint64_t one = 1;
    (void)!write(lookup->done, &one, sizeof one);
    leave(lookup);
    return NULL;
}

/* Signals are blocked here already, as in the thread that starts it. */
static struct lookup *start(const struct place *place)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup)
        return NULL;
    lookup->place = *place;
    lookup->users = 2;
    lookup->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_t thread;
    if (lookup->done < 0 || pthread_create(&thread, NULL, work, lookup) != 0) {
        lookup->users = 1;
        leave(lookup);
        return NULL;
    }
    (void)pthread_detach(thread);
    return lookup;
}

static int look_up_name(struct relay *relay, const struct place *place, uint64_t until_ns,
                        struct addrinfo **ret_found, struct err *err)
{
    struct lookup *lookup = start(place);
    if (!lookup)
        return err_set(err, ERR_BROKER, "the broker's name %s cannot be looked up: no thread",
                       place->host);
    while (!atomic_load(&lookup->is_done) && loop_now_ns() < until_ns && !relay_ends(relay))
        (void)relay_wait(relay, lookup->done, POLLIN, until_ns);
    int rc = 0;
    if (!atomic_load(&lookup->is_done))
        rc = err_set(err, ERR_BROKER, "the broker's name %s is not answered for in time",
                     place->host);
    else if (!lookup->found)
        rc = err_set(err, ERR_BROKER, "the broker's name %s: %s", place->host,
                     gai_strerror(lookup->status));
    else {
        *ret_found = lookup->found;
        lookup->found = NULL;
    }
    leave(lookup);
    return rc;
}

int lookup_place(struct relay *relay, const struct place *place, uint64_t until_ns,
                 struct addrinfo **ret_found, struct err *err)
{
    if (look_up(place, AI_NUMERICHOST, ret_found) == 0)
        return 0;
    return look_up_name(relay, place, until_ns, ret_found, err);
}
