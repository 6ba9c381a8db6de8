/* SPDX-License-Identifier: MIT
 * row: 57 ptrace_parent
 * expect: succeeded
 * stdout: ^attach init: (ENOSYS|EPERM|ESRCH)$
 * stdout: ^seize parent: (ENOSYS|EPERM|ESRCH)$
 * stdout: ^traceme: (ENOSYS|EPERM)$
 * stdout: ^read init: (ENOSYS|EPERM|ESRCH)$
 * stdout: ^write init: (ENOSYS|EPERM|ESRCH)$
 * stdout: ^open init's memory: (ENOENT|EACCES|EPERM)$
 * stdout: ^take init's descriptor: (ENOSYS|EPERM)$
 * layer: seccomp, identity
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

int main(void)
{
    char bytes[16];
    struct iovec local = {bytes, sizeof bytes};
    struct iovec remote = {(void *)main, sizeof bytes};
    saw_refused("attach init", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    saw_refused("seize parent", ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
    saw_refused("traceme", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    saw_refused("read init", process_vm_readv(1, &local, 1, &remote, 1, 0));
    saw_refused("write init", process_vm_writev(getppid(), &local, 1, &remote, 1, 0));
    saw_refused("open init's memory", open("/proc/1/mem", O_RDWR));
    saw_refused("open init's map", open("/proc/1/maps", O_RDONLY));
    saw_refused("open init's stdio", open("/proc/1/fd/0", O_RDWR));
    saw_refused("write init's oom score", open("/proc/1/oom_score_adj", O_WRONLY));
    int init = (int)syscall(SYS_pidfd_open, 1, 0);
    saw_refused("take init's descriptor", syscall(SYS_pidfd_getfd, init, 0, 0));
    saw_refused("compare with init", syscall(SYS_kcmp, getpid(), 1, 0, 0, 0));
    return 0;
}
