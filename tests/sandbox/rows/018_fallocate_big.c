/* SPDX-License-Identifier: MIT
 * row: 18 fallocate_big
 * expect: succeeded
 * stdout: ^/work: (EFBIG|ENOSPC)$
 * stdout: ^/tmp: (EFBIG|ENOSPC)$
 * stdout: ^/dev/shm: (EFBIG|ENOSPC)$
 * limits: timeout=5s
 * layer: rlimits, root, cgroup
 */
#include "saw.h"
#include <fcntl.h>

int main(void)
{
    static const char *const folders[] = {"/work", "/tmp", "/dev/shm"};
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/big", folders[i]);
        int file = open(path, O_RDWR | O_CREAT, 0644);
        saw_refused(folders[i], fallocate(file, 0, 0, 10L << 30));
    }
    return 0;
}
