/* SPDX-License-Identifier: MIT */
/* netns.h — a pool of network namespaces with a loopback and nothing else.
 *
 * Making one costs 0.4 ms, entering one 6 µs. A used one rests for at least
 * 100 ms (a socket in flight can outlive its process) and comes back only if no
 * socket is left in it and its counters are those of a new one, so that the
 * next box cannot tell; else it is thrown away. First in, first out.
 *
 * Only the spawner calls this. Every call but netns_open_pool leaves this
 * process in the namespace in which it found it.
 */
#ifndef RUNNEL_SANDBOX_NETNS_H
#define RUNNEL_SANDBOX_NETNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct netns_pool;
struct netns;

/* proc_fd: a directory descriptor of the host's /proc, borrowed. Remembers the
 * present namespace as home and makes `reserve` of them. */
int netns_open_pool(int proc_fd, size_t reserve, struct netns_pool **ret_pool, struct err *err);
void netns_close_pool(struct netns_pool *pool);

/* A clean one, made now if none is rested. */
struct netns *netns_take(struct netns_pool *pool, struct err *err);
int netns_fd(const struct netns *netns); /* for setns */
int netns_home_fd(const struct netns_pool *pool);
/* The box is dead: rest it. */
void netns_give(struct netns_pool *pool, struct netns *netns);
/* To be called when there is nothing else to do, with the monotonic time:
 * inspects rested ones, fills up to the reserve. Does at most one unit of work;
 * returns ms until it wants to be called again, -1 for not at all. */
int netns_tend(struct netns_pool *pool, uint64_t now_ns);

#endif
