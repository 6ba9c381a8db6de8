/* SPDX-License-Identifier: MIT */
/* runs_stream.h — what WebSockets of live runs and of stored ones send alike. */
#ifndef RUNNEL_DIALECT_RUNS_STREAM_H
#define RUNNEL_DIALECT_RUNS_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct websocket;

extern const char *const runs_protocols[]; /* "runnel.bytes": NULL-ended */

/* A binary frame of the program's output. As websocket_send. */
bool runs_send_bytes(struct websocket *socket, bool is_stdout, uint64_t number, struct slice bytes);

#endif
