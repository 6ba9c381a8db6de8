/* SPDX-License-Identifier: MIT
 * row: 40 affinity
 * expect: succeeded
 * stdout: ^more than half a processor: no$
 * limits: timeout=20s cpus=0.25
 * check: usage.cpu_ms >= 500
 * needs: cgroup
 * alone: yes
 * layer: cgroup
 *
 * A process pinned to each processor: together they still get a quarter of one.
 */
#include "saw.h"
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

enum { PROCESSES = 8, SECONDS = 4 };

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static _Noreturn void spin_on(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    for (volatile unsigned long turns = 0;; turns++)
        ;
}

int main(void)
{
    pid_t children[PROCESSES];
    struct timeval began, ended;
    gettimeofday(&began, NULL);
    for (int cpu = 0; cpu < PROCESSES; cpu++) {
        children[cpu] = fork();
        if (children[cpu] == 0)
            spin_on(cpu);
    }
    sleep(SECONDS);
    for (int i = 0; i < PROCESSES; i++)
        kill(children[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    gettimeofday(&ended, NULL);
    double share =
        (seconds(used.ru_utime) + seconds(used.ru_stime)) / (seconds(ended) - seconds(began));
    printf("of a processor: %.2f\nmore than half a processor: %s\n", share,
           share > 0.5 ? "ESCAPED" : "no");
    return 0;
}
