/* SPDX-License-Identifier: MIT
 * row: 20 pipebomb
 * expect: succeeded memory_limit
 * stdout: ^refused: EMFILE$
 * limits: timeout=20s
 * layer: rlimits, cgroup
 */
#include "saw.h"
#include <fcntl.h>

int main(void)
{
    static const char bytes[65536];
    long pipes = 0;
    int ends[2];
    while (pipes < 10000 && pipe2(ends, O_NONBLOCK) == 0) {
        while (write(ends[1], bytes, sizeof bytes) > 0)
            ;
        pipes++;
    }
    printf("refused: %s\n", pipes < 10000 ? saw_errno(errno) : "ESCAPED");
    return 0;
}
