/* SPDX-License-Identifier: MIT */
/* A connection, from its first byte to its end, to a real server: its framing, its doors,
 * cookies, ranges, queries, forms, and the bodies of /execute over an engine that is played.
 * Everything is answered in HTTP or not at all. The client leaves when nothing comes any more. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/multipart.h"
#include "dialect/execute.h"
#include "fake_engine.h"
#include "loopback.h"
#include "os/fd.h"
#include "server/rate_limit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct world {
    struct engine engine;
    struct execute execute;
    struct client client;
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

static void set_up(void)
{
    static struct http_mount mounts[] = {{"test", routes, NULL},
                                         {EXECUTE_NAME, execute_routes, &world.execute}};
    static const char *const proxies[] = {"127.0.0.0/8", NULL};
    static const struct http_config config = {.mounts = mounts,
                                              .mount_count = 2,
                                              .trusted_proxies = proxies,
                                              .max_connections = 1024,
                                              .max_body = 16 * KIB,
                                              .timeout_s = 2};
    world.engine.loop = loopback_loop();
    world.execute =
        (struct execute){.engine = &world.engine, .limiter = rate_limiter_new(UINT32_MAX, 1000, 8)};
    loopback_serve(&config, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!world.engine.loop)
        set_up();
    client_come(&world.client);
    client_say(&world.client, bytes, size);
    loopback_turn();
    (void)client_status(&world.client);
    client_leave(&world.client);
    return 0;
}
