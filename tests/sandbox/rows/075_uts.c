/* SPDX-License-Identifier: MIT
 * row: 75 uts
 * expect: succeeded
 * stdout: ^sethostname: (ENOSYS|EPERM)$
 * stdout: ^setdomainname: (ENOSYS|EPERM)$
 * stdout: ^name: runnel$
 * layer: identity, seccomp, users
 */
#include "saw.h"
#include <sys/utsname.h>

int main(void)
{
    struct utsname names;
    saw_refused("sethostname", sethostname("planted", 7));
    saw_refused("setdomainname", setdomainname("planted", 7));
    uname(&names);
    printf("name: %s\n", names.nodename);
    return 0;
}
