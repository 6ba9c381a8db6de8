/* SPDX-License-Identifier: MIT
 * row: 26 nul_flood
 * expect: output_limit
 * stdout-is: "\u0000" * 65536
 * limits: timeout=10s max-output=65536
 * check: usage.wall_ms <= 5000
 * layer: supervisor
 */
#include "saw.h"

int main(void)
{
    static const char nothing[65536];
    for (int i = 0; i < 16384; i++) {
        if (write(1, nothing, sizeof nothing) < 0)
            return 1;
    }
    puts("ESCAPED 1 GiB");
    return 0;
}
