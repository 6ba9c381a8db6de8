/* SPDX-License-Identifier: MIT */
/* engineio_http.h — Engine.IO's requests and WebSockets at /socket.io/, joined to
 * its sessions (engineio.h says which call belongs to what).
 *
 * The mount's context is the struct engineio, made with this transport:
 *
 *     engineio_new(loop, &(struct engineio_config){.transport = &engineio_http_transport, …
 *     mount = (struct http_mount){"interactive", engineio_http_routes, engineio};
 */
#ifndef RUNNEL_SERVER_ENGINEIO_HTTP_H
#define RUNNEL_SERVER_ENGINEIO_HTTP_H

#include "server/engineio.h"
#include "server/http.h"

extern const struct engineio_transport_ops engineio_http_transport;
extern const struct http_route engineio_http_routes[];

#endif
