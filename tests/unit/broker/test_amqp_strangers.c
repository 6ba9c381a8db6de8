/* SPDX-License-Identifier: MIT */
/* At the other end is no broker: a listener of our own, which says one thing and ends. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "broker/amqp.h"
#include "loop/loop.h"

struct world {
    struct loop *loop;
    int listener;
    char url[64];
    struct slice answer; /* to each; at NULL: none, and it stays open */
    int connection;
    struct loop_watch *watch;
    struct amqp *amqp;
    unsigned losses;
    unsigned losses_wanted;
    char said[sizeof(((struct err *)NULL)->text)];
};

static void on_accept(void *context, unsigned ready)
{
    struct world *world = context;
    (void)ready;
    int fd = accept4(world->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (world->answer.at) {
        (void)!write(fd, world->answer.at, world->answer.len);
        (void)shutdown(fd, SHUT_WR);
    }
    if (world->connection >= 0)
        (void)close(world->connection);
    world->connection = fd;
}

static void on_lost(void *context, const struct err *err)
{
    struct world *world = context;
    assert_int_equal(err->code, ERR_BROKER);
    memcpy(world->said, err->text, sizeof world->said);
    if (++world->losses == world->losses_wanted)
        loop_stop(world->loop);
}

static void on_connected(void *context)
{
    (void)context;
    fail_msg("that was no broker");
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_non_null(world);
    *state = world;
    world->loop = loop_new();
    world->connection = -1;
    world->losses_wanted = 1;
    world->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(world->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(world->listener, 8), 0);
    assert_int_equal(getsockname(world->listener, (struct sockaddr *)&address, &size), 0);
    world->watch = loop_watch_new(world->loop, world->listener, LOOP_READ, on_accept, world);
    int len = snprintf(world->url, sizeof world->url, "amqp://u:secret@127.0.0.1:%d/",
                       ntohs(address.sin_port));
    assert_in_range(len, 1, sizeof world->url - 1);
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    loop_watch_free(world->watch);
    (void)close(world->listener);
    if (world->connection >= 0)
        (void)close(world->connection);
    loop_free(world->loop);
    free(world);
    return 0;
}

static void connect_to(struct world *world, const char *url)
{
    struct err err;
    const struct amqp_config config = {
        .url = url,
        .timeout_ms = 300,
        .retry_ms = 10,
        .events = {.connected = on_connected, .lost = on_lost},
        .context = world,
    };
    world->amqp = amqp_new(world->loop, &config, &err);
    if (!world->amqp)
        fail_msg("%s", err.text);
}

static uint64_t free_ms(struct world *world)
{
    uint64_t began = loop_now_ns();
    amqp_free(world->amqp, 10000);
    return (loop_now_ns() - began) / NS_PER_MS;
}

#define BYTES(text)              \
    {                            \
        "" text, sizeof text - 1 \
    }

static void nonsense_is_a_loss_and_tried_again(void **state)
{
    static const struct slice rows[] = {
        BYTES(""),
        BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"),
        BYTES("AMQP\0\0\x09\x02"),
        BYTES("\x01\0\0\x7f\xff\xff\xff\0\x0a\0\x0a"),     /* a frame of 2 GiB */
        BYTES("\x01\0\0\0\0\0\x05\0\x0a\0\x0a\0\xce"),     /* a Start with nothing in it */
        BYTES("\x01\0\0\0\0\0\x40\0\x0a\0\x0a\0\x09\0\0"), /* cut in its middle */
        BYTES("\x01\0\0\0\0\0\x04\0\x0a\0\x0a\x55"),       /* no end of frame */
        BYTES("\x08\0\0\0\0\0\0\xce\x08\0\0\0\0\0\0\xce"), /* heartbeats */
        BYTES("\x02\0\1\0\0\0\x0e\0\x3c\0\0\0\0\0\0\0\0\0\0\0\0\xce"), /* a header of nothing */
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        world->answer = rows[i];
        world->losses = 0;
        world->losses_wanted = 2;
        connect_to(world, world->url);
        loop_run(world->loop);
        assert_null(strstr(world->said, "secret"));
        assert_in_range(free_ms(world), 0, 200);
    }
}

static void silence_is_a_loss(void **state)
{
    struct world *world = *state;
    connect_to(world, world->url);
    loop_run(world->loop);
    assert_non_null(strstr(world->said, "does not answer within 300 ms"));
    assert_in_range(free_ms(world), 0, 200);
}

static void a_name_that_is_none_is_a_loss(void **state)
{
    struct world *world = *state;
    connect_to(world, "amqp://u:secret@nobody.invalid/");
    loop_run(world->loop);
    assert_non_null(strstr(world->said, "nobody.invalid"));
    assert_in_range(free_ms(world), 0, 200);
}

static void leave_at_once(struct world *world, const char *url)
{
    connect_to(world, url);
    assert_in_range(free_ms(world), 0, 200);
}

static void it_can_be_left_while_it_connects(void **state)
{
    struct world *world = *state;
    leave_at_once(world, world->url);
    leave_at_once(world, "amqp://u:secret@nobody.invalid/");
    leave_at_once(world, "amqp://u:secret@127.0.0.1:1/");
    connect_to(world, world->url);
    (void)usleep(50000); /* the greeting waits for its answer */
    assert_in_range(free_ms(world), 0, 200);
}

static void free_at_loss(void *context, const struct err *err)
{
    struct world *world = context;
    (void)err;
    amqp_free(world->amqp, 0);
    loop_stop(world->loop);
}

static void a_callback_may_free_it(void **state)
{
    struct world *world = *state;
    struct err err;
    const struct amqp_config config = {
        .url = "amqp://127.0.0.1:1/", .events = {.lost = free_at_loss}, .context = world};
    world->amqp = amqp_new(world->loop, &config, &err);
    assert_non_null(world->amqp);
    loop_run(world->loop);
}

static void nothing_is_taken_without_a_connection(void **state)
{
    struct world *world = *state;
    struct err err = {0};
    const struct amqp_message message = {.exchange = "", .key = "k"};
    connect_to(world, world->url);
    assert_false(amqp_is_connected(world->amqp));
    assert_int_equal(amqp_publish(world->amqp, &message, 1, &err), -1);
    assert_int_equal(err.code, ERR_BROKER);
    assert_int_equal(amqp_get(world->amqp, "q", NULL, NULL, &err), -1);
    assert_int_equal(amqp_count(world->amqp, "q", NULL, NULL, &err), -1);
    amqp_settle(world->amqp, (struct amqp_ref){1, 1}, AMQP_ACK);
    amqp_hold(world->amqp, true);
    amqp_free(world->amqp, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nonsense_is_a_loss_and_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silence_is_a_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_is_none_is_a_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_left_while_it_connects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_callback_may_free_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_taken_without_a_connection, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
