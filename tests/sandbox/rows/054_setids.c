/* SPDX-License-Identifier: MIT
 * row: 54 setids
 * expect: succeeded
 * stdout: ^ids: 1000 1000 1000 1000 1000 1000$
 * stdout: ^groups: none$
 * stdout: ^setuid 0: (EPERM|EINVAL)$
 * stdout: ^setgroups: EPERM$
 * quick: yes
 * layer: identity, users
 */
#include "saw.h"
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

int main(void)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    getresuid(&real, &effective, &saved);
    getresgid(&real_group, &effective_group, &saved_group);
    printf("ids: %d %d %d %d %d %d\n", (int)real, (int)effective, (int)saved, (int)real_group,
           (int)effective_group, (int)saved_group);
    int groups = getgroups(0, NULL);
    printf("groups: %s\n", groups == 0 ? "none" : "ESCAPED");
    saw_refused("setuid 0", setuid(0));
    saw_refused("seteuid 0", seteuid(0));
    saw_refused("setresuid 0", setresuid(0, 0, 0));
    saw_refused("setreuid 0", setreuid(0, 0));
    saw_refused("setgid 0", setgid(0));
    saw_refused("setresgid 0", setresgid(0, 0, 0));
    saw_refused("setgroups", setgroups(1, (gid_t[]){0}));
    saw_refused("chown", chown("main", 0, 0));
    setfsuid(0);
    printf("fsuid: %s\n", setfsuid(0) == 0 ? "ESCAPED" : "refused");
    return 0;
}
