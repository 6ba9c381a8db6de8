/* SPDX-License-Identifier: MIT */
/* serve_fake — the HTTP server and the dialects over the fake engine, for
 * tests/dialect, as long as its standard input stays open.
 *
 *     serve_fake [timeout_s=N] [connections=N] [rate=N] [full] [draining]
 *
 * Prints the ports of its listeners, one a line: default, IPv6, one named
 * "execute", and 0.0.0.0. Then one line a second that something has changed:
 * runs that run, and runs that were cancelled.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dialect/execute.h"
#include "fake_engine.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "server/http.h"
#include "server/rate_limit.h"

static const struct http_listener listeners[] = {
    {"127.0.0.1", 0, NULL},
    {"::1", 0, NULL},
    {"127.0.0.1", 0, EXECUTE_NAME},
    {"0.0.0.0", 0, NULL},
};

static void handle_capture(struct http_request *request, void *context)
{
    (void)context;
    const char *query = http_request_query(request, "q");
    char text[256];
    (void)snprintf(text, sizeof text, "%s|%s|%s|%s", http_request_capture(request, "id"),
                   query ? query : "-", http_request_client(request),
                   http_request_from_loopback(request) ? "loopback" : "elsewhere");
    http_reply(request, 200, "text/plain", slice_of(text));
}

static void handle_echo(struct http_request *request, void *context)
{
    (void)context;
    http_reply(request, 200, "application/octet-stream", http_request_body(request));
}

static const struct http_route test_routes[] = {
    {"GET", "/test/:id/end", 0, handle_capture, NULL},
    {"POST", "/test/echo", 64 * KIB, handle_echo, NULL},
    {0},
};

struct served {
    struct loop *loop;
    struct http_server *server;
};

static void on_stdin(void *context, unsigned ready)
{
    (void)ready;
    struct served *served = context;
    char bytes[64];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count == 0)
        loop_stop(served->loop);
    else if (count > 0 && bytes[0] == 'q')
        http_server_quiesce(served->server);
}

static void on_line(const char *line, unsigned long len)
{
    (void)fwrite(line, 1, len, stdout);
    (void)fflush(stdout);
}

static unsigned option(int argc, char **argv, const char *name, unsigned otherwise)
{
    size_t len = strlen(name);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, len) != 0)
            continue;
        return argv[i][len] == '=' ? (unsigned)strtoul(argv[i] + len + 1, NULL, 10) : 1;
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    struct served served = {.loop = loop_new()};
    struct engine engine = {.loop = served.loop, .full = option(argc, argv, "full", 0)};
    struct execute execute = {
        .engine = &engine,
        .limiter = rate_limiter_new(option(argc, argv, "rate", 100), 60000, 8),
        .rate_limit_loopback = option(argc, argv, "rate", 0),
        .draining = option(argc, argv, "draining", 0),
    };
    const struct http_mount mounts[] = {{"test", test_routes, NULL},
                                        {EXECUTE_NAME, execute_routes, &execute}};
    const char *const names[] = {"code.example.com", NULL};
    const char *const origins[] = {"https://app.example.com", NULL};
    const char *const proxies[] = {"127.0.0.3", "10.0.0.0/8", NULL};
    const struct http_config config = {
        .listeners = listeners,
        .listener_count = ARRAY_LEN(listeners),
        .mounts = mounts,
        .mount_count = ARRAY_LEN(mounts),
        .server_names = names,
        .cors_origins = origins,
        .trusted_proxies = proxies,
        .max_connections = option(argc, argv, "connections", 1024),
        .timeout_s = option(argc, argv, "timeout_s", 30),
    };
    struct err err;
    log_set_sink(on_line);
    served.server = http_server_new(served.loop, &config, &err);
    if (!served.server || http_server_start(served.server, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(listeners); i++)
        (void)printf("%u\n", (unsigned)http_server_port(served.server, i));
    (void)fflush(stdout);
    struct loop_watch *watch =
        loop_watch_new(served.loop, STDIN_FILENO, LOOP_READ, on_stdin, &served);
    loop_run(served.loop);
    loop_watch_free(watch);
    http_server_free(served.server);
    (void)printf("running %zu cancelled %zu\n", engine.running, engine.cancelled);
    rate_limiter_free(execute.limiter);
    loop_free(served.loop);
    return 0;
}
