/* SPDX-License-Identifier: MIT */
#include "server/websocket_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

/* What one socket may bring in before the others have their turn. */
#define READ_A_TURN (128 * KIB)

bool wire_open(struct websocket_wire *wire, int fd, struct slice early)
{
    wire->fd = fd;
    if (early.len == 0)
        return true;
    wire->early = malloc(early.len);
    if (!wire->early)
        return false;
    memcpy(wire->early, early.at, early.len);
    wire->early_len = early.len;
    return true;
}

bool wire_close(struct websocket_wire *wire)
{
    free(wire->early);
    return wire->fd >= 0 && (close(wire->fd), true);
}

bool wire_has_early(const struct websocket_wire *wire)
{
    return wire->early_at < wire->early_len;
}

void wire_next_turn(struct websocket_wire *wire)
{
    wire->turn = 0;
}

/* Of a call on a socket: what is not there now is nothing, not an end. */
static ssize_t none_or_broken(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
}

static ssize_t read_early(struct websocket_wire *wire, void *buf, size_t len)
{
    size_t count = MIN(len, wire->early_len - wire->early_at);
    memcpy(buf, wire->early + wire->early_at, count);
    wire->early_at += count;
    return (ssize_t)count;
}

ssize_t wire_read(struct websocket_wire *wire, void *buf, size_t len)
{
    ssize_t count = 0;
    if (wire_has_early(wire))
        return read_early(wire, buf, len);
    if (wire->turn >= READ_A_TURN)
        return 0;
    do {
        count = recv(wire->fd, buf, len, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count == 0)
        return -1;
    if (count < 0)
        return none_or_broken();
    wire->turn += (size_t)count;
    return count;
}

ssize_t wire_write(const struct websocket_wire *wire, const void *bytes, size_t len, bool more)
{
    ssize_t count = 0;
    do {
        count = send(wire->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    } while (count < 0 && errno == EINTR);
    return count < 0 ? none_or_broken() : count;
}

void wire_write_close(const struct websocket_wire *wire, uint16_t code)
{
    char len = code != 0 ? 2 : 0;
    const char frame[] = {(char)0x88, len, (char)(code >> 8), (char)code}; /* RFC 6455, 5.5.1 */
    (void)wire_write(wire, frame, sizeof frame - 2 + (size_t)len, false);
}

bool wire_drain(const struct websocket_wire *wire)
{
    char bytes[16 * KIB];
    ssize_t count = recv(wire->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}
