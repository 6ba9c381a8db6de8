/* SPDX-License-Identifier: MIT
 * row: 59 kill_init, which comes to nothing when the spawner waits for the program
 * expect: timeout
 * stdout: ^it executes$
 * never: ESCAPED
 * stdin: open
 * limits: timeout=8s cpu-time=60s memory=512m processes=16
 * check: usage.wall_ms <= 16000
 * alone: yes
 * layer: supervisor
 *
 * Who asks the kernel in which call a process is waits until no execve of it is at work.
 * This one frees its memory in it, and gets a thousandth of a processor for that. The
 * program reads its input, so that somebody asks.
 */
#include "saw.h"
#include <sched.h>
#include <sys/mman.h>

enum { DIRTY = 384 << 20, BUSY = 2 };

static void execute(int ready, int go)
{
    static const struct sched_param none;
    char byte = 0;
    char *memory = mmap(NULL, DIRTY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || madvise(memory, DIRTY, MADV_NOHUGEPAGE) < 0)
        _exit(1);
    memset(memory, 1, DIRTY);
    if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1 ||
        sched_setscheduler(0, SCHED_IDLE, &none) < 0)
        _exit(1);
    execl("/proc/self/exe", "executed", "again", NULL);
    _exit(1);
}

static int read_input(void)
{
    char line[16];
    return read(STDIN_FILENO, line, sizeof line) < 0;
}

int main(int count, char **arguments)
{
    cpu_set_t first;
    int ready[2];
    int go[2];
    char byte = 0;
    (void)arguments;
    if (count > 1)
        return read_input();
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof first, &first);
    if (pipe(ready) < 0 || pipe(go) < 0)
        return 1;
    if (fork() == 0)
        execute(ready[1], go[0]);
    if (read(ready[0], &byte, 1) != 1)
        return 1;
    for (int i = 0; i < BUSY; i++) {
        if (fork() == 0) {
            for (;;)
                ;
        }
    }
    printf("it executes\n");
    if (write(go[1], &byte, 1) != 1)
        return 1;
    return read_input();
}
