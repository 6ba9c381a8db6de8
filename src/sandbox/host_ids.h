/* SPDX-License-Identifier: MIT */
/* host_ids.h — one host user for each live box.
 *
 * Many limits of the kernel are kept per user (pipe pages, inotify, pending
 * signals), so two live boxes never share one. A spawner takes a block of ids
 * that no other live spawner has: the lock is an abstract socket with the
 * block's number in its name, which the kernel drops with the process. It holds
 * in one network namespace; spawners in several (containers) meet by chance only,
 * unless their uid_base differ.
 */
#ifndef RUNNEL_SANDBOX_HOST_IDS_H
#define RUNNEL_SANDBOX_HOST_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    HOST_IDS_BASE = 0x70000000, /* above systemd-nspawn's range */
    HOST_IDS_BLOCK = 1024,      /* ids of one spawner: its front, then its boxes */
    HOST_IDS_BLOCKS = 256,
};

struct host_ids {
    uid_t first; /* the front's; boxes have those behind it */
    int lock;
    unsigned next; /* where to look first: the longest unused id comes first */
    bool used[HOST_IDS_BLOCK];
};

/* Of the operator's choice; 0: none was made. */
uid_t host_ids_base(uint32_t wanted);
/* Is this process root with its rights, and with these users (1), else it is without privilege (0);
 * -errno: that cannot be told. */
int host_ids_usable(uint32_t wanted_base);
/* Are these ids mapped in our user namespace? text: /proc/self/uid_map. */
bool host_ids_mapped(const char *uid_map, uid_t base);
/* The block of `before`, a user of this range who is the front's again if it is free; 0, or one
 * from elsewhere: any. 0, or -errno when every block is taken. */
int host_ids_open(struct host_ids *ids, uid_t base, uid_t before);
void host_ids_close(struct host_ids *ids);
/* 0 when all are in use. */
uid_t host_ids_take(struct host_ids *ids);
void host_ids_give(struct host_ids *ids, uid_t uid);

#endif
