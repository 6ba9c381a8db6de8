/* SPDX-License-Identifier: MIT
 * row: 40 affinity
 * expect: timeout
 * limits: timeout=3s cpus=0.5
 * check: usage.cpu_ms >= 500, usage.cpu_ms <= 2200
 * needs: cgroup
 * alone: yes
 * layer: cgroup
 *
 * A process pinned to each processor: together they still get half of one
 * (compiling is counted too, and is not what is bounded here).
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
