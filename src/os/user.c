/* SPDX-License-Identifier: MIT */
#include "os/user.h"

#include <errno.h>
#include <grp.h>
#include <unistd.h>

int user_become(uid_t uid)
{
    gid_t gid = (gid_t)uid;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    return 0;
}
