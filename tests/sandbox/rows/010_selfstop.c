/* SPDX-License-Identifier: MIT
 * row: 10 selfstop
 * expect: timeout
 * limits: timeout=2s
 * check: usage.wall_ms >= 1900, usage.wall_ms <= 4000
 * layer: namespaces, identity
 */
#include "saw.h"
#include <signal.h>

int main(void)
{
    for (int i = 0; i < 5; i++) {
        if (fork() == 0)
            for (;;)
                pause();
    }
    kill(-1, SIGSTOP);
    raise(SIGSTOP);
    puts("ESCAPED: nobody stopped us");
    return 0;
}
