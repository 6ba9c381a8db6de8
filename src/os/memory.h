/* SPDX-License-Identifier: MIT */
/* memory.h — how much memory there is for us. */
#ifndef RUNNEL_OS_MEMORY_H
#define RUNNEL_OS_MEMORY_H

#include <stdint.h>

/* Bytes: the machine's, or fewer when a cgroup that we are in, or one above it, is limited to
 * fewer. 0: it cannot be read. `root` is "" but in tests: where /proc and /sys are. */
uint64_t memory_usable(const char *root);

#endif
