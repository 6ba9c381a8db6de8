/* SPDX-License-Identifier: MIT */
/* name_lock.h — a name that one process has at a time: an abstract socket bound to it, which
 * the kernel drops with the process. It holds in one network namespace. */
#ifndef RUNNEL_OS_NAME_LOCK_H
#define RUNNEL_OS_NAME_LOCK_H

/* A descriptor, for as long as the name is wanted; -EADDRINUSE: another has it; -errno. */
int name_lock(const char *name);

/* Where such names hold: two processes read the same exactly if they share them, also when one
 * of them has ended. 0, or -errno: that cannot be told. */
enum { NAME_LOCK_PLACE_SIZE = 80 };
int name_lock_place(char ret_place[NAME_LOCK_PLACE_SIZE]);

#endif
