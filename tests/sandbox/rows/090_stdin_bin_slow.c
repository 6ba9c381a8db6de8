/* SPDX-License-Identifier: MIT
 * row: 90 stdin_bin
 * expect: succeeded
 * stdin: random 300000
 * stdout: ^bytes: 300000$
 * limits: timeout=30s
 * layer: supervisor
 *
 * A program that reads late and little gets every byte all the same.
 */
#include "saw.h"

int main(void)
{
    char bytes[7777];
    long total = 0;
    sleep(1);
    for (ssize_t len = 0; (len = read(0, bytes, sizeof bytes)) > 0; total += len)
        usleep(1000);
    printf("bytes: %ld\n", total);
    return 0;
}
