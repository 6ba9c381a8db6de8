/* SPDX-License-Identifier: MIT */
/* user.h — giving up root for another user. */
#ifndef RUNNEL_OS_USER_H
#define RUNNEL_OS_USER_H

#include <sys/types.h>

/* From now on the process, all its threads, is this user with the group of the same number, without
 * other groups, and cannot be another again. 0 or -errno; then it must end. Needs root. */
int user_become(uid_t uid);

#endif
