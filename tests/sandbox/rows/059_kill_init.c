/* SPDX-License-Identifier: MIT
 * row: 59 kill_init
 * expect: failed
 * exit: 7
 * stdout: ^tried: 64$
 * layer: namespaces
 */
#include "saw.h"
#include <signal.h>

int main(void)
{
    int tried = 0;
    for (int number = 1; number <= 64; number++, tried++) {
        kill(1, number);
        kill(getppid(), number);
    }
    sleep(1);
    printf("tried: %d\n", tried);
    return 7;
}
