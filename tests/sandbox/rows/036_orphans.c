/* SPDX-License-Identifier: MIT
 * row: 36 zombies, of parents that are gone: the box's init reaps them
 * expect: succeeded
 * stdout: ^orphans: 2000$
 * limits: timeout=60s cpu-time=60s processes=64
 * layer: supervisor
 */
#include "saw.h"

static int leave_an_orphan(void)
{
    for (int patience = 0; patience < 2000; patience++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0)
            _exit(fork() < 0); /* and so does the orphan */
        if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
            return 1;
        usleep(1000);
    }
    return 0;
}

int main(void)
{
    int orphans = 0;
    while (orphans < 2000 && leave_an_orphan())
        orphans++;
    printf("orphans: %d\n", orphans);
    return 0;
}
