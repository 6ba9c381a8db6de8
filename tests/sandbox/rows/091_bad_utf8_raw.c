/* SPDX-License-Identifier: MIT
 * row: 91 bad_utf8
 * expect: succeeded
 * stdin: random 65536
 * raw: yes
 * layer: interface
 *
 * Streamed: not a byte is altered.
 */
#include "saw.h"

int main(void)
{
    for (int byte; (byte = getchar()) != EOF;)
        putchar(byte);
    return 0;
}
