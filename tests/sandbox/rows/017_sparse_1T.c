/* SPDX-License-Identifier: MIT
 * row: 17 sparse_1T
 * expect: succeeded
 * stdout: ^ftruncate: EFBIG$
 * stdout: ^seek and write: EFBIG$
 * limits: timeout=5s max-file=8M
 * layer: rlimits
 */
#include "saw.h"
#include <fcntl.h>

int main(void)
{
    int file = open("sparse", O_RDWR | O_CREAT, 0644);
    saw_refused("ftruncate", ftruncate(file, 1L << 40));
    saw_refused("seek and write", pwrite(file, "x", 1, 1L << 40));
    return 0;
}
