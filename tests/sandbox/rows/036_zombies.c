/* SPDX-License-Identifier: MIT
 * row: 36 zombies
 * expect: succeeded
 * stdout: ^unreaped children: EAGAIN$
 * limits: timeout=10s processes=64
 * needs: cgroup
 * layer: cgroup, rlimits
 */
#include "saw.h"

int main(void)
{
    pid_t child = 0;
    for (int i = 0; i < 2000 && child >= 0; i++) {
        child = fork();
        if (child == 0)
            _exit(0);
    }
    saw_refused("unreaped children", child);
    return 0;
}
