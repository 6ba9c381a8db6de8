/* SPDX-License-Identifier: MIT
 * row: 46 release_agent
 * expect: succeeded
 * stdout: ^unshare mounts and users: (ENOSYS|EPERM)$
 * stdout: ^unshare cgroups: (ENOSYS|EPERM)$
 * stdout: ^mount memory: (ENOSYS|EPERM)$
 * stdout: ^mount rdma: (ENOSYS|EPERM)$
 * layer: seccomp, identity
 */
#include "saw.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

int main(void)
{
    mkdir("/tmp/group", 0755);
    saw_refused("unshare mounts and users", unshare(CLONE_NEWNS | CLONE_NEWUSER));
    saw_refused("unshare cgroups", unshare(CLONE_NEWCGROUP));
    saw_refused("mount memory", mount("cgroup", "/tmp/group", "cgroup", 0, "memory"));
    saw_refused("mount rdma", mount("cgroup", "/tmp/group", "cgroup", 0, "rdma"));
    return 0;
}
