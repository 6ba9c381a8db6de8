/* SPDX-License-Identifier: MIT
 * row: 67 exe_overwrite
 * expect: succeeded
 * stdout: ^own exe: (ETXTBSY|EACCES|EROFS)$
 * stdout: ^loader: (EROFS|EACCES)$
 * stdout: ^shell: (EROFS|EACCES)$
 * layer: root, identity, landlock
 */
#include "saw.h"
#include <fcntl.h>

int main(void)
{
    saw_refused("own exe", open("/proc/self/exe", O_WRONLY | O_TRUNC));
    saw_refused("loader", open("/lib64/ld-linux-x86-64.so.2", O_WRONLY));
    saw_refused("shell", open("/bin/sh", O_WRONLY | O_TRUNC));
    return 0;
}
