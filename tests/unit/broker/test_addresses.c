/* SPDX-License-Identifier: MIT */
/* A name with several addresses, of which the first is dead in one way or another: packets to it
 * are lost (its backlog is full), or it takes connections and says nothing. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/amqp.h"
#include "fake_redis.h"
#include "loop/loop.h"

#define SEVERAL "several.invalid"

enum { TIMEOUT_MS = 400, CALLERS = 8 };

/* --- names --- */

typedef int look_up_fn(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found);

static atomic_uint answers; /* of SEVERAL */
static atomic_bool turns;   /* each answer in another order, as name servers do it */

/* In the place of libc's, for all of this program. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **found)
{
    look_up_fn *look_up = NULL;
    *(void **)&look_up = dlsym(RTLD_NEXT, "getaddrinfo");
    assert_non_null(look_up);
    if (strcmp(host, SEVERAL) != 0)
        return look_up(host, port, hints, found);
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.1"};
    unsigned first = turns ? answers++ % 2 : 0;
    int rc = look_up(addresses[first], port, hints, found);
    return rc != 0 ? rc : look_up(addresses[1 - first], port, hints, &(*found)->ai_next);
}

/* --- an address that is dead --- */

static const struct row {
    bool is_full; /* packets are lost; else it takes connections, and says nothing */
    bool turns;   /* the order */
} rows[] = {{false, false}, {false, true}, {true, false}, {true, true}};

struct dead {
    int listener;
    int callers[CALLERS];
};

static int call(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_true(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
                errno == EINPROGRESS);
    return fd;
}

static void dead_open(struct dead *dead, unsigned port, const struct row *row)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &address.sin_addr), 1);
    dead->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(dead->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(dead->listener, row->is_full ? 0 : CALLERS), 0);
    for (int i = 0; i < CALLERS; i++)
        dead->callers[i] = row->is_full ? call(&address) : -1;
    answers = 0;
    turns = row->turns;
}

static void dead_close(struct dead *dead)
{
    (void)close(dead->listener);
    for (int i = 0; i < CALLERS; i++) {
        if (dead->callers[i] >= 0)
            (void)close(dead->callers[i]);
    }
}

/* --- Redis --- */

static void redis_is_found_behind_a_dead_address(void **state)
{
    struct fake *fake = *state;
    char url[64];
    (void)snprintf(url, sizeof url, "redis://" SEVERAL ":%u", fake->port);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dead dead;
        dead_open(&dead, fake->port, &rows[i]);
        fake->notes[0] = '\0';
        fake_open_url(fake, url, "a test");
        fake_await(fake, "connected");
        redis_free(take_ptr(&fake->redis));
        dead_close(&dead);
    }
}

/* --- RabbitMQ --- */

struct client {
    struct loop *loop;
    char said[512]; /* of each loss, a line */
    unsigned losses;
};

static void on_lost(void *context, const struct err *err)
{
    struct client *client = context;
    size_t len = strlen(client->said);
    (void)snprintf(client->said + len, sizeof client->said - len, "%s\n", err->text);
    if (++client->losses == 2)
        loop_stop(client->loop);
}

/* Two attempts. At the second address is no broker: what is there hangs up. */
static void lose_twice(struct client *client, const char *url)
{
    struct err err;
    const struct amqp_config config = {
        .url = url,
        .timeout_ms = TIMEOUT_MS,
        .retry_ms = 10,
        .events = {.lost = on_lost},
        .context = client,
    };
    struct amqp *amqp = amqp_new(client->loop, &config, &err);
    assert_non_null(amqp);
    loop_run(client->loop);
    amqp_free(amqp, 0);
}

static void on_caller(void *context, unsigned ready)
{
    const int *listener = context;
    (void)ready;
    int fd = accept4(*listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
}

static void a_broker_is_found_behind_a_dead_address(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct client client = {.loop = loop_new()};
    char url[64];
    (void)state;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, CALLERS), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    struct loop_watch *watch =
        loop_watch_new(client.loop, listener, LOOP_READ, on_caller, &listener);
    unsigned port = ntohs(address.sin_port);
    (void)snprintf(url, sizeof url, "amqp://" SEVERAL ":%u", port);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dead dead;
        dead_open(&dead, port, &rows[i]);
        client.losses = 0;
        client.said[0] = '\0';
        lose_twice(&client, url);
        dead_close(&dead);
        if (!strstr(client.said, "has closed the connection") || strstr(client.said, "timed out"))
            fail_msg("row %zu: %s", i, client.said);
    }
    loop_watch_free(watch);
    (void)close(listener);
    loop_free(client.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(redis_is_found_behind_a_dead_address, fake_set_up,
                                        fake_tear_down),
        cmocka_unit_test(a_broker_is_found_behind_a_dead_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
