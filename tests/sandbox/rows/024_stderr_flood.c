/* SPDX-License-Identifier: MIT
 * row: 24 stderr_flood
 * expect: output_limit
 * stdout-is: "one line\n"
 * stderr-is: "x" * 64000
 * limits: timeout=10s max-output=64000
 * check: usage.wall_ms <= 5000
 * layer: supervisor
 */
#include "saw.h"

int main(void)
{
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    puts("one line");
    for (;;) {
        if (write(2, bytes, sizeof bytes) < 0)
            return 1;
    }
}
