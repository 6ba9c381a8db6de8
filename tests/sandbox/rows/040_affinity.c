/* SPDX-License-Identifier: MIT
 * row: 40 affinity
 * expect: timeout
 * limits: timeout=8s cpus=0.25
 * check: usage.cpu_ms >= 500, usage.cpu_ms <= 9000
 * needs: cgroup
 * alone: yes
 * layer: cgroup
 *
 * A process pinned to each processor: together they still get a quarter of
 * one, 2 s; unbounded it would be 16 (compiling is counted, too).
 */
#include "saw.h"
#include <sched.h>

int main(void)
{
    for (int cpu = 0; cpu < 8; cpu++) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (fork() == 0) {
            sched_setaffinity(0, sizeof one, &one);
            for (volatile unsigned long turns = 0;; turns++)
                ;
        }
    }
    pause();
    return 0;
}
