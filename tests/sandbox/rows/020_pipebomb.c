/* SPDX-License-Identifier: MIT
 * row: 20 pipebomb
 * expect: succeeded memory_limit
 * never: ^refused: E[^M]
 * limits: timeout=20s memory=32M
 * layer: rlimits, cgroup
 *
 * Either EMFILE, or the end. What the kernel gives the pipes of one user before it makes
 * them small is more than the limit of memory.
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
