/* SPDX-License-Identifier: MIT
 * row: 83 open_descriptors
 * expect: succeeded
 * stdout: ^open beside 0, 1 and 2: 0$
 * stdout: ^not of ours: 0$
 * quick: yes
 * layer: descriptors
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void)
{
    int open_ones = 0;
    int foreign = 0;
    for (int fd = 3; fd < 65536; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        printf("ESCAPED: %d is open\n", fd);
        open_ones++;
    }
    for (int fd = 0; fd < 3; fd++) {
        struct stat about;
        if (fstat(fd, &about) < 0 || !(S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode)))
            foreign++;
    }
    printf("open beside 0, 1 and 2: %d\nnot of ours: %d\n", open_ones, foreign);
    return 0;
}
