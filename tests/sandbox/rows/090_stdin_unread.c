/* SPDX-License-Identifier: MIT
 * row: 90 stdin_bin
 * expect: succeeded
 * stdin: random 10485760
 * stdout: ^not interested$
 * limits: timeout=30s
 * layer: supervisor
 *
 * Input that nobody reads keeps nobody waiting.
 */
#include "saw.h"

int main(void)
{
    puts("not interested");
    return 0;
}
