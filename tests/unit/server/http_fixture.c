/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "http_fixture.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX (8 * MIB)
#define LATE_MS 60000

void http_fixture_start(struct http_fixture *fixture, const struct http_route *routes,
                        void *context)
{
    struct err err = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    fixture->loop = loop_new();
    fixture->listener = (struct http_listener){"127.0.0.1", 0, NULL};
    fixture->mount = (struct http_mount){"test", routes, context};
    fixture->config.listeners = &fixture->listener;
    fixture->config.listener_count = 1;
    fixture->config.mounts = &fixture->mount;
    fixture->config.mount_count = 1;
    fixture->server = http_server_new(fixture->loop, &fixture->config, &err);
    if (!fixture->server || http_server_start(fixture->server, &err) < 0)
        fail_msg("%s", err.text);
    fixture->port = http_server_port(fixture->server, 0);
    buf_init(&fixture->answer, ANSWER_MAX);
}

void http_fixture_stop(struct http_fixture *fixture)
{
    http_server_free(fixture->server);
    loop_free(fixture->loop);
    buf_fini(&fixture->answer);
}

struct client {
    uint16_t port;
    void (*run)(int socket, void *context);
    void *context;
    struct loop_wake *ended;
    bool connected;
};

static void *run_client(void *context)
{
    struct client *client = context;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(client->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (client->connected)
        client->run(fd, client->context);
    (void)close(fd);
    loop_wake(client->ended);
    return NULL;
}

static void stop_loop(void *context)
{
    loop_stop(context);
}

static void on_late(void *context)
{
    (void)context;
    fail_msg("the client still waits");
}

void http_fixture_client(struct http_fixture *fixture, void (*run)(int socket, void *context),
                         void *context)
{
    struct client client = {fixture->port, run, context, NULL, false};
    client.ended = loop_wake_new(fixture->loop, stop_loop, fixture->loop);
    struct loop_timer *late = loop_timer_new(fixture->loop, on_late, NULL);
    loop_timer_start(late, LATE_MS);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_client, &client), 0);
    loop_run(fixture->loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    loop_wake_free(client.ended);
    loop_timer_free(late);
    assert_true(client.connected);
}

bool client_send(int socket, const void *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t count = send(socket, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        sent += (size_t)count;
    }
    return true;
}

void client_read(int socket, struct buf *answer)
{
    char bytes[16384];
    for (;;) {
        ssize_t count = recv(socket, bytes, sizeof bytes, 0);
        if (count <= 0)
            return;
        buf_add(answer, bytes, (size_t)count);
    }
}

struct question {
    const char *request;
    struct buf *answer;
};

static void ask(int socket, void *context)
{
    const struct question *question = context;
    (void)client_send(socket, question->request, strlen(question->request));
    client_read(socket, question->answer);
}

const char *http_fixture_ask(struct http_fixture *fixture, const char *request)
{
    struct question question = {request, &fixture->answer};
    buf_clear(&fixture->answer);
    http_fixture_client(fixture, ask, &question);
    return buf_text(&fixture->answer);
}

const char *http_fixture_get(struct http_fixture *fixture, const char *line, const char *headers)
{
    auto_buf struct buf request;
    buf_init(&request, 64 * KIB);
    buf_add_format(&request, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", line,
                   headers);
    return http_fixture_ask(fixture, buf_text(&request));
}

const char *answer_header(const char *answer, const char *name, char value[static 256])
{
    size_t len = strlen(name);
    const char *end = strstr(answer, "\r\n\r\n");
    value[0] = '\0';
    for (const char *at = answer; end && at && at < end; at = strstr(at + 1, "\r\n")) {
        const char *header = at + (at[0] == '\r' ? 2 : 0);
        if (strncasecmp(header, name, len) == 0 && strncmp(header + len, ": ", 2) == 0) {
            header += len + 2;
            (void)snprintf(value, 256, "%.*s", (int)strcspn(header, "\r"), header);
        }
    }
    return value;
}

int answer_status(const char *answer)
{
    int status = 0;
    return sscanf(answer, "HTTP/1.1 %3d ", &status) == 1 ? status : 0; /* NOLINT(cert-err34-c) */
}

const char *answer_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : "";
}
