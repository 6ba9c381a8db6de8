/* SPDX-License-Identifier: MIT */
/* websocket_wire.h — the bytes below the frames: what a socket gives and takes at
 * once, and what came with the handshake before it. */
#ifndef RUNNEL_SERVER_WEBSOCKET_WIRE_H
#define RUNNEL_SERVER_WEBSOCKET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

struct websocket_wire {
    int fd;      /* -1: not there yet */
    char *early; /* came with the handshake, and is not read yet */
    size_t early_len;
    size_t early_at;
    size_t turn; /* bytes read in this turn */
};

/* Takes the descriptor. False: there is no memory for what came early, which is
 * lost. */
bool wire_open(struct websocket_wire *wire, int fd, struct slice early);
/* True: there was a descriptor, which is closed. */
bool wire_close(struct websocket_wire *wire);

/* What came with the handshake shows in no watch: one for writing fires at once. */
bool wire_has_early(const struct websocket_wire *wire);
/* The others have had their turn. */
void wire_next_turn(struct websocket_wire *wire);
/* Bytes; 0: nothing now; -1: it is read to its end, or broken. */
ssize_t wire_read(struct websocket_wire *wire, void *buf, size_t len);
/* Bytes; 0: no room now; -1: broken. `more` follows at once. */
ssize_t wire_write(const struct websocket_wire *wire, const void *bytes, size_t len, bool more);
/* A Close frame as it is, with this code (0: none); only between two messages of ours. */
void wire_write_close(const struct websocket_wire *wire, uint16_t code);
/* Reads and drops what is there. False: there will be no more. */
bool wire_drain(const struct websocket_wire *wire);

#endif
