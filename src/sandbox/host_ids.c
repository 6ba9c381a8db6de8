/* SPDX-License-Identifier: MIT */
#include "sandbox/host_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/name_lock.h"
#include "os/sys.h"

#define CAP_BIT(cap) (1ULL << (cap))

static const uint64_t capabilities_needed =
    CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_CHOWN) |
    CAP_BIT(CAP_KILL) | CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_NET_ADMIN);

uid_t host_ids_base(uint32_t wanted)
{
    return wanted != 0 ? wanted : HOST_IDS_BASE;
}

int host_ids_usable(uint32_t wanted_base)
{
    static char map[16 * 1024]; /* the kernel takes 340 lines */
    ssize_t rc = sys_capabilities_have(capabilities_needed);
    if (rc > 0)
        rc = fd_read_text_at(AT_FDCWD, "/proc/self/uid_map", map, sizeof map);
    return rc > 0 ? host_ids_mapped(map, host_ids_base(wanted_base)) : (int)rc;
}

bool host_ids_mapped(const char *uid_map, uid_t base)
{
    const char *line = uid_map;
    uint64_t wanted_end = (uint64_t)base + (uint64_t)HOST_IDS_BLOCK * HOST_IDS_BLOCKS;
    while (line && *line != '\0') {
        char *at = NULL;
        uint64_t inside = strtoull(line, &at, 10);
        (void)strtoull(at, &at, 10);
        uint64_t count = strtoull(at, &at, 10);
        if (inside <= base && wanted_end <= inside + count)
            return true;
        line = strchr(at, '\n');
        line = line ? line + 1 : NULL;
    }
    return false;
}

/* -EADDRINUSE when another has it. */
static int lock_block(uid_t first)
{
    char name[32];
    (void)snprintf(name, sizeof name, "runnel-ids-%u", first);
    return name_lock(name);
}

/* Anywhere: the lock does not reach into other network namespaces, and in two containers
 * all that could be counted is the same. */
static unsigned any_block(void)
{
    unsigned number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number)
        number = (unsigned)getpid();
    return number % HOST_IDS_BLOCKS;
}

static unsigned first_block(uid_t base, uid_t before)
{
    uid_t ahead = before - base;
    bool is_ours = before >= base && ahead < (uid_t)HOST_IDS_BLOCK * HOST_IDS_BLOCKS;
    return is_ours ? ahead / HOST_IDS_BLOCK : any_block();
}

int host_ids_open(struct host_ids *ids, uid_t base, uid_t before)
{
    *ids = (struct host_ids){.lock = -1};
    unsigned start = first_block(base, before);
    for (unsigned i = 0; i < HOST_IDS_BLOCKS; i++) {
        uid_t first = base + (start + i) % HOST_IDS_BLOCKS * HOST_IDS_BLOCK;
        ids->lock = lock_block(first);
        if (ids->lock >= 0) {
            ids->first = first;
            ids->used[0] = true;
            return 0;
        }
        if (ids->lock != -EADDRINUSE)
            return ids->lock;
    }
    return -EUSERS;
}

void host_ids_close(struct host_ids *ids)
{
    fd_close(&ids->lock);
}

uid_t host_ids_take(struct host_ids *ids)
{
    for (unsigned i = 0; i < HOST_IDS_BLOCK; i++) {
        unsigned at = (ids->next + i) % HOST_IDS_BLOCK;
        if (!ids->used[at]) {
            ids->used[at] = true;
            ids->next = (at + 1) % HOST_IDS_BLOCK;
            return ids->first + at;
        }
    }
    return 0;
}

void host_ids_give(struct host_ids *ids, uid_t uid)
{
    if (uid > ids->first && uid < ids->first + HOST_IDS_BLOCK)
        ids->used[uid - ids->first] = false;
}
