/* SPDX-License-Identifier: MIT
 * row: 67 exe_overwrite
 * expect: succeeded
 * stdout: ^own exe: (ETXTBSY|EACCES|EROFS)$
 * stdout: ^parent's exe: (ENOENT|EACCES|EPERM)$
 * stdout: ^init's exe: (ENOENT|EACCES|EPERM)$
 * stdout: ^run init's exe: (ENOENT|EACCES|EPERM)$
 * stdout: ^loader: (EROFS|EACCES)$
 * stdout: ^shell: (EROFS|EACCES)$
 * layer: root, namespaces, identity, users, landlock
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/syscall.h>

int main(void)
{
    char path[64];
    saw_refused("own exe", open("/proc/self/exe", O_WRONLY | O_TRUNC));
    snprintf(path, sizeof path, "/proc/%d/exe", (int)getppid());
    saw_refused("parent's exe", open(path, O_RDONLY));
    saw_refused("init's exe", open("/proc/1/exe", O_RDONLY));
    saw_refused("init's exe as a path", open("/proc/1/exe", O_PATH));
    saw_refused("run init's exe", execl("/proc/1/exe", "runnel", "--help", (char *)NULL));
    saw_refused("loader", open("/lib64/ld-linux-x86-64.so.2", O_WRONLY));
    saw_refused("shell", open("/bin/sh", O_WRONLY | O_TRUNC));
    return 0;
}
