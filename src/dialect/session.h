/* SPDX-License-Identifier: MIT */
/* session.h — the dialect of clients of `POST /session`: a run is started, and
 * then attached to over a WebSocket, from its first byte on, as often as wanted.
 *
 *     POST /session          {"language", "code"} → {"sessionId"}
 *     GET  /ws/session/:id   out: {"state","type"} {"data","type"}   in: {"type":"input","data"}
 *
 * States are waiting, running, finished and terminated. A session whose last
 * client has left is ended a minute later.
 */
#ifndef RUNNEL_DIALECT_SESSION_H
#define RUNNEL_DIALECT_SESSION_H

#include "server/http.h"

struct engine;
struct catalogue;

#define SESSION_NAME "session"

struct session_dialect {
    struct engine *engine;
    const struct catalogue *catalogue;
};

extern const struct http_route session_routes[];

#endif
