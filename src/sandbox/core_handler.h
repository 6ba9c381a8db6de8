/* SPDX-License-Identifier: MIT */
/* core_handler.h — who gets the core dumps of the host, and so of boxes.
 *
 * A box's limit of core dumps is 1, which keeps a file and a pipe away. A socket (since
 * Linux 6.16) is connected to in spite of it, by whoever crashes and in the host's own
 * namespaces: bytes of a program would reach a service of the host.
 */
#ifndef RUNNEL_SANDBOX_CORE_HANDLER_H
#define RUNNEL_SANDBOX_CORE_HANDLER_H

/* 1, 0 or -errno: is it a socket? `proc_fd` is the host's /proc. */
int core_handler_is_socket(int proc_fd);

#endif
