/* SPDX-License-Identifier: MIT
 * row: 76 clock
 * expect: succeeded
 * stdout: ^clock_settime: (ENOSYS|EPERM)$
 * stdout: ^settimeofday: (ENOSYS|EPERM)$
 * stdout: ^adjtimex: (ENOSYS|EPERM)$
 * stdout: ^clock_adjtime: (ENOSYS|EPERM)$
 * layer: identity, seccomp, users
 */
#include "saw.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

int main(void)
{
    /* Were one of them allowed, it would set the time that it already is. */
    struct timespec now;
    struct timeval now_us;
    struct timex change = {.modes = ADJ_STATUS};
    clock_gettime(CLOCK_REALTIME, &now);
    gettimeofday(&now_us, NULL);
    saw_refused("clock_settime", syscall(SYS_clock_settime, CLOCK_REALTIME, &now));
    saw_refused("settimeofday", syscall(SYS_settimeofday, &now_us, NULL));
    saw_refused("adjtimex", syscall(SYS_adjtimex, &change));
    saw_refused("clock_adjtime", syscall(SYS_clock_adjtime, CLOCK_REALTIME, &change));
    return 0;
}
