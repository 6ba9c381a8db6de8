/* SPDX-License-Identifier: MIT
 * row: 51 pivot_umount
 * expect: succeeded
 * stdout: ^pivot_root: (ENOSYS|EPERM)$
 * stdout: ^umount /: (ENOSYS|EPERM)$
 * stdout: ^umount /proc: (ENOSYS|EPERM)$
 * stdout: ^umount /usr: (ENOSYS|EPERM)$
 * layer: seccomp, identity, users, landlock
 */
#include "saw.h"
#include <sys/mount.h>
#include <sys/syscall.h>

int main(void)
{
    saw_refused("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"));
    saw_refused("umount /", umount2("/", MNT_DETACH));
    saw_refused("umount /proc", umount2("/proc", MNT_DETACH));
    saw_refused("umount /usr", umount2("/usr", MNT_DETACH));
    return 0;
}
