/* SPDX-License-Identifier: MIT
 * row: 49 devnodes
 * expect: succeeded
 * stdout: ^mknod block: (EPERM|EACCES)$
 * stdout: ^mknod mem: (EPERM|EACCES)$
 * stdout: ^mknod null: (EPERM|EACCES)$
 * stdout: ^mkfifo: ok$
 * layer: seccomp, identity, users, landlock
 */
#include "saw.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>

int main(void)
{
    saw_refused("mknod block", mknod("/tmp/disk", S_IFBLK | 0666, makedev(8, 0)));
    saw_refused("mknod mem", mknod("/tmp/mem", S_IFCHR | 0666, makedev(1, 1)));
    saw_refused("mknod null", mknod("/tmp/null", S_IFCHR | 0666, makedev(1, 3)));
    saw("mkfifo", mkfifo("/tmp/fifo", 0666));
    return 0;
}
