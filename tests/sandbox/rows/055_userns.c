/* SPDX-License-Identifier: MIT
 * row: 55 userns
 * expect: succeeded
 * stdout: ^unshare user: (ENOSYS|EPERM)$
 * stdout: ^clone user: (ENOSYS|EPERM)$
 * stdout: ^clone3 user: (ENOSYS|EPERM)$
 * quick: yes
 * layer: seccomp
 *
 * Each namespace by each of the three calls that make one.
 */
#include "saw.h"
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>

static const struct {
    const char *name;
    unsigned long flag;
} namespaces[] = {
    {"user", 0x10000000}, {"mount", 0x20000}, {"cgroup", 0x02000000}, {"uts", 0x04000000},
    {"ipc", 0x08000000},  {"pid", 0x20000000}, {"net", 0x40000000},  {"time", 0x80},
};

static long checked_clone(long pid)
{
    if (pid == 0)
        _exit(0);
    return pid;
}

int main(void)
{
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++) {
        char what[64];
        uint64_t arguments[11] = {[0] = namespaces[i].flag, [4] = 17};
        snprintf(what, sizeof what, "unshare %s", namespaces[i].name);
        saw_refused(what, syscall(SYS_unshare, namespaces[i].flag));
        snprintf(what, sizeof what, "clone %s", namespaces[i].name);
        /* 0x80 is a namespace for clone3 alone; to clone it is a bit of the exit signal. */
        saw_refused(what, checked_clone(syscall(SYS_clone, namespaces[i].flag | 17, 0, 0, 0, 0)));
        snprintf(what, sizeof what, "clone3 %s", namespaces[i].name);
        saw_refused(what, checked_clone(syscall(SYS_clone3, arguments, sizeof arguments)));
    }
    return 0;
}
