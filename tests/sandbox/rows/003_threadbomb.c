/* SPDX-License-Identifier: MIT
 * row: 3 threadbomb
 * expect: succeeded
 * stdout: ^refused: EAGAIN$
 * stdout: ^threads: (29|3[0-2])$
 * limits: timeout=5s processes=32
 * check: limits_hit.processes >= 1
 * needs: cgroup
 * quick: yes
 * layer: cgroup, rlimits
 */
#include "saw.h"
#include <pthread.h>

static void *wait_for_ever(void *unused)
{
    pause();
    return unused;
}

int main(void)
{
    int threads = 1;
    for (int rc = 0; threads < 10000; threads++) {
        pthread_t thread;
        rc = pthread_create(&thread, NULL, wait_for_ever, NULL);
        if (rc != 0) {
            printf("refused: %s\n", saw_errno(rc));
            break;
        }
    }
    printf("threads: %d\n", threads);
    return 0;
}
