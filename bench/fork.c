/* SPDX-License-Identifier: MIT */
/* fork — what starting a process costs the one that starts it, by what is loaded
 * in it. Built twice: static, and with the libraries that runnel has.
 *
 *     fork RUNS [LIBRARY…]         the libraries are loaded as well
 *
 * Prints "LIBRARIES FORK_MS BOX_MS": how many are mapped, and the medians of a
 * fork that ends at once, and of the two forks of a box with its namespaces.
 */
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figures.h"

enum { RUNS_MAX = 4096 };

static void wait_for(pid_t child)
{
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        perror("fork");
        exit(1);
    }
}

static void fork_once(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    wait_for(child);
}

static pid_t clone_with(unsigned long flags)
{
    return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void fork_box(void)
{
    pid_t init = clone_with(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS);
    if (init == 0) {
        pid_t program = clone_with(0);
        if (program == 0)
            _exit(0);
        wait_for(program);
        _exit(0);
    }
    wait_for(init);
}

static double median_ms(void (*start)(void), unsigned runs)
{
    static double took[RUNS_MAX];
    for (unsigned i = 0; i < runs; i++) {
        double before = now_ms();
        start();
        took[i] = now_ms() - before;
    }
    return median(took, runs);
}

/* Each has one mapping that can be executed. */
static unsigned libraries_mapped(void)
{
    char line[1024];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps))
        count += strstr(line, " r-xp ") && strstr(line, ".so");
    if (maps)
        (void)fclose(maps);
    return count;
}

int main(int argc, char **argv)
{
    unsigned runs = argc > 1 ? number_of(argv[1]) : 0;
    if (runs == 0 || runs > RUNS_MAX) {
        (void)fprintf(stderr, "usage: fork RUNS [LIBRARY...]\n");
        return 64;
    }
#ifndef LEAN
    for (int i = 2; i < argc; i++) {
        if (!dlopen(argv[i], RTLD_NOW)) {
            (void)fprintf(stderr, "fork: %s\n", dlerror());
            return 1;
        }
    }
#endif
    double fork_ms = median_ms(fork_once, runs);
    double box_ms = median_ms(fork_box, runs);
    (void)printf("%u %.4f %.4f\n", libraries_mapped(), fork_ms, box_ms);
    return 0;
}
