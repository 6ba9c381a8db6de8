/* SPDX-License-Identifier: MIT */
#include "webhook_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/loop.h"

static void on_late(void *context)
{
    struct fixture *fixture = context;
    fixture->was_late = true;
    loop_stop(fixture->loop);
}

int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_non_null(fixture);
    fixture->requests = -1;
    fixture->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fixture->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fixture->listener, 64), 0);
    assert_int_equal(getsockname(fixture->listener, (struct sockaddr *)&address, &size), 0);
    fixture->port = ntohs(address.sin_port);
    fixture->loop = loop_new();
    fixture->late = loop_timer_new(fixture->loop, on_late, fixture);
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    webhooks_free(fixture->webhooks);
    loop_timer_free(fixture->late);
    loop_free(fixture->loop);
    if (fixture->server > 0) {
        (void)kill(fixture->server, SIGKILL);
        (void)waitpid(fixture->server, NULL, 0);
        (void)munmap(fixture->given, sizeof *fixture->given);
    }
    if (fixture->requests >= 0)
        (void)close(fixture->requests);
    (void)close(fixture->listener);
    bool was_late = fixture->was_late;
    free(fixture);
    return was_late ? -1 : 0;
}

/* --- the server --- */

/* Until the body is there, whose length the head tells; a request that tells none has none. */
static void take_request(int socket, int pipe)
{
    static char text[REQUEST_MAX];
    size_t len = 0;
    for (;;) {
        ssize_t got = read(socket, text + len, sizeof text - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        text[len] = '\0';
        const char *body = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        size_t body_len = length ? strtoul(length + 16, NULL, 10) : 0;
        if (body && len >= (size_t)(body + 4 - text) + body_len)
            break;
    }
    (void)!write(pipe, text, len);
}

/* As far as it is taken; *given counts the body. */
static void give_answer(int socket, const char *answer, uint64_t body_bytes, uint64_t *given)
{
    static char zeros[64 * 1024];
    (void)!write(socket, answer, strlen(answer));
    while (body_bytes > 0) {
        ssize_t put = write(socket, zeros, MIN(body_bytes, sizeof zeros));
        if (put <= 0)
            break;
        body_bytes -= (uint64_t)put;
        *given += (uint64_t)put;
    }
}

static void serve(const struct fixture *fixture, int pipe, const char *answer, uint64_t body_bytes)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int socket = accept(fixture->listener, NULL, NULL);
        if (socket < 0)
            _exit(1);
        take_request(socket, pipe);
        if (answer) {
            give_answer(socket, answer, body_bytes, fixture->given);
            (void)close(socket);
        } /* else it stays open */
    }
}

void fixture_serve(struct fixture *fixture, const char *answer, uint64_t body_bytes)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    fixture->given = mmap(NULL, sizeof *fixture->given, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(fixture->given, MAP_FAILED);
    fixture->server = fork();
    if (fixture->server == 0)
        serve(fixture, fds[1], answer, body_bytes);
    (void)close(fds[1]);
    fixture->requests = fds[0];
}

size_t fixture_requests(struct fixture *fixture, char text[REQUEST_MAX])
{
    ssize_t len = read(fixture->requests, text, REQUEST_MAX - 1);
    text[len > 0 ? len : 0] = '\0';
    return len > 0 ? (size_t)len : 0;
}

/* --- the client --- */

void fixture_open(struct fixture *fixture, const char *allowed, uint64_t timeout_ms,
                  unsigned at_once)
{
    const char *const networks[] = {allowed, NULL};
    const struct webhooks_config config = {
        .allowed = networks,
        .timeout_ms = timeout_ms,
        .at_once = at_once,
    };
    struct err err = {0};
    fixture->webhooks = webhooks_new(fixture->loop, &config, &err);
    assert_string_equal(err.text, "");
}

static void on_done(void *context, int status, const struct err *err)
{
    struct fixture *fixture = context;
    assert_true(fixture->count < RESULTS_MAX);
    assert_true((status == 0) == (err != NULL));
    fixture->results[fixture->count] = (struct result){.status = status, .has_err = err != NULL};
    if (err)
        fixture->results[fixture->count].err = *err;
    if (++fixture->count == fixture->awaited)
        loop_stop(fixture->loop);
}

int fixture_post(struct fixture *fixture, const char *host, const char *path, const char *body,
                 struct err *err)
{
    char url[512];
    (void)snprintf(url, sizeof url, "http://%s:%u%s", host, (unsigned)fixture->port, path);
    const struct webhook_message message = {
        .url = url,
        .id = "run_1",
        .body = slice_of(body),
        .secret = slice_of(FIXTURE_SECRET),
    };
    return webhook_post(fixture->webhooks, &message, on_done, fixture, err);
}

void fixture_await(struct fixture *fixture, size_t count)
{
    fixture->awaited = count;
    loop_timer_start(fixture->late, 30000);
    if (fixture->count < count)
        loop_run(fixture->loop);
    loop_timer_stop(fixture->late);
    assert_int_equal(fixture->count, count);
}
