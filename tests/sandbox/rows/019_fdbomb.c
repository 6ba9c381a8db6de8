/* SPDX-License-Identifier: MIT
 * row: 19 fdbomb
 * expect: succeeded
 * stdout: ^refused: EMFILE$
 * stdout: ^highest: 63$
 * stdout: ^raise the limit: EPERM$
 * limits: timeout=5s open-files=64
 * quick: yes
 * layer: rlimits
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/resource.h>

int main(void)
{
    struct rlimit more = {1 << 20, 1 << 20};
    saw_refused("raise the limit", setrlimit(RLIMIT_NOFILE, &more));
    int highest = 0;
    for (int file = 0; file >= 0 && file < 1000000;) {
        highest = file;
        file = open("/dev/null", O_RDONLY);
    }
    printf("refused: %s\nhighest: %d\n", saw_errno(errno), highest);
    return 0;
}
