/* SPDX-License-Identifier: MIT
 * row: 50 chroot_break
 * expect: succeeded
 * stdout: ^chroot: (ENOSYS|EPERM)$
 * stdout: ^climb: at the box's root$
 * layer: identity, seccomp, users
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void)
{
    mkdir("/tmp/jail", 0755);
    int outside = open("/", O_PATH | O_DIRECTORY);
    saw_refused("chroot", chroot("/tmp/jail"));
    if (fchdir(outside) < 0)
        return 1;
    for (int i = 0; i < 64; i++) {
        if (chdir("..") < 0)
            return 1;
    }
    saw_refused("chroot up there", chroot("."));
    puts(access("root", F_OK) < 0 && access("work", F_OK) == 0 ? "climb: at the box's root"
                                                               : "climb: ESCAPED");
    return 0;
}
