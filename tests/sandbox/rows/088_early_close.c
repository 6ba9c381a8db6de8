/* SPDX-License-Identifier: MIT
 * row: 88 early_close
 * expect: failed
 * exit: 3
 * stdout-is: "first\n"
 * stderr-is: "last\n"
 * check: usage.wall_ms >= 900, usage.wall_ms <= 5000
 * layer: supervisor
 */
#include "saw.h"

int main(void)
{
    puts("first");
    fclose(stdout);
    sleep(1);
    fputs("last\n", stderr);
    return 3;
}
