/* SPDX-License-Identifier: MIT
 * row: 68 shocker
 * expect: succeeded
 * stdout: ^handle of /: (ENOSYS|EPERM)$
 * stdout: ^open inode 2: (ENOSYS|EPERM)$
 * layer: seccomp, identity
 */
#include "saw.h"
#include <fcntl.h>

int main(void)
{
    struct {
        struct file_handle head;
        unsigned char bytes[8];
    } handle = {{8, 1, {}}, {2, 0, 0, 0, 0, 0, 0, 0}};
    int mount_id;
    int usr = open("/usr", O_RDONLY | O_DIRECTORY);
    saw_refused("handle of /", name_to_handle_at(AT_FDCWD, "/", &handle.head, &mount_id, 0));
    saw_refused("open inode 2", open_by_handle_at(usr, &handle.head, O_RDONLY));
    return 0;
}
