/* SPDX-License-Identifier: MIT
 * row: 59 kill_init, which comes to nothing when init does not run
 * expect: succeeded
 * stdout: ^init's priority: EPERM$
 * stdout: ^the user's priority: EPERM$
 * stdout: ^that user's priority: EPERM$
 * stdout: ^init's policy: EPERM$
 * stdout: ^init's parameters: EPERM$
 * stdout: ^init's processors: EPERM$
 * stdout: ^left: 40$
 * never: ESCAPED
 * limits: timeout=20s
 * layer: seccomp
 *
 * Init has the program's user, and a box ends by it: made the last in the queue behind
 * processes that never stop, it would take minutes to die.
 */
#include "saw.h"
#include <sched.h>
#include <sys/resource.h>

enum { LEFT = 40 };

int main(void)
{
    struct sched_param none = {0};
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    int refused = 0;
    const struct {
        const char *what;
        long result;
        int error;
    } tried[] = {
        {"init's priority", setpriority(PRIO_PROCESS, 1, 19), errno},
        {"the user's priority", setpriority(PRIO_USER, 0, 1), errno},
        {"that user's priority", setpriority(PRIO_USER, getuid(), 1), errno},
        {"init's policy", sched_setscheduler(1, SCHED_IDLE, &none), errno},
        {"init's parameters", sched_setparam(1, &none), errno},
        {"init's processors", sched_setaffinity(1, sizeof first, &first), errno},
    };
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        errno = tried[i].error;
        saw_refused(tried[i].what, tried[i].result);
        refused += tried[i].result < 0;
    }
    /* Where it was not refused, that is enough: nobody could end this box. */
    int left = 0;
    for (; refused == 6 && left < LEFT; left++) {
        if (fork() == 0) {
            for (;;)
                ;
        }
    }
    printf("left: %d\n", left);
    return 0;
}
