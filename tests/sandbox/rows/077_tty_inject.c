/* SPDX-License-Identifier: MIT
 * row: 77 tty_inject
 * expect: succeeded
 * stdout: ^open /dev/tty: (ENXIO|EACCES|ENOENT|its own)$
 * stdout: ^inject: (EPERM|ENOTTY)$
 * stdout: ^inject, high bits set: (EPERM|ENOTTY)$
 * stdout: ^steal: (EPERM|ENOTTY)$
 * stdout: ^line discipline: (EPERM|ENOTTY)$
 * layer: seccomp
 */
#include "saw.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    int discipline = 2;
    if (isatty(STDIN_FILENO))
        printf("open /dev/tty: its own\n");
    else
        saw_refused("open /dev/tty", open("/dev/tty", O_RDWR));
    saw_refused("open /dev/ptmx", open("/dev/ptmx", O_RDWR));
    for (int stream = 0; stream < 3; stream++) {
        saw_refused("inject", ioctl(stream, TIOCSTI, "x"));
        saw_refused("inject, high bits set",
                    syscall(SYS_ioctl, stream, (1L << 32) | TIOCSTI, "x"));
        saw_refused("steal", ioctl(stream, TIOCSCTTY, 1));
        saw_refused("line discipline", ioctl(stream, TIOCSETD, &discipline));
        saw_refused("console", ioctl(stream, TIOCCONS, NULL));
        saw_refused("selection", ioctl(stream, TIOCLINUX, "\3"));
    }
    return 0;
}
