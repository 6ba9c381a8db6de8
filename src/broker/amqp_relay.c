/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "broker/amqp_private.h"

void *item_new(enum item_kind kind, size_t size, uint64_t connection)
{
    struct item *item = calloc(1, size);
    if (!item) {
        (void)fprintf(stderr, "the broker's connection: out of memory\n");
        abort();
    }
    list_init(&item->link);
    item->kind = kind;
    item->connection = connection;
    return item;
}

void item_free(struct item *item)
{
    if (item->kind == ITEM_QUESTION)
        free(CONTAINER_OF(item, struct question, item)->found);
    free(item);
}

static void free_all(struct list *items)
{
    while (!list_empty(items)) {
        struct item *item = CONTAINER_OF(items->next, struct item, link);
        list_remove(&item->link);
        item_free(item);
    }
}

static void move_all(struct list *from, struct list *into)
{
    while (!list_empty(from)) {
        struct list *link = from->next;
        list_remove(link);
        list_append(into, link);
    }
}

int relay_init(struct relay *relay, struct err *err)
{
    list_init(&relay->orders);
    list_init(&relay->news);
    relay->socket = -1;
    pthread_condattr_t clock;
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&relay->over, &clock);
    (void)pthread_condattr_destroy(&clock);
    (void)pthread_mutex_init(&relay->mutex, NULL);
    relay->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return relay->bell < 0 ? err_sys(err, errno, "the broker's connection: eventfd") : 0;
}

void relay_fini(struct relay *relay)
{
    free_all(&relay->orders);
    free_all(&relay->news);
    if (relay->bell >= 0)
        (void)close(relay->bell);
    (void)pthread_cond_destroy(&relay->over);
    (void)pthread_mutex_destroy(&relay->mutex);
}

static void lock(struct relay *relay)
{
    (void)pthread_mutex_lock(&relay->mutex);
}

static void unlock(struct relay *relay)
{
    (void)pthread_mutex_unlock(&relay->mutex);
}

static void ring(struct relay *relay)
{
    const uint64_t one = 1;
    (void)!write(relay->bell, &one, sizeof one); /* full means rung */
}

void relay_order(struct relay *relay, struct item *item)
{
    lock(relay);
    bool was_empty = list_empty(&relay->orders);
    list_append(&relay->orders, &item->link);
    unlock(relay);
    if (was_empty) /* else the thread has not taken what it was rung for */
        ring(relay);
}

void relay_hold(struct relay *relay, bool hold)
{
    lock(relay);
    relay->is_held = hold;
    unlock(relay);
    ring(relay);
}

void relay_take_news(struct relay *relay, struct list *news)
{
    lock(relay);
    move_all(&relay->news, news);
    unlock(relay);
}

void relay_end(struct relay *relay, uint64_t linger_ms)
{
    uint64_t until_ns = loop_now_ns() + linger_ms * NS_PER_MS;
    struct timespec until = {(time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S)};
    lock(relay);
    relay->ends = true;
    ring(relay);
    int rc = linger_ms > 0 ? 0 : ETIMEDOUT;
    while (rc == 0 && !relay->is_over)
        rc = pthread_cond_timedwait(&relay->over, &relay->mutex, &until);
    relay->is_abandoned = true;
    if (relay->socket >= 0)
        (void)shutdown(relay->socket, SHUT_RDWR);
    unlock(relay);
    ring(relay);
}

void relay_say_over(struct relay *relay)
{
    lock(relay);
    relay->is_over = true;
    (void)pthread_cond_signal(&relay->over);
    unlock(relay);
}

void relay_tell(struct relay *relay, struct item *item)
{
    lock(relay);
    bool was_empty = list_empty(&relay->news);
    list_append(&relay->news, &item->link);
    unlock(relay);
    if (was_empty)
        loop_wake(relay->wake);
}

void relay_take_orders(struct relay *relay, struct list *orders)
{
    lock(relay);
    move_all(&relay->orders, orders);
    unlock(relay);
}

bool relay_is_held(struct relay *relay)
{
    lock(relay);
    bool is_held = relay->is_held;
    unlock(relay);
    return is_held;
}

bool relay_ends(struct relay *relay)
{
    lock(relay);
    bool ends = relay->ends;
    unlock(relay);
    return ends;
}

bool relay_lend_socket(struct relay *relay, int fd)
{
    lock(relay);
    bool is_wanted = !relay->is_abandoned;
    if (is_wanted)
        relay->socket = fd;
    unlock(relay);
    return is_wanted;
}

void relay_close_socket(struct relay *relay)
{
    lock(relay);
    if (relay->socket >= 0)
        (void)close(relay->socket);
    relay->socket = -1;
    unlock(relay);
}

/* poll's, rounded up: a wait of less than 1 ms would spin. */
static int ms_until(uint64_t until_ns)
{
    uint64_t now = loop_now_ns();
    uint64_t ms = until_ns > now ? (until_ns - now + NS_PER_MS - 1) / NS_PER_MS : 0;
    return (int)MIN(ms, 1000000);
}

int relay_wait(struct relay *relay, int fd, short events, uint64_t until_ns)
{
    struct pollfd polls[] = {
        {.fd = relay->bell, .events = POLLIN},
        {.fd = fd, .events = events},
    };
    if (poll(polls, ARRAY_LEN(polls), ms_until(until_ns)) <= 0)
        return 0;
    if (polls[0].revents) {
        uint64_t count;
        (void)!read(relay->bell, &count, sizeof count);
    }
    return polls[1].revents != 0;
}
