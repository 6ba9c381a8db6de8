/* SPDX-License-Identifier: MIT
 * row: 48 mount_any
 * expect: succeeded
 * stdout: ^proc: (ENOSYS|EPERM)$
 * stdout: ^tmpfs: (ENOSYS|EPERM)$
 * stdout: ^bind: (ENOSYS|EPERM)$
 * stdout: ^remount: (ENOSYS|EPERM)$
 * stdout: ^overlay: (ENOSYS|EPERM)$
 * stdout: ^fsopen: (ENOSYS|EPERM)$
 * stdout: ^fsmount: (ENOSYS|EPERM)$
 * stdout: ^open_tree: (ENOSYS|EPERM)$
 * stdout: ^move_mount: (ENOSYS|EPERM)$
 * stdout: ^mount_setattr: (ENOSYS|EPERM)$
 * layer: seccomp, identity, users, landlock
 */
#include "saw.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int main(void)
{
    uint64_t attributes[4] = {0};
    mkdir("/tmp/here", 0755);
    saw_refused("proc", mount("proc", "/tmp/here", "proc", 0, NULL));
    saw_refused("tmpfs", mount("tmpfs", "/tmp/here", "tmpfs", 0, NULL));
    saw_refused("bind", mount("/usr", "/tmp/here", NULL, MS_BIND, NULL));
    saw_refused("remount", mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    saw_refused("overlay", mount("overlay", "/tmp/here", "overlay", 0, "lowerdir=/usr"));
    saw_refused("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    saw_refused("fsmount", syscall(SYS_fsmount, 0, 0, 0));
    saw_refused("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/usr", 1));
    saw_refused("move_mount", syscall(SYS_move_mount, AT_FDCWD, "/usr", AT_FDCWD, "/tmp/here", 0));
    saw_refused("mount_setattr",
                syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, attributes, sizeof attributes));
    return 0;
}
