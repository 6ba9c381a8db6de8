/* SPDX-License-Identifier: MIT */
/* A connection, from its first byte to its end, to a real server: its framing, its doors,
 * cookies, ranges, queries, forms, and the bodies of /execute over an engine that is played.
 * Everything is answered in HTTP or not at all. The client leaves when nothing comes any more. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/multipart.h"
#include "dialect/execute.h"
#include "fake_engine.h"
#include "loop/loop.h"
#include "observe/log.h"
#include "os/fd.h"
#include "server/http.h"
#include "server/rate_limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { QUIET_TURNS = 8, ANSWER_START = 9 };

static struct world {
    struct loop *loop;
    struct http_server *server;
    struct loop_task *turn;
    unsigned quiet; /* turns of the loop since something came */
    struct engine engine;
    struct execute execute;
    int client;
    struct loop_watch *watch;
    char start[ANSWER_START]; /* of all answers */
    size_t start_len;
} world;

/* ---- a dialect that looks at everything ---- */

static void handle_look(struct http_request *request, void *context)
{
    char cookie[32];
    const char *query = http_request_query(request, "q");
    (void)context;
    if (http_request_cookie(request, "runnel", cookie, sizeof cookie))
        assert(strlen(cookie) < sizeof cookie);
    assert(http_request_client(request)[0] && http_request_capture(request, "id"));
    http_reply(request, 200, "text/plain", slice_of(query ? query : "-"));
}

static void handle_file(struct http_request *request, void *context)
{
    static const char text[] = "the bytes of a file";
    (void)context;
    int fd = fd_from_bytes("file", text, sizeof text);
    assert(fd >= 0);
    http_reply_file(request, "application/octet-stream", "\"tag\"", fd, sizeof text);
}

static void handle_body(struct http_request *request, void *context)
{
    char boundary[MULTIPART_BOUNDARY_SIZE];
    const char *type = http_request_header(request, "Content-Type");
    (void)context;
    assert(http_request_body(request).len <= http_request_max_body(request));
    if (type)
        (void)multipart_boundary(type, boundary);
    http_reply(request, 200, "application/octet-stream", http_request_body(request));
}

static const struct http_route routes[] = {
    {"GET", "/look/:id", 0, handle_look, NULL, .access = HTTP_OPEN},
    {"*", "/file", 0, handle_file, NULL, .access = HTTP_OPEN},
    {"POST", "/body", 4 * KIB, handle_body, NULL, .access = HTTP_OPEN},
    {0},
};

static void ignore_line(const char *line, unsigned long len)
{
    (void)line, (void)len;
}

/* The server is on this loop: what it has to do for us it does in its turns. */
static void on_turn(void *context)
{
    (void)context;
    if (++world.quiet < QUIET_TURNS)
        loop_task_schedule(world.turn);
    else
        loop_stop(world.loop);
}

static void set_up(void)
{
    static const struct http_listener listener = {"127.0.0.1", 0, NULL};
    static struct http_mount mounts[] = {{"test", routes, NULL},
                                         {EXECUTE_NAME, execute_routes, &world.execute}};
    static const char *const proxies[] = {"127.0.0.0/8", NULL};
    static const struct http_config config = {.listeners = &listener,
                                              .listener_count = 1,
                                              .mounts = mounts,
                                              .mount_count = 2,
                                              .trusted_proxies = proxies,
                                              .max_connections = 1024,
                                              .max_body = 16 * KIB,
                                              .timeout_s = 2};
    struct err err = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    log_set_sink(ignore_line);
    world.loop = loop_new();
    world.engine.loop = world.loop;
    world.execute =
        (struct execute){.engine = &world.engine, .limiter = rate_limiter_new(UINT32_MAX, 1000, 8)};
    world.server = http_server_new(world.loop, &config, &err);
    int rc = world.server ? http_server_start(world.server, &err) : -1;
    assert(rc == 0);
    world.turn = loop_task_new(world.loop, on_turn, NULL);
}

/* ---- the client ---- */

static void on_readable(void *context, unsigned ready)
{
    char bytes[16 * 1024];
    (void)context, (void)ready;
    ssize_t got = recv(world.client, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) { /* and so for ever */
        loop_watch_set(world.watch, 0);
        return;
    }
    world.quiet = 0;
    size_t more = MIN((size_t)got, ANSWER_START - world.start_len);
    memcpy(world.start + world.start_len, bytes, more);
    world.start_len += more;
}

static void connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(world.server, 0)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger at_once = {1, 0}; /* or its port would rest for a minute */
    world.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = connect(world.client, (struct sockaddr *)&address, sizeof address);
    assert(rc == 0);
    (void)setsockopt(world.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!world.loop)
        set_up();
    connect_client();
    world.start_len = 0;
    (void)send(world.client, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    world.watch = loop_watch_new(world.loop, world.client, LOOP_READ, on_readable, NULL);
    world.quiet = 0;
    loop_task_schedule(world.turn);
    loop_run(world.loop);
    loop_watch_free(world.watch);
    (void)close(world.client);
    assert(memcmp(world.start, "HTTP/1.1 ", MIN(world.start_len, ANSWER_START)) == 0);
    return 0;
}
