/* SPDX-License-Identifier: MIT
 * row: 65 keyring
 * expect: succeeded
 * pair: together
 * stdout: ^add_key: (ENOSYS|EPERM)$
 * stdout: ^request_key: (ENOSYS|EPERM)$
 * stdout: ^join a session: (ENOSYS|EPERM)$
 * stdout: ^search: (ENOSYS|EPERM)$
 * layer: seccomp
 */
#include "saw.h"
#include <sys/syscall.h>

enum { SESSION = -3, USER = -4, JOIN_SESSION = 1, SEARCH = 10 };

int main(void)
{
    saw_refused("add_key", syscall(SYS_add_key, "user", "runnel-meet", "hello", 5L, USER));
    saw_refused("request_key", syscall(SYS_request_key, "user", "runnel-meet", NULL, USER));
    saw_refused("join a session", syscall(SYS_keyctl, JOIN_SESSION, "runnel-meet"));
    sleep(1);
    saw_refused("search", syscall(SYS_keyctl, SEARCH, USER, "user", "runnel-meet", 0));
    return 0;
}
