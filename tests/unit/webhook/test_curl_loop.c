/* SPDX-License-Identifier: MIT */
/* Transfers when libcurl has no memory: the real one, which is made to say so. */
#include <stdio.h>

#include "loop/loop.h"
#include "webhook/curl_loop.h"
#include "webhook_fixture.h"

static struct curl_api real;
static bool says_no;   /* the next time that it is called */
static bool said_no;   /* and must not be called any more */
static bool no_memory; /* for another one */

static CURLM *multi_init(void)
{
    if (no_memory)
        return NULL;
    said_no = false;
    return real.multi_init();
}

static CURLMcode multi_add_handle(CURLM *multi, CURL *easy)
{
    assert_false(said_no);
    return real.multi_add_handle(multi, easy);
}

static CURLMcode multi_socket_action(CURLM *multi, curl_socket_t fd, int events, int *ret_running)
{
    assert_false(said_no);
    said_no = says_no;
    return said_no ? CURLM_OUT_OF_MEMORY : real.multi_socket_action(multi, fd, events, ret_running);
}

struct client {
    struct loop *loop;
    struct curl_loop *transfers;
    CURL *easy;
    unsigned broken;
    unsigned ended;
    CURLcode result;
};

static void on_ended(void *transfer, CURLcode result)
{
    struct client *client = transfer;
    client->ended++;
    client->result = result;
    loop_stop(client->loop);
}

static void on_broken(void *context)
{
    struct client *client = context;
    client->broken++;
    curl_loop_remove(client->transfers, client->easy);
    loop_stop(client->loop);
}

static void run(struct fixture *fixture)
{
    loop_timer_start(fixture->late, 30000);
    loop_run(fixture->loop);
    loop_timer_stop(fixture->late);
    assert_false(fixture->was_late);
}

static void one_that_said_no_is_not_used_again(void **state)
{
    static const struct curl_loop_ops ops = {on_ended, on_broken};
    struct fixture *fixture = *state;
    struct client client = {.loop = fixture->loop};
    char url[64];
    fixture_serve(fixture, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)fixture->port);
    assert_int_equal(curl_api_load(&real, NULL), 0);
    struct curl_api api = real;
    api.multi_init = multi_init;
    api.multi_add_handle = multi_add_handle;
    api.multi_socket_action = multi_socket_action;
    client.transfers = curl_loop_new(&api, fixture->loop, &ops, &client);
    client.easy = real.easy_init();
    assert_int_equal(real.easy_setopt(client.easy, CURLOPT_URL, url), CURLE_OK);

    says_no = true;
    assert_int_equal(curl_loop_add(client.transfers, client.easy, &client), 0);
    run(fixture);
    assert_int_equal(client.broken, 1);

    no_memory = true;
    assert_int_equal(curl_loop_add(client.transfers, client.easy, &client), -1);

    says_no = no_memory = false;
    assert_int_equal(curl_loop_add(client.transfers, client.easy, &client), 0);
    run(fixture);
    assert_int_equal(client.ended, 1);
    assert_int_equal(client.result, CURLE_OK);

    real.easy_cleanup(client.easy);
    curl_loop_free(client.transfers);
    real.global_cleanup();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_said_no_is_not_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
