/* SPDX-License-Identifier: MIT */
/* interactive.h — the dialect of clients that run programs over Socket.IO:
 *
 *     in    execute-interactive {language, code}      input {data, executionId}
 *     out   execution-start {executionId}             output {data[, type]}
 *           execution-complete {status[, exitCode, executionId]}     error {message}
 *
 * A client may have several runs; all of them end when it leaves.
 */
#ifndef RUNNEL_DIALECT_INTERACTIVE_H
#define RUNNEL_DIALECT_INTERACTIVE_H

#include <stdbool.h>

#include "server/engineio.h"

struct catalogue;
struct engine;
struct rate_limiter;

#define INTERACTIVE_NAME "interactive"

/* The context of its sessions, filled in by the caller. */
struct interactive {
    struct engine *engine;
    const struct catalogue *catalogue;
    struct rate_limiter *limiter; /* of starts, together with /execute's requests */
    bool rate_limit_loopback;
};

extern const struct engineio_owner_ops interactive_ops;

#endif
