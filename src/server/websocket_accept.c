/* SPDX-License-Identifier: MIT */
/* websocket_accept.c — from an HTTP request to a WebSocket (RFC 6455, 4.2). */
#include <fcntl.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/http_private.h"
#include "server/websocket_private.h"

enum {
    KEY_LEN = 24, /* base64 of 16 bytes */
    ANSWER_LEN = BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE),
};

/* Is `word` one of the comma-separated ones, in any case? */
static bool has_token(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at && *at;) {
        at += strspn(at, " \t,");
        size_t token = strcspn(at, " \t,");
        if (token == len && strncasecmp(at, word, len) == 0)
            return true;
        at += token;
    }
    return false;
}

bool websocket_wanted(const struct http_request *request)
{
    return has_token(http_request_header(request, "Upgrade"), "websocket");
}

static bool is_key(const char *key)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return key && strlen(key) == KEY_LEN && strspn(key, alphabet) == KEY_LEN - 2 &&
           strcmp(key + KEY_LEN - 2, "==") == 0;
}

/* The base64 of the SHA-1 of the key and a constant: proves that the request was
 * understood as what it is. */
static void sign(const char *key, char ret_answer[ANSWER_LEN + 1])
{
    static const char constant[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    struct sha1_ctx sha1;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&sha1);
    sha1_update(&sha1, strlen(key), (const uint8_t *)key);
    sha1_update(&sha1, sizeof constant - 1, (const uint8_t *)constant);
    sha1_digest(&sha1, sizeof digest, digest);
    base64_encode_raw(ret_answer, sizeof digest, digest);
    ret_answer[ANSWER_LEN] = '\0';
}

static void refuse(struct http_request *request, int status, const char *why)
{
    struct err err;
    auto_buf struct buf body;
    buf_init(&body, 4 * KIB);
    (void)err_set(&err, ERR_INVALID, "%s", why);
    http_write_err(&body, &err);
    http_add_header(request, "Sec-WebSocket-Version", "13");
    http_reply_take(request, status, "application/json; charset=utf-8", &body);
}

static bool check(struct http_request *request)
{
    const char *version = http_request_header(request, "Sec-WebSocket-Version");
    if (request->is_http_1_0)
        refuse(request, 426, "a WebSocket needs HTTP/1.1 (nginx: proxy_http_version 1.1)");
    else if (!websocket_wanted(request) ||
             !has_token(http_request_header(request, "Connection"), "upgrade"))
        refuse(request, 426, "this is served over a WebSocket: Upgrade: websocket is missing");
    else if (!version || strcmp(version, "13") != 0)
        refuse(request, 426, "Sec-WebSocket-Version must be 13");
    else if (!is_key(http_request_header(request, "Sec-WebSocket-Key")))
        refuse(request, 400, "Sec-WebSocket-Key must be 16 bytes in base64");
    else
        return true;
    return false;
}

static const char *choose(const struct http_request *request, const char *const *protocols)
{
    const char *offered = http_request_header(request, "Sec-WebSocket-Protocol");
    for (; offered && protocols && *protocols; protocols++) {
        if (has_token(offered, *protocols))
            return *protocols;
    }
    return NULL;
}

/* libmicrohttpd has written the answer and is done with the connection. It goes
 * on to close its descriptor; the socket is ours by another. */
/* NOLINTNEXTLINE(readability-function-size): the parameters are libmicrohttpd's */
static void on_upgraded(void *context, struct MHD_Connection *mhd, void *request_context,
                        const char *early, size_t early_len, MHD_socket fd,
                        struct MHD_UpgradeResponseHandle *handle)
{
    (void)context;
    struct http_connection *connection = connection_of(mhd);
    struct http_request *request = request_context;
    struct websocket *socket = request->websocket;
    request->websocket = NULL;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        websocket_failed(socket);
    } else {
        connection->is_handed_over = true;
        websocket_open(socket, own, (struct slice){early, early_len});
    }
    (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
    server_run_soon(connection->server);
}

struct websocket *websocket_accept(struct http_request *request,
                                   const struct websocket_config *config)
{
    char answer[ANSWER_LEN + 1];
    if (!check(request))
        return NULL;
    const char *protocol = choose(request, config->protocols);
    struct websocket *socket = websocket_new(request->server, config, protocol, request->holder);
    if (!socket) {
        refuse(request, 503, "out of memory");
        return NULL;
    }
    websocket_set_caller(socket, request->key, request->match.mount);
    sign(http_request_header(request, "Sec-WebSocket-Key"), answer);
    http_add_header(request, "Upgrade", "websocket");
    http_add_header(request, "Sec-WebSocket-Accept", answer);
    if (protocol)
        http_add_header(request, "Sec-WebSocket-Protocol", protocol);
    request->websocket = socket;
    http_reply_upgrade(request, on_upgraded);
    return socket;
}
