/* SPDX-License-Identifier: MIT
 * row: 6 spin_mt
 * expect: cpu_limit
 * limits: cpu-time=2s timeout=20s cpus=2
 * check: usage.cpu_ms >= 1900, usage.cpu_ms <= 12000
 * needs: cgroup two-cpus
 * alone: yes
 * layer: cgroup, supervisor
 *
 * Unbounded it would use 40 s (compiling is counted, too).
 */
#include "saw.h"
#include <pthread.h>

static void *spin(void *unused)
{
    for (volatile unsigned long turns = 0;; turns++)
        ;
    return unused;
}

int main(void)
{
    pthread_t thread;
    for (int i = 0; i < 7; i++)
        pthread_create(&thread, NULL, spin, NULL);
    spin(NULL);
}
