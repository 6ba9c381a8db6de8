/* SPDX-License-Identifier: MIT
 * row: 88 early_close
 * expect: killed_by_signal
 * signal: 13
 * layer: supervisor
 */
#include "saw.h"

int main(void)
{
    int ends[2];
    if (pipe(ends) < 0)
        return 1;
    close(ends[0]);
    (void)!write(ends[1], "x", 1);
    puts("ESCAPED: the signal was ignored");
    return 0;
}
